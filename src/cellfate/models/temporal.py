"""Positions, Transformer layers and attention pooling over the frames of sequences, without padding.

Tokens are packed: those of all sequences of a batch stand one after the other. What works a token at a time sees them
all at once; only scaled-dot-product attention goes from sequence to sequence, neighbours of one length together.

Shape suffixes: n packed frames, m packed tokens, b sequences, r sequences of one length, s tokens of one sequence, h
heads, d embedding.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu, scaled_dot_product_attention

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


def equal_lengths(values_m: Tensor, lengths: Sequence[int]) -> Iterator[Tensor]:
    """Part what is packed, (M, ...), into neighbours of one length, (R, S, ...) each, in order; nothing is copied."""
    runs = [(len(list(run)), length) for length, run in groupby(lengths)]
    parts = torch.split(values_m, [number * length for number, length in runs])
    yield from (part.view(*run, *part.shape[1:]) for part, run in zip(parts, runs, strict=True))


def put_first(first_d: Tensor, values_nd: Tensor, lengths: Sequence[int]) -> Tensor:
    """Put one token before those of every sequence, (N + B, D)."""
    parts = equal_lengths(values_nd, lengths)
    begun = (torch.cat((first_d.expand(len(part_rsd), 1, -1), part_rsd), dim=1) for part_rsd in parts)
    return torch.cat([part_rsd.flatten(0, 1) for part_rsd in begun])


class TransformerLayer(nn.Module):
    """Pre-norm Transformer layer on packed tokens; weights, their names and values are those of torch's.

    Parameters
    ----------
    settings
        Architecture.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        size, width = settings.embedding_size, settings.feed_forward_size
        self.self_attn = nn.MultiheadAttention(size, settings.n_heads, dropout=settings.dropout, batch_first=True)
        self.linear1 = nn.Linear(size, width)
        self.linear2 = nn.Linear(width, size)
        self.norm1 = nn.LayerNorm(size)
        self.norm2 = nn.LayerNorm(size)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, tokens_md: Tensor, lengths: Sequence[int], seen_ss: Tensor | None = None) -> Tensor:
        """Let the tokens of each sequence attend to each other, (M, D).

        Parameters
        ----------
        tokens_md
            Tokens of the sequences, one after the other.
        lengths
            Tokens of each sequence; their sum is M.
        seen_ss
            True where a token (row) sees another (column), for the longest sequence or a longer one; None: all do.
        """
        tokens_md = tokens_md + self.dropout(self._attend(self.norm1(tokens_md), lengths, seen_ss))
        hidden_mx = self.dropout(relu(self.linear1(self.norm2(tokens_md))))
        return cast(Tensor, tokens_md + self.dropout(self.linear2(hidden_mx)))

    def _attend(self, normed_md: Tensor, lengths: Sequence[int], seen_ss: Tensor | None) -> Tensor:
        projected_mx = linear(normed_md, self.self_attn.in_proj_weight, self.self_attn.in_proj_bias)
        heads, rate = self.self_attn.num_heads, self.self_attn.dropout if self.training else 0.0
        parts = []
        for part_rsx in equal_lengths(projected_mx, lengths):
            length = part_rsx.shape[1]
            query, key, value = part_rsx.view(*part_rsx.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
            seen = None if seen_ss is None else seen_ss[:length, :length]
            part_rhsd = scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=rate)
            parts.append(part_rhsd.transpose(1, 2).flatten(2).flatten(0, 1))
        return cast(Tensor, self.self_attn.out_proj(torch.cat(parts)))


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

    def forward(self, tokens_md: Tensor, lengths: Sequence[int]) -> Tensor:
        """Pool the tokens of each sequence, the class token first, to one vector, (B, D)."""
        normed_md, size = self.norm(tokens_md), tokens_md.shape[1]
        weight, bias = self.attention.in_proj_weight, self.attention.in_proj_bias
        first_bd = torch.cat([part_rsd[:, 0] for part_rsd in equal_lengths(normed_md, lengths)])
        query_bd = linear(first_bd, weight[:size], bias[:size])
        answers = equal_lengths(linear(normed_md, weight[size:], bias[size:]), lengths)
        pooled, begin = [], 0
        for part_rsx in answers:
            query_r1d = query_bd[begin : begin + len(part_rsx), None]
            key_rsd, value_rsd = part_rsx.chunk(2, dim=2)
            pooled.append(scaled_dot_product_attention(query_r1d, key_rsd, value_rsd)[:, 0])
            begin += len(part_rsx)
        return cast(Tensor, self.attention.out_proj(torch.cat(pooled)))

    def weigh(self, tokens_md: Tensor, lengths: Sequence[int]) -> Tensor:
        """Give the weights of the class token's question, packed, (M,); over a sequence they sum to 1."""
        weights = []
        for part_rsd in equal_lengths(self.norm(tokens_md), lengths):
            _, weights_r1s = self.attention(part_rsd[:, :1], part_rsd, part_rsd, need_weights=True)
            weights.append(weights_r1s.flatten())
        return torch.cat(weights)


def attention_of_layer(layer: TransformerLayer, tokens_sd: Tensor, seen_ss: Tensor | None = None) -> Tensor:
    """Attention weights of a layer in one sequence, mean of its heads, (S, S); rows sum to 1, what is unseen gets 0."""
    normed_sd = layer.norm1(tokens_sd)
    hidden_ss = None if seen_ss is None else ~seen_ss
    _, weights_ss = layer.self_attn(normed_sd, normed_sd, normed_sd, need_weights=True, attn_mask=hidden_ss)
    return cast(Tensor, weights_ss)


def roll_out_layers(
    layers: Iterable[nn.Module], tokens_sd: Tensor, seen_ss: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Run layers on one sequence and follow what each token passes on (Abnar and Zuidema 2020).

    Each layer passes on half of a token by its residual connection and half by the mean attention of its heads.

    Parameters
    ----------
    layers
        `TransformerLayer`s.
    tokens_sd
        Tokens before the first layer.
    seen_ss
        True where a token (row) sees another (column); None: all do.

    Returns
    -------
    tokens_sd : Tensor
        Tokens after the last layer.
    passed_ss : Tensor
        Share of each token before (columns) in each token after (rows); without layers the identity.
    attention_ss : Tensor
        Attention of the last layer; without layers the identity.
    """
    passed_ss = torch.eye(len(tokens_sd), device=tokens_sd.device)
    attention_ss = passed_ss
    for layer in layers:
        attention_ss = attention_of_layer(cast(TransformerLayer, layer), tokens_sd, seen_ss)
        passed_ss = (passed_ss + attention_ss @ passed_ss) / 2
        tokens_sd = layer(tokens_sd, [len(tokens_sd)], seen_ss)
    return tokens_sd, passed_ss, attention_ss
