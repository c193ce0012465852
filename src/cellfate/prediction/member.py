"""What the members of both kinds of model have in common: preprocessing, encoding of frames, batches, gradients.

Axes: t frames of one sequence, c channels, h rows, w columns, d embedding, b sequences, k logits.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence
from cellfate.features.column_scales import MeasuredPreprocessing
from cellfate.features.measurements import find_masks
from cellfate.models.threads import at_most_threads
from cellfate.prediction.records import ClassifierConfig, ClockConfig, FolderConfig, MemberConfig, TrainedModel

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

ENCODER_FRAMES = 512
"""Frames that pass the encoder at once; bounds memory."""
PACKED_TOKENS = 16_384
"""Tokens that pass the Transformer at once, but for one sequence more; bounds memory."""


class Member:
    """The network of one fold with its preprocessing: NumPy arrays in, NumPy arrays out. It never changes.

    Parameters
    ----------
    config
        Description of the whole model.
    member
        Description of the member.
    network
        The network in evaluation mode.
    """

    def __init__(self, config: ClassifierConfig | ClockConfig, member: MemberConfig, network: Any) -> None:
        self.config = config
        self.member = member
        self.network = network

    def with_network(self, network: Any) -> Self:
        """Give the same member with another network."""
        return type(self)(self.config, self.member, network)

    @property
    def fold(self) -> int:
        """Fold the member was trained in."""
        return self.member.fold

    @property
    def device(self) -> Any:
        """Where the network computes."""
        return next(self.network.parameters()).device

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute without gradients, on no more threads than the training did."""
        import torch

        with torch.inference_mode(), at_most_threads(self.config.threads):
            yield

    def prepare(self, sequence: CellSequence) -> FloatArray:
        """Prepare the frames of a cell as in training.

        Returns
        -------
        ndarray of float32, shape (T, C, H, W)
            0 is the mean of the training cells (or the level of the background) and lies outside the image. A mask that
            the network sees is the last channel, 0 outside the cell. Of columns: see `MeasuredPreprocessing`.

        Raises
        ------
        InputError
            If the number of channels or the size of the crops is not the model's, or a column was not measured.
        """
        architecture = self.config.architecture
        pixels = None
        if architecture.sees_pixels:
            check_crops(self.config, sequence)
            statistics = np.asarray(self.member.mean), np.asarray(self.member.sd)
            pixels = Preprocessing(*statistics, architecture.intensity, architecture.mask_channel)
        shown = self._with_masks(sequence)
        if pixels is None or architecture.sees_columns:
            return MeasuredPreprocessing(self.member.columns, pixels).prepare(shown)
        return pixels.prepare(shown)

    def encode(self, frames_tchw: FloatArray) -> FloatArray:
        """Encode prepared frames, each by itself; T may be anything.

        Returns
        -------
        ndarray of float32, shape (T, D)
            Embeddings; of a network that reads columns, what these are made of (`FrameNetwork.encode`).
        """
        chunks = [np.zeros((0, self.network.encoded_size), np.float32)]
        with self.computing():
            for start in range(0, len(frames_tchw), ENCODER_FRAMES):
                frames_nchw = self.tensor(frames_tchw[start : start + ENCODER_FRAMES], np.float32)
                chunks.append(self.network.encode(frames_nchw).cpu().numpy())
        return np.concatenate(chunks)

    def tensor(self, values: NDArray[Any], dtype: type[np.generic]) -> Any:
        """Give an array as a tensor on the network's device."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(values, dtype=dtype)).to(self.device)

    def differentiate(self, frames_tchw: FloatArray, outcome_number: int, read: Callable[[Any], Any]) -> FloatArray:
        """Gradient of the log odds of an outcome, given by its number, by every pixel of prepared frames, (T, C, H, W).

        `read` gives logits (K,) for embeddings (T, D), both as tensors.
        """
        import torch

        pixels = self.tensor(frames_tchw, np.float32).requires_grad_()
        logits_k = read(self.network.encode(pixels))
        (gradient,) = torch.autograd.grad(_log_odds(logits_k, outcome_number), pixels)
        return cast(FloatArray, gradient.cpu().numpy())

    def read_in_batches(
        self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray], read: Callable[[Any, Any], Any]
    ) -> Iterator[tuple[IntArray, Any]]:
        """Read sequences of embeddings (T, D) in batches, those of one length side by side.

        `read` is given the packed embeddings of a batch as a tensor, and its positions (T,); yielded are the places of
        the batch's sequences, and what `read` gave.
        """
        lengths_b = np.array([len(positions_t) for positions_t in positions], dtype=np.int64)
        for places in _batches_by_length(lengths_b):
            packed_nd = self.tensor(np.concatenate([embeddings[place] for place in places]), np.float32)
            with self.computing():
                found = read(packed_nd, [positions[place] for place in places])
            yield places, found

    def _with_masks(self, sequence: CellSequence) -> CellSequence:
        """Find the masks of the cell where the network sees them."""
        if not self.config.architecture.sees_mask:
            return sequence
        return replace(sequence, masks_thw=find_masks(sequence, self.config.channels, self.config.features))


def _log_odds(logits_k: Any, outcome_number: int) -> Any:
    """Log odds of one outcome against all others, as a tensor; one logit speaks for the first of two outcomes."""
    if len(logits_k) == 1:
        return logits_k[0] if outcome_number == 0 else -logits_k[0]
    others = [number for number in range(len(logits_k)) if number != outcome_number]
    return logits_k[outcome_number] - logits_k[others].logsumexp(dim=0)


def check_crops(config: FolderConfig, sequence: CellSequence) -> None:
    """Refuse crops without the channels and the size that a model was trained on, or pixels that are no numbers."""
    expected = (len(config.channels), config.cut.height_px, config.cut.width_px)
    if sequence.frames_tchw.shape[1:] != expected:
        raise InputError(
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} has crops of (channels, rows, columns) "
            f"{sequence.frames_tchw.shape[1:]} but the model was trained on {expected}; "
            "cut crops with the model's settings."
        )
    finite_t = np.isfinite(sequence.frames_tchw).all(axis=(1, 2, 3))
    if not finite_t.all():
        frame = int(sequence.frame_numbers_t[~finite_t][0])
        raise InputError(
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} has pixels that are no finite numbers in "
            f"frame {frame}, so nothing can be forecast of it; replace the image, or leave the cell out."
        )


def fill_network(build: Callable[[], Any], model: TrainedModel, fold: int) -> Any:
    """Build the network of one fold and fill it with its weights, in evaluation mode, on the GPU when there is one.

    Raises
    ------
    InputError
        If there is no such member, or its weights do not fit the network.
    """
    import torch

    model.config.member(fold)
    with torch.device("meta"):
        network = build()
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in model.member_weights(fold).items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise InputError(
            f"The weights of fold {fold} do not fit the architecture in config.json ({first}); train again."
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.eval().requires_grad_(False).to(device)


def _batches_by_length(lengths_b: IntArray) -> list[IntArray]:
    """Index batches, longest sequences first; each has at most `PACKED_TOKENS` and a sequence of tokens."""
    if (lengths_b == 0).any():
        raise ValueError(f"{int((lengths_b == 0).sum())} of {len(lengths_b)} sequences have no frames; leave them out.")
    order = np.argsort(-lengths_b, kind="stable")
    filled_b = np.cumsum(lengths_b[order] + 1) // PACKED_TOKENS
    return np.split(order, 1 + np.flatnonzero(np.diff(filled_b))) if len(order) else []
