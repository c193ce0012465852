"""The fate classifier: frames to embeddings, embeddings over time to logits.

Shape suffixes: n packed frames, c channels, h rows, w columns, b sequences, t frames of one sequence, m packed tokens,
s = t + 1 tokens of one sequence (the class token first), d embedding, k logits, p positions.

Frames and tokens are packed: those of all sequences of a batch stand one after the other. Nothing is padded.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.frame_encoders import FrameNetwork, feature_layer
from cellfate.models.settings import ModelSettings
from cellfate.models.temporal import (
    AttentionPooling,
    TransformerLayer,
    put_first,
    roll_out_layers,
    sinusoidal_positions,
)


def n_logits(n_outcomes: int) -> int:
    """Logits for a number of outcomes: one for two outcomes (it speaks for the first), else one each."""
    return 1 if n_outcomes == 2 else n_outcomes


class FateClassifier(FrameNetwork):
    """Frame encoder, class token, sinusoidal positions, Transformer, attention pooling, LayerNorm, linear head.

    Parameters
    ----------
    settings
        Architecture.
    n_channels
        Channels of a frame, a mask channel included.
    n_outcomes
        Possible outcomes, at least two.
    n_features
        Frame features that embeddings are to tell (auxiliary task of the training); 0: none.
    n_columns
        Columns of measurements that are read.
    """

    def __init__(
        self, settings: ModelSettings, n_channels: int, n_outcomes: int, n_features: int = 0, n_columns: int = 0
    ) -> None:
        super().__init__(settings, n_channels, n_columns)
        size = self.size
        self.class_token = nn.Parameter(torch.randn(size) * 0.02)
        self.layers = nn.ModuleList(TransformerLayer(settings) for _ in range(settings.n_layers))
        self.pooling = AttentionPooling(size)
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, n_logits(n_outcomes))
        self.features = feature_layer(size, n_features)

    def forward(self, frames_nchw: Tensor, positions_n: Tensor, lengths_b: Tensor) -> Tensor:
        """Logits (B, K) of sequences given as packed frames.

        Parameters
        ----------
        frames_nchw
            float32, normalised; the frames of the sequences one after the other.
        positions_n
            int64, frame number minus the sequence's first frame number.
        lengths_b
            int64, frames of each sequence; their sum is N.
        """
        return self.classify(self.encode(frames_nchw), positions_n, lengths_b)

    def classify(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> Tensor:
        """Logits of sequences of embeddings.

        Parameters
        ----------
        embeddings_nd
            What `encode` made of the sequences' frames, packed.
        positions_n, lengths_b
            As in `forward`.

        Returns
        -------
        Tensor
            (B, K): one logit for two outcomes (of the first), else one an outcome.
        """
        pooled_bd = self.pooling(*self._attend(embeddings_nd, positions_n, lengths_b))
        return cast(Tensor, self.head(self.norm(pooled_bd))).to(embeddings_nd.dtype)

    def pooling_attention(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> Tensor:
        """Pooling attention of sequences of embeddings, given as in `classify`; packed, (N + B,).

        Of each sequence the class token's share first, then one weight a frame; they sum to 1.
        """
        return self.pooling.weigh(*self._attend(embeddings_nd, positions_n, lengths_b))

    def roll_out(self, embeddings_td: Tensor, positions_t: Tensor) -> Tensor:
        """Attention of one sequence rolled out through all layers to the pooled vector (Abnar and Zuidema 2020), (S,).

        See `roll_out_layers`; the pooling attention, which has no residual, comes last. Without layers it is the
        pooling attention itself.
        """
        tokens_sd = self._tokens(embeddings_td, positions_t, [len(positions_t)])
        tokens_sd, passed_ss, _ = roll_out_layers(self.layers, tokens_sd)
        return self.pooling.weigh(tokens_sd, [len(tokens_sd)]) @ passed_ss

    def layers_from_head(self) -> list[tuple[str, list[nn.Module]]]:
        """Name the layers and give their modules, from the head down to the frame encoder."""
        layers = [(f"Transformer layer {n}", [layer]) for n, layer in enumerate(self.layers, start=1)]
        top: list[tuple[str, list[nn.Module]]] = [
            ("head", [self.head, self.norm]),
            ("attention pooling", [self.pooling]),
        ]
        return [*top, *layers[::-1], ("frame encoder", self.frame_layers())]

    def _attend(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> tuple[Tensor, list[int]]:
        """Tokens after the last layer, packed, and how many are each sequence's."""
        lengths = lengths_b.tolist()
        tokens_md = self._tokens(embeddings_nd, positions_n, lengths)
        n_tokens = [1 + length for length in lengths]
        for layer in self.layers:
            tokens_md = self.run_stage(layer, tokens_md, n_tokens)
        return tokens_md, n_tokens

    def _tokens(self, embeddings_nd: Tensor, positions_n: Tensor, lengths: Sequence[int]) -> Tensor:
        """Put the class token, at position 0, before each sequence's frames, which stand from position 1 on, (M, D)."""
        places_p = torch.arange(int(positions_n.max()) + 2, device=positions_n.device)
        codes_pd = sinusoidal_positions(places_p, self.size).to(embeddings_nd)
        coded_nd = self.join(embeddings_nd) + codes_pd[1 + positions_n]
        return put_first((self.class_token + codes_pd[0]).to(coded_nd.dtype), coded_nd, lengths)
