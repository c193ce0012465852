"""Positions, Transformer layers and attention pooling over the frames of a sequence.

Shape suffixes: n packed frames, b sequences, t padded time, s = t + 1 tokens (the class token first), d embedding.
"""

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.settings import NetworkSettings


def sinusoidal_positions(positions: Tensor, size: int) -> Tensor:
    """Sine and cosine codes of positions (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762).

    Parameters
    ----------
    positions
        Positions of any shape, in frames.
    size
        Even length of a code.

    Returns
    -------
    Tensor
        float32 codes, shape `(*positions.shape, size)`: sines in even places, cosines in odd ones.
    """
    exponents = torch.arange(0, size, 2, device=positions.device, dtype=torch.float32) / size
    angles = positions.unsqueeze(-1).to(torch.float32) * torch.exp(-math.log(10_000.0) * exponents)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)


def pad_sequences(values_n: Tensor, lengths_b: Tensor) -> tuple[Tensor, Tensor]:
    """Tell where a padded batch is real, (B, T), and unpack into it, padding with 0: (B, T, ...)."""
    real_bt = torch.arange(int(lengths_b.max()), device=lengths_b.device) < lengths_b[:, None]
    padded = values_n.new_zeros(*real_bt.shape, *values_n.shape[1:])
    padded[real_bt] = values_n
    return real_bt, padded


class AttentionPooling(nn.Module):
    """LayerNorm, then one single-head attention in which the class token asks all tokens of its sequence.

    Parameters
    ----------
    size
        Width of a token.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, num_heads=1, batch_first=True)

    def forward(self, tokens_bsd: Tensor, padding_bs: Tensor) -> tuple[Tensor, Tensor]:
        """Pool the tokens of each sequence.

        Parameters
        ----------
        tokens_bsd
            Tokens, the class token first.
        padding_bs
            True where a token is padding.

        Returns
        -------
        pooled_bd : Tensor
            One vector a sequence.
        attention_bs : Tensor
            Weights of the class token's question; they sum to 1 over a sequence, padding gets 0.
        """
        tokens_bsd = self.norm(tokens_bsd)
        pooled_b1d, attention_b1s = self.attention(
            tokens_bsd[:, :1], tokens_bsd, tokens_bsd, key_padding_mask=padding_bs, need_weights=True
        )
        return pooled_b1d[:, 0], attention_b1s[:, 0]


def attention_of_layer(
    layer: nn.TransformerEncoderLayer,
    tokens_bsd: Tensor,
    padding_bs: Tensor | None = None,
    hidden_ss: Tensor | None = None,
) -> Tensor:
    """Attention weights of a pre-norm layer, mean of its heads, (B, S, S); rows sum to 1, what is not seen gets 0."""
    normed = layer.norm1(tokens_bsd)
    _, weights_bss = layer.self_attn(
        normed, normed, normed, key_padding_mask=padding_bs, need_weights=True, attn_mask=hidden_ss
    )
    return cast(Tensor, weights_bss)


def roll_out_layers(
    layers: Iterable[nn.Module], tokens_bsd: Tensor, padding_bs: Tensor | None = None, hidden_ss: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Run layers and follow what each token passes on (Abnar and Zuidema 2020).

    Each layer passes on half of a token by its residual connection and half by the mean attention of its heads.

    Parameters
    ----------
    layers
        Layers of `transformer_layer`.
    tokens_bsd
        Tokens before the first layer.
    padding_bs
        True where a token is padding.
    hidden_ss
        True where a token (row) does not see another (column).

    Returns
    -------
    tokens_bsd : Tensor
        Tokens after the last layer.
    passed_bss : Tensor
        Share of each token before (columns) in each token after (rows); without layers the identity.
    attention_bss : Tensor
        Attention of the last layer; without layers the identity.
    """
    passed_bss = torch.eye(tokens_bsd.shape[1], device=tokens_bsd.device).expand(len(tokens_bsd), -1, -1)
    attention_bss = passed_bss
    for layer in layers:
        attention_bss = attention_of_layer(cast(nn.TransformerEncoderLayer, layer), tokens_bsd, padding_bs, hidden_ss)
        passed_bss = (passed_bss + attention_bss @ passed_bss) / 2
        tokens_bsd = layer(tokens_bsd, src_mask=hidden_ss, src_key_padding_mask=padding_bs)
    return tokens_bsd, passed_bss, attention_bss


def transformer_layer(settings: NetworkSettings) -> nn.TransformerEncoderLayer:
    """One pre-norm Transformer layer."""
    return nn.TransformerEncoderLayer(
        settings.embedding_size,
        settings.n_heads,
        dim_feedforward=settings.feed_forward_size,
        dropout=settings.dropout,
        batch_first=True,
        norm_first=True,
    )
