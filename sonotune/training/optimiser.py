"""Adam without loading PyTorch's compiler."""

from __future__ import annotations

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
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    def state(self) -> dict[str, Tensor]:
        """All that it remembers from step to step, by name (not copied)."""
        kinds = {"mean": self.means, "square": self.squares, "step": self.steps}
        return {f"{kind}.{i}": t for kind, some in kinds.items() for i, t in enumerate(some)}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take one step along the gradients.

        What no output depends on has none, such as the end of a classifier in some encoders.
        """
        used = [i for i, parameter in enumerate(self.parameters) if parameter.grad is not None]
        gradients = [self.parameters[i].grad for i in used]
        adam(
            [self.parameters[i] for i in used],
            gradients,  # type: ignore[arg-type]
            [self.means[i] for i in used],
            [self.squares[i] for i in used],
            [],
            [self.steps[i] for i in used],
            foreach=False,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.learning_rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
