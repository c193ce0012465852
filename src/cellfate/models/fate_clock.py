"""The network of the fate clock: frames to embeddings, embeddings over time to cause-specific hazards at every frame.

Shape suffixes: n packed frames, c channels, h rows, w columns, b sequences, t frames of one sequence, r places among
the packed frames, w frames of a window, d embedding, a inputs about age, k bins of time, e events, f frame features.

Nothing at a frame depends on a later one: attention is banded (a frame sees itself and the frames before it, up to
`history_frames`), and statistics are of windows that end at the frame.
"""

from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.frame_encoders import FrameNetwork, feature_layer
from cellfate.models.settings import ClockNetworkSettings
from cellfate.models.temporal import TransformerLayer, roll_out_layers, sinusoidal_positions

AGE_INPUTS = 3
"""Age over 20 h, log(1 + age in h), and whether the track began after the recording did."""
_LEAST_VARIANCE = 1e-5
_FARTHEST = 4.0
"""Standard deviations to which an input of the head is clipped."""
_FIRST_LOG_ODDS = -3.5
"""Log odds of an event in a bin before training: events are rare."""
_ENDS = 3  # frames averaged at both ends of a window: one frame alone is noisy


class FateClock(FrameNetwork):
    """Frame encoder, causal Transformer, causal statistics, hazards of each event in each bin of time.

    Parameters
    ----------
    settings
        Architecture.
    n_channels
        Channels of a frame, a mask channel included.
    n_bins, n_events
        Bins of time, and events that compete in each.
    n_features
        Frame features that embeddings are to tell (auxiliary task of the training); 0: none.
    n_columns
        Columns of measurements that are read.
    """

    def __init__(
        self,
        settings: ClockNetworkSettings,
        n_channels: int,
        n_bins: int,
        n_events: int,
        n_features: int,
        n_columns: int = 0,
    ) -> None:
        super().__init__(settings, n_channels, n_columns)
        self.causal = settings.causal
        size = self.size
        self.shape_ke = (n_bins, n_events)
        self.layers = nn.ModuleList(TransformerLayer(settings) for _ in range(settings.n_layers))
        n_inputs = size * (bool(settings.n_layers) + 3 * len(self.causal.statistics_frames))
        n_inputs += AGE_INPUTS if self.causal.age else 0
        # each input in its own standard deviations: a layer norm would mix brightness with shape
        self.scale = nn.BatchNorm1d(n_inputs, affine=False)
        self.head = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(n_inputs, self.causal.hidden_size),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(self.causal.hidden_size, n_bins * n_events),
        )
        nn.init.constant_(cast(Tensor, self.head[-1].bias), _FIRST_LOG_ODDS)
        self.features = feature_layer(size, n_features)

    def forward(self, frames_nchw: Tensor, positions_n: Tensor, lengths_b: Tensor, ages_na: Tensor) -> Tensor:
        """Log odds (N, K, E) of each event against no event, at every frame; see `read`."""
        return self.read(self.encode(frames_nchw), positions_n, lengths_b, ages_na)

    def read(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor, ages_na: Tensor) -> Tensor:
        """Read hazards at every frame of sequences of embeddings.

        Parameters
        ----------
        embeddings_nd
            What `encode` made of the sequences' frames, packed.
        positions_n
            int64, frame number minus the sequence's first frame number.
        lengths_b
            int64, frames of each sequence; their sum is N.
        ages_na
            float32 (N, `AGE_INPUTS`); not looked at when `age` is off.

        Returns
        -------
        Tensor
            (N, K, E): log odds of each event against no event in each bin, given none before; see `hazards_of`.
        """
        at_n = torch.arange(len(embeddings_nd), device=lengths_b.device)
        return self._read_at(at_n, embeddings_nd, positions_n, lengths_b, ages_na)

    def read_last(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor, ages_na: Tensor) -> Tensor:
        """Read hazards at the last frame of each sequence, (B, K, E): what `read` says there.

        Statistics of the other frames, most of the work of `read`, are left out. Parameters as there.
        """
        return self._read_at(lengths_b.cumsum(dim=0) - 1, embeddings_nd, positions_n, lengths_b, ages_na)

    def summarise(self, embeddings_nd: Tensor, lengths_b: Tensor) -> Tensor:
        """Give mean, change and spread of the embeddings over every window that ends at each frame, packed, (N, I).

        Without windows in the settings: the embeddings themselves.
        """
        embeddings_nd = self.join(embeddings_nd)
        if not self.causal.statistics_frames:
            return embeddings_nd
        at_n = torch.arange(len(embeddings_nd), device=lengths_b.device)
        return torch.cat(self._statistics_at(at_n, embeddings_nd, lengths_b), dim=1)

    def look_back(self, embeddings_td: Tensor, positions_t: Tensor) -> tuple[Tensor, Tensor]:
        """Tell how the last frame of one sequence attends to each of its frames, (T,) each; both sum to 1.

        The statistics, which are read beside attention, are not in it.

        Returns
        -------
        attention_t : Tensor
            Attention of the last layer, mean of its heads.
        rolled_t : Tensor
            Attention rolled out through all layers; see `roll_out_layers`.
        """
        tokens_td = self._tokens(self.join(embeddings_td), positions_t)
        _, passed_tt, attention_tt = roll_out_layers(self.layers, tokens_td, self._seen(len(tokens_td), tokens_td))
        return attention_tt[-1], passed_tt[-1]

    def layers_from_head(self) -> list[tuple[str, list[nn.Module]]]:
        """Name the layers and give their modules, from the head down to the frame encoder.

        The scale of the head's inputs, which is measured and not learnt, goes with the encoder: it fits no other.
        """
        layers = [(f"Transformer layer {n}", [layer]) for n, layer in enumerate(self.layers, start=1)]
        return [("head", [self.head]), *layers[::-1], ("frame encoder", [*self.frame_layers(), self.scale])]

    def _rescale(self, inputs_ni: Tensor) -> Tensor:
        """Scale what the head sees; in training by the batch or, of a frame that is alone in it, as batches before."""
        if self.training and len(inputs_ni) == 1:
            seen = self.scale.running_mean, self.scale.running_var
            return nn.functional.batch_norm(inputs_ni, *seen, eps=self.scale.eps)
        return cast(Tensor, self.scale(inputs_ni))

    def _read_at(
        self, at_r: Tensor, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor, ages_na: Tensor
    ) -> Tensor:
        """Read hazards at some places among the packed frames, (R, K, E)."""
        embeddings_nd = self.join(embeddings_nd)
        inputs = [ages_na[at_r].to(embeddings_nd.dtype)] if self.causal.age else []
        if len(self.layers):
            inputs.append(self._attend(embeddings_nd, positions_n, lengths_b.tolist())[at_r])
        inputs += self._statistics_at(at_r, embeddings_nd, lengths_b)
        scaled_ri = self._rescale(torch.cat(inputs, dim=1)).clamp(-_FARTHEST, _FARTHEST)
        logits: Tensor = self.head(scaled_ri)
        return logits.to(embeddings_nd.dtype).view(-1, *self.shape_ke)

    def _attend(self, embeddings_nd: Tensor, positions_n: Tensor, lengths: list[int]) -> Tensor:
        """Let every frame look back on itself and the `history_frames - 1` frames before it, (N, D)."""
        tokens_nd = self._tokens(embeddings_nd, positions_n)
        seen_tt = self._seen(max(lengths), tokens_nd)
        for layer in self.layers:
            tokens_nd = self.run_stage(layer, tokens_nd, lengths, seen_tt)
        return tokens_nd

    def _tokens(self, embeddings_nd: Tensor, positions_n: Tensor) -> Tensor:
        """Add positions to embeddings, (N, D)."""
        return embeddings_nd + sinusoidal_positions(positions_n, self.size).to(embeddings_nd.dtype)

    def _seen(self, n_frames: int, tokens_nd: Tensor) -> Tensor:
        """Tell which frames (columns) each frame (row) of a sequence sees, (T, T), on the device of the tokens."""
        steps_t = torch.arange(n_frames, device=tokens_nd.device)
        back_tt = steps_t[:, None] - steps_t
        return (back_tt >= 0) & (back_tt < self.causal.history_frames)

    def _statistics_at(self, at_r: Tensor, embeddings_nd: Tensor, lengths_b: Tensor) -> list[Tensor]:
        """Statistics of the windows that end at some places, (R, 3 D) each; before a start stands its first frame."""
        first_r = (lengths_b.cumsum(dim=0) - lengths_b).repeat_interleave(lengths_b)[at_r]
        parts = []
        for n_frames in self.causal.statistics_frames:
            back_w = torch.arange(1 - n_frames, 1, device=at_r.device)
            places_rw = torch.maximum(at_r[:, None] + back_w, first_r[:, None])
            recent_rwd = nn.functional.embedding(places_rw, embeddings_nd)
            parts.append(_statistics(recent_rwd, embeddings_nd[first_r, None]))
        return parts


