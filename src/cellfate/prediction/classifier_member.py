"""One member of the classifier, ready to compute.

Axes: t frames of one sequence, c channels, h rows, w columns, d embedding, b sequences, k logits.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellfate.prediction.member import FloatArray, IntArray, Member, fill_network
from cellfate.prediction.records import TrainedModel


class ClassifierMember(Member):
    """The network of one fold of the classifier. Made by `load_classifier_member`."""

    def logits(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> FloatArray:
        """Logits of sequences of embeddings, divided by the member's temperature where one is used.

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
        for places, part_bk in self.read_in_batches(embeddings, positions, self._classify):
            logits_bk[places] = part_bk.cpu().numpy()
        return logits_bk

    def probabilities(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> NDArray[np.float64]:
        """Probabilities (B, outcomes) of sequences of embeddings, in the order of the outcomes; rows sum to 1."""
        return probabilities_of(self.logits(embeddings, positions))

    def attention(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Pooling attention of sequences of embeddings.

        Returns
        -------
        list of ndarray of float32, shape (T + 1,)
            One array a sequence, the class token's own share first; it sums to 1.
        """
        weights: list[FloatArray] = [np.zeros(0, np.float32)] * len(embeddings)
        for places, part_m in self.read_in_batches(embeddings, positions, self._attend):
            ends = np.cumsum([len(embeddings[place]) + 1 for place in places])
            for place, weights_s in zip(places, np.split(part_m.cpu().numpy(), ends[:-1]), strict=True):
                weights[place] = weights_s
        return weights

    def rollout(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Attention rolled out through all layers, as `attention` gives the pooling attention; it sums to 1."""
        rows = []
        with self.computing():
            for embeddings_td, positions_t in zip(embeddings, positions, strict=True):
                sequence = self.tensor(embeddings_td, np.float32), self.tensor(positions_t, np.int64)
                rows.append(self.network.roll_out(*sequence).cpu().numpy())
        return rows

    def input_gradients(self, frames_tchw: FloatArray, positions_t: IntArray, outcome_number: int) -> FloatArray:
        """Gradient of an outcome's log odds with respect to every pixel of one sequence; see `differentiate`."""
        return self.differentiate(
            frames_tchw, outcome_number, lambda embeddings_td: self._classify(embeddings_td, [positions_t])[0]
        )

    def _places(self, positions: Sequence[IntArray]) -> tuple[Any, Any]:
        """Give packed positions and the lengths of sequences as tensors."""
        lengths_b = np.array([len(positions_t) for positions_t in positions])
        return self.tensor(np.concatenate(positions), np.int64), self.tensor(lengths_b, np.int64)

    def _classify(self, embeddings_nd: Any, positions: Sequence[IntArray]) -> Any:
        """Logits (B, K) of packed sequences, divided by the temperature, as a tensor."""
        return self.network.classify(embeddings_nd, *self._places(positions)) / self.member.divisor

    def _attend(self, embeddings_nd: Any, positions: Sequence[IntArray]) -> Any:
        """Pooling attention of packed sequences, packed, as a tensor."""
        return self.network.pooling_attention(embeddings_nd, *self._places(positions))


def probabilities_of(logits_bk: NDArray[Any]) -> NDArray[np.float64]:
    """Turn logits into probabilities of the outcomes: the logistic function for one logit, else softmax."""
    logits = np.asarray(logits_bk, dtype=np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate((logits, np.zeros_like(logits)), axis=1)
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast(NDArray[np.float64], scaled / scaled.sum(axis=1, keepdims=True))


@lru_cache(maxsize=8)
def load_classifier_member(model: TrainedModel, fold: int) -> ClassifierMember:
    """Make the member of one fold of a classifier ready to compute; the same object is given again for the same fold.

    Raises
    ------
    InputError
        If the model is a fate clock, there is no such member, or its weights do not fit the architecture.
    """
    from cellfate.models.fate_classifier import FateClassifier

    config = model.classifier_config
    member = config.member(fold)
    n_channels = len(config.channels) + config.architecture.sees_mask
    sizes = n_channels, len(config.outcomes), 0, len(member.columns)
    network = fill_network(lambda: FateClassifier(config.architecture, *sizes), model, fold)
    return ClassifierMember(config, member, network)
