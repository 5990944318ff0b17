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
        """Take one step along the gradients."""
        gradients: list[Tensor] = []
        for parameter in self.parameters:
            assert parameter.grad is not None
            gradients.append(parameter.grad)
        adam(
            self.parameters,  # type: ignore[arg-type]
            gradients,
            self.means,
            self.squares,
            [],
            self.steps,
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