def hazards_of(logits_nke: Tensor) -> Tensor:
    """Probability of each event in each bin, given none before, (N, K, E): softmax against no event."""
    against = torch.zeros_like(logits_nke[..., :1])
    return torch.cat((against, logits_nke), dim=-1).softmax(dim=-1)[..., 1:]


def log_incidence_of(logits_nke: Tensor) -> Tensor:
    """Log probability that each event has happened by the end of each bin and, last, that none has, (N, K, E + 1).

    The arithmetic of `statistics.incidence.cumulative_incidence` on logarithms, so that gradients pass
    through it and small probabilities keep their digits.
    """
    against = torch.zeros_like(logits_nke[..., :1])
    in_bin_nkf = torch.cat((logits_nke, against), dim=-1).log_softmax(dim=-1)
    none_nk = in_bin_nkf[..., -1].cumsum(dim=1)
    before_nk = torch.cat((torch.zeros_like(none_nk[:, :1]), none_nk[:, :-1]), dim=1)
    happened_nke = (before_nk[..., None] + in_bin_nkf[..., :-1]).logcumsumexp(dim=1)
    return torch.cat((happened_nke, none_nk[..., None]), dim=-1)


def _statistics(recent_rwd: Tensor, first_r1d: Tensor) -> Tensor:
    """Mean, change and spread over windows of frames, (R, 3 D).

    Change is the mean of a window's last frames minus that of its first ones. What is averaged is the way from the
    sequence's first frame: a small spread far from 0 would be lost.
    """
    moved_rwd = recent_rwd - first_r1d
    mean_r1d = moved_rwd.mean(dim=1, keepdim=True)
    spread_rd = ((moved_rwd - mean_r1d).square().mean(dim=1) + _LEAST_VARIANCE).sqrt()
    ends = min(_ENDS, recent_rwd.shape[1] // 2)
    change_rd = moved_rwd[:, -ends:].mean(dim=1) - moved_rwd[:, :ends].mean(dim=1)
    return torch.cat(((mean_r1d + first_r1d)[:, 0], change_rd, spread_rd), dim=-1)
