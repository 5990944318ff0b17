"""Adam without loading PyTorch's compiler."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class Adam:
    """Adam of Kingma and Ba, by PyTorch's own function, with its usual constants.

    ``torch.optim.Adam`` takes the same steps, but loads ``torch._dynamo`` when it is made: that
    takes longer than importing PyTorch, in every cell.

    Parameters
    ----------
    parameters
        What is tuned.
    learning_rate
        Step size.
    computing
        What gradients flow to, in the order of ``parameters``: these themselves, or copies in a
        lower precision (see `bf16_shadow`), whose fp32 masters the parameters then are.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        computing: Iterable[nn.Parameter] | None = None,
    ) -> None:
        self.parameters = list(parameters)
        self.computing = self.parameters if computing is None else list(computing)
        both = zip(self.parameters, self.computing, strict=True)
        copied = [(master, low) for master, low in both if master is not low]
        self._masters: list[Tensor] = [master for master, _ in copied]
        self._low: list[Tensor] = [low for _, low in copied]
        for master in self._masters:
            master.grad = torch.empty_like(master)
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]
        # On a GPU a tensor, whose value each replay of a recorded step finds there.
        self._rate: float | Tensor = learning_rate
        if self.parameters and self.parameters[0].is_cuda:
            self._rate = torch.full((), learning_rate, device=self.parameters[0].device)
        # PyTorch's kernel copies every gradient of a channels-last weight unless it gets rows.
        self._rows = [
            [_row(tensor, tensor) for tensor in some]
            for some in (self.parameters, self.means, self.squares)
        ]

    def state(self) -> dict[str, Tensor]:
        """All that it remembers from step to step, by name (not copied)."""
        kinds = {"mean": self.means, "square": self.squares, "step": self.steps}
        return {f"{kind}.{i}": t for kind, some in kinds.items() for i, t in enumerate(some)}

    def set_learning_rate(self, learning_rate: float) -> None:
        """Give all later steps another size.

        Parameters
        ----------
        learning_rate
            The new size of a step.
        """
        if isinstance(self._rate, Tensor):
            self._rate.fill_(learning_rate)
        else:
            self._rate = learning_rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.computing:
            parameter.grad = None

    @torch.no_grad()
    def refresh(self) -> None:
        """Give the copies in a lower precision the values of their masters."""
        if self._low:
            torch._foreach_copy_(self._low, self._masters)

    @torch.no_grad()
    def step(self) -> None:
        """Take one step along the gradients.

        What no output depends on has none, such as the end of a classifier in some encoders.
        """
        if self._low:
            both = [
                (master.grad, low.grad)
                for master, low in zip(self._masters, self._low, strict=True)
                if low.grad is not None
            ]
            torch._foreach_copy_([fp32 for fp32, _ in both], [bf16 for _, bf16 in both])  # type: ignore[misc]
        used = [i for i, parameter in enumerate(self.computing) if parameter.grad is not None]
        parameters, means, squares = ([some[i] for i in used] for some in self._rows)
        adam(
            parameters,
            [_row(self.parameters[i].grad, self.parameters[i]) for i in used],  # type: ignore[arg-type]
            means,
            squares,
            [],
            [self.steps[i] for i in used],
            foreach=False,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self._rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
        self.refresh()


def _row(tensor: Tensor, like: Tensor) -> Tensor:
    """A tensor's numbers in the order in which those of a dense one lie in memory, [N]."""
    if tensor.stride() != like.stride():
        tensor = torch.empty_like(like).copy_(tensor)
    return tensor.detach().as_strided((tensor.numel(),), (1,))
