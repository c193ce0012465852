"""What fitting a network leaves: its weights and how it went; no torch is needed to hold it."""

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FittedMember:
    """The network fitted in one fold.

    Attributes
    ----------
    fold : int
        Number of the fold.
    weights : dict of str to ndarray
        Parameters and buffers of the network at its best epoch.
    epochs : list of dict
        Training loss, validation metrics and learning rate of each epoch.
    frames_per_s : list of float
        Real frames a second of the training of each epoch, the reading of batches included.
    best_epoch : int
        Epoch whose weights these are, counted from 0.
    validation : dict of str to float or None
        Validation metrics of these weights; None where undefined.
    n_train, n_validation : int
        Cells.
    columns : list of dict
        Columns of measurements that it reads, and how they are standardised; see `features.column_scales.ColumnScale`.
    """

    fold: int
    weights: dict[str, NDArray[Any]]
    epochs: list[dict[str, float]]
    frames_per_s: list[float]
    best_epoch: int
    validation: dict[str, float | None]
    n_train: int
    n_validation: int
    columns: list[dict[str, Any]] = field(default_factory=list)
