"""The fate classifier: frames to embeddings, embeddings over time to logits.

Shape suffixes: n packed real frames, c channels, h rows, w columns, b sequences, t padded time, s = t + 1 tokens (the
class token first), d embedding, k logits, p positions.

Frames are packed: those of all sequences of a batch stand one after the other, without padding, so the frame encoder
and its batch statistics never see any. Embeddings are padded for the Transformer, which is told where.
"""

from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.frame_encoders import FrameNetwork, feature_layer
from cellfate.models.settings import ModelSettings
from cellfate.models.temporal import (
    AttentionPooling,
    pad_sequences,
    roll_out_layers,
    sinusoidal_positions,
    transformer_layer,
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
        self.layers = nn.ModuleList(transformer_layer(settings) for _ in range(settings.n_layers))
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
        logits_bk, _ = self.classify(self.encode(frames_nchw), positions_n, lengths_b)
        return logits_bk

    def classify(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and pooling attention of sequences of embeddings.

        Parameters
        ----------
        embeddings_nd
            What `encode` made of the sequences' frames, packed.
        positions_n, lengths_b
            As in `forward`.

        Returns
        -------
        logits_bk : Tensor
            One logit for two outcomes (of the first), else one an outcome.
        attention_bs : Tensor
            The class token's share first, then one weight a frame; sums to 1, padding gets 0.
        """
        tokens_bsd, padding_bs = self._tokens(embeddings_nd, positions_n, lengths_b)
        # a mask that hides nothing costs a quarter of the time: explanations read many sequences of one length
        hidden_bs = padding_bs if self.training or padding_bs.any() else None
        for layer in self.layers:
            tokens_bsd = layer(tokens_bsd, src_key_padding_mask=hidden_bs)
        pooled_bd, attention_bs = self.pooling(tokens_bsd, padding_bs)
        return self.head(self.norm(pooled_bd)), attention_bs

    def roll_out(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> Tensor:
        """Attention rolled out through all layers to the pooled vector (Abnar and Zuidema 2020), (B, S).

        See `roll_out_layers`; the pooling attention, which has no residual, comes last. Without layers it is the
        pooling attention itself.

        Parameters
        ----------
        embeddings_nd, positions_n, lengths_b
            As in `classify`.
        """
        tokens_bsd, padding_bs = self._tokens(embeddings_nd, positions_n, lengths_b)
        tokens_bsd, passed_bss, _ = roll_out_layers(self.layers, tokens_bsd, padding_bs)
        _, attention_bs = self.pooling(tokens_bsd, padding_bs)
        return cast(Tensor, (attention_bs[:, None] @ passed_bss)[:, 0])

    def layers_from_head(self) -> list[tuple[str, list[nn.Module]]]:
        """Name the layers and give their modules, from the head down to the frame encoder."""
        layers = [(f"Transformer layer {n}", [layer]) for n, layer in enumerate(self.layers, start=1)]
        top: list[tuple[str, list[nn.Module]]] = [
            ("head", [self.head, self.norm]),
            ("attention pooling", [self.pooling]),
        ]
        return [*top, *layers[::-1], ("frame encoder", self.frame_layers())]

    def _tokens(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor) -> tuple[Tensor, Tensor]:
        """Pad to tokens, the class token at position 0 and frames from position 1, and say where padding is."""
        places_p = torch.arange(1, int(positions_n.max()) + 2, device=positions_n.device)
        codes_pd = sinusoidal_positions(places_p, self.size)
        coded_nd = self.join(embeddings_nd) + codes_pd.to(embeddings_nd)[positions_n]
        real_bt, frames_btd = pad_sequences(coded_nd, lengths_b)
        start_d = self.class_token + sinusoidal_positions(lengths_b.new_zeros(()), self.size)
        start_b1d = start_d.to(coded_nd.dtype).expand(len(lengths_b), 1, -1)
        padding_bs = torch.cat((real_bt.new_zeros(len(lengths_b), 1), ~real_bt), dim=1)
        return torch.cat((start_b1d, frames_btd), dim=1), padding_bs
