"""What a run learns, as the `Trainer` sees it."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn


class Objective(Protocol):
    """What a run learns. A batch is known by its number in the epoch, a part of it by its rows."""

    metric: str
    """Validation figure that chooses the best epoch."""
    higher_is_better: bool

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Order the epoch's batches and return the tokens of each."""

    def size(self, batch: int) -> int:
        """Rows of a batch: reviews, or streams of text."""

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Loss of some rows, with gradient; scaled so that the parts of a batch add up to its mean loss."""

    def commit(self) -> None:
        """The step on the batch is taken: what it leaves behind goes to the next."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures of the validation part, `metric` among them."""

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The network's parts from bottom to top, for rates by depth."""

    def carried(self) -> dict[str, Tensor]:
        """Tensors that pass from batch to batch and belong to a saved state; zero for rows of other processes."""

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `carried` gave."""
