"""One member of a model, ready to compute: NumPy arrays in, NumPy arrays out.

Axes: t frames of one sequence, c channels, h rows, w columns, d embedding, b sequences, k logits.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence
from cellfate.prediction.records import FolderConfig, MemberConfig, ModelConfig, TrainedModel

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

ENCODER_FRAMES = 512
"""Frames that pass the encoder at once; bounds memory."""
PADDED_TOKENS = 16_384
"""Tokens, padding included, that pass the Transformer at once; bounds memory."""


class FoldModel:
    """The network of one fold with its preprocessing. Made by `load_fold`; it never changes.

    Parameters
    ----------
    config
        Description of the whole model.
    member
        Description of the member.
    network
        A `FateClassifier` in evaluation mode; only the room of predictions touches it.
    """

    def __init__(self, config: ModelConfig, member: MemberConfig, network: Any) -> None:
        self.config = config
        self.member = member
        self.network = network

    def with_network(self, network: Any) -> "FoldModel":
        """Give the same member with another network."""
        return FoldModel(self.config, self.member, network)

    @property
    def fold(self) -> int:
        """Fold the member was trained in."""
        return self.member.fold

    def prepare(self, sequence: CellSequence) -> FloatArray:
        """Normalise the frames of a cell as in training.

        Returns
        -------
        ndarray of float32, shape (T, C, H, W)
            Pixels outside the image are 0.

        Raises
        ------
        InputError
            If the number of channels or the size of the crops is not the model's.
        """
        check_crops(self.config, sequence)
        mean_c, sd_c = np.asarray(self.member.mean), np.asarray(self.member.sd)
        return Preprocessing(mean_c, sd_c, self.config.architecture.intensity).prepare(sequence)

    def encode(self, frames_tchw: FloatArray) -> FloatArray:
        """Embed normalised frames, each by itself.

        Parameters
        ----------
        frames_tchw
            float32, as `prepare` gives them; T may be anything.

        Returns
        -------
        ndarray of float32, shape (T, D)
        """
        import torch

        device = self.network.class_token.device
        chunks = [np.zeros((0, self.config.architecture.embedding_size), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(frames_tchw), ENCODER_FRAMES):
                frames = np.ascontiguousarray(frames_tchw[start : start + ENCODER_FRAMES], dtype=np.float32)
                chunks.append(self.network.encode(torch.from_numpy(frames).to(device)).cpu().numpy())
        return np.concatenate(chunks)

    def logits(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> FloatArray:
        """Logits of sequences of embeddings.

        Parameters
        ----------
        embeddings
            One array (T, D) a sequence, T at least 1.
        positions
            One array (T,) a sequence: frame number minus the sequence's first.

        Returns
        -------
        ndarray of float32, shape (B, K)
            K is 1 for two outcomes (the logit of the first), else their number.
        """
        logits_bk = np.zeros((len(embeddings), self.network.head.out_features), np.float32)
        for members, part_bk, _ in self._classify(embeddings, positions):
            logits_bk[members] = part_bk
        return logits_bk

    def attention(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Pooling attention of sequences of embeddings.

        Returns
        -------
        list of ndarray of float32, shape (T + 1,)
            One array a sequence, the class token's own share first; it sums to 1.
        """
        weights: list[FloatArray] = [np.zeros(0, np.float32)] * len(embeddings)
        for members, _, part_bs in self._classify(embeddings, positions):
            for member, row_s in zip(members, part_bs, strict=True):
                weights[member] = row_s[: len(embeddings[member]) + 1]
        return weights

    def rollout(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Attention rolled out through all layers, as `attention` gives the pooling attention; it sums to 1."""
        import torch

        rows = []
        for embeddings_td, positions_t in zip(embeddings, positions, strict=True):
            arguments = self._tensors(embeddings_td, positions_t, np.array([len(embeddings_td)]))
            with torch.inference_mode():
                rows.append(self.network.roll_out(*arguments)[0].cpu().numpy())
        return rows

    def input_gradients(self, frames_tchw: FloatArray, positions_t: IntArray, outcome_number: int) -> FloatArray:
        """Gradient of an outcome's log odds with respect to every pixel of one sequence.

        Parameters
        ----------
        frames_tchw
            Normalised frames of one sequence, float32.
        positions_t
            Frame number minus the sequence's first.
        outcome_number
            Position of the outcome among the outcomes.

        Returns
        -------
        ndarray of float32, shape (T, C, H, W)
            Logits a unit of normalised intensity.
        """
        import torch

        device = self.network.class_token.device
        pixels = torch.from_numpy(np.ascontiguousarray(frames_tchw, dtype=np.float32)).to(device).requires_grad_()
        _, positions, lengths = self._tensors(frames_tchw[:, 0, 0], positions_t, np.array([len(frames_tchw)]))
        logits_bk, _ = self.network.classify(self.network.encode(pixels), positions, lengths)
        (gradient,) = torch.autograd.grad(outcome_log_odds(logits_bk[0], outcome_number), pixels)
        return cast(FloatArray, gradient.cpu().numpy())

    def _tensors(self, embeddings_nd: FloatArray, positions_n: IntArray, lengths_b: IntArray) -> list[Any]:
        """Give packed embeddings, their positions and the lengths of the sequences as tensors on the device."""
        import torch

        device = self.network.class_token.device
        arrays = (embeddings_nd.astype(np.float32, copy=False), positions_n.astype(np.int64, copy=False), lengths_b)
        return [torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays]

    def probabilities(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> NDArray[np.float64]:
        """Probabilities (B, outcomes) of sequences of embeddings, in the order of the outcomes; rows sum to 1."""
        return probabilities_of(self.logits(embeddings, positions))

    def _classify(
        self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]
    ) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
        """Classify in batches of like lengths: members of the batch, their logits and attention."""
        import torch

        lengths_b = np.array([len(embedding) for embedding in embeddings], dtype=np.int64)
        for members in batches_of_like_length(lengths_b):
            packed_nd = np.concatenate([embeddings[member] for member in members])
            packed_n = np.concatenate([positions[member] for member in members])
            arguments = self._tensors(packed_nd, packed_n, lengths_b[members])
            with torch.inference_mode():
                logits_bk, attention_bs = self.network.classify(*arguments)
            yield members, logits_bk.cpu().numpy(), attention_bs.cpu().numpy()


def outcome_log_odds(logits_k: Any, outcome_number: int) -> Any:
    """Log odds of one outcome against all others, as a tensor; one logit speaks for the first of two outcomes."""
    if len(logits_k) == 1:
        return logits_k[0] if outcome_number == 0 else -logits_k[0]
    others = [number for number in range(len(logits_k)) if number != outcome_number]
    return logits_k[outcome_number] - logits_k[others].logsumexp(dim=0)


def check_crops(config: FolderConfig, sequence: CellSequence) -> None:
    """Check that crops have the channels and the size that a model was trained on.

    Raises
    ------
    InputError
        If they have not.
    """
    expected = (len(config.channels), config.crops.height_px, config.crops.width_px)
    if sequence.frames_tchw.shape[1:] != expected:
        message = (
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} has crops of (channels, rows, columns) "
            f"{sequence.frames_tchw.shape[1:]} but the model was trained on {expected}; "
            "cut crops with the model's settings."
        )
        raise InputError(message)


def probabilities_of(logits_bk: NDArray[Any]) -> NDArray[np.float64]:
    """Turn logits into probabilities of the outcomes: the logistic function for one logit, else softmax."""
    logits = np.asarray(logits_bk, dtype=np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate((logits, np.zeros_like(logits)), axis=1)
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast(NDArray[np.float64], scaled / scaled.sum(axis=1, keepdims=True))


@lru_cache(maxsize=8)
def load_fold(model: TrainedModel, fold: int) -> FoldModel:
    """Build the network of one fold from its weights, on the GPU when there is one.

    Parameters
    ----------
    model
        The trained model.
    fold
        Fold of the member.

    Returns
    -------
    FoldModel
        Ready to compute; the same object is given again for the same model and fold.

    Raises
    ------
    InputError
        If there is no such member, or its weights do not fit the architecture.
    """
    import torch

    from cellfate.models.fate_classifier import FateClassifier

    member = model.config.member(fold)
    with torch.device("meta"):
        network = FateClassifier(model.config.architecture, len(model.config.channels), len(model.config.outcomes))
    return FoldModel(model.config, member, fill_network(network, model.member_weights(fold), fold))


def fill_network(network: Any, weights: Mapping[str, NDArray[Any]], fold: int) -> Any:
    """Fill an empty network (on the device `meta`) with weights, ready to compute, on the GPU when there is one.

    Raises
    ------
    InputError
        If the weights do not fit the network.
    """
    import torch

    tensors = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        message = f"The weights of fold {fold} do not fit the architecture in config.json ({first}); train again."
        raise InputError(message) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.eval().requires_grad_(False).to(device)


def batches_of_like_length(lengths_b: IntArray) -> Iterator[IntArray]:
    """Index batches, longest sequences first, each of at most `PADDED_TOKENS` padded tokens."""
    if (lengths_b == 0).any():
        message = f"{int((lengths_b == 0).sum())} of {len(lengths_b)} sequences have no frames; leave them out."
        raise ValueError(message)
    order = np.argsort(-lengths_b, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, PADDED_TOKENS // int(lengths_b[order[start]] + 1))
        yield order[start : start + size]
        start += size
