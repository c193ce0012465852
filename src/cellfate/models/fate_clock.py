"""The network of the fate clock: frames to embeddings, embeddings over time to cause-specific hazards at every frame.

Shape suffixes: n packed real frames, c channels, h rows, w columns, b sequences, t padded time, d embedding, a inputs
about age, k bins of time, e events, f frame features.

Nothing at a frame depends on a later one: attention is banded (a frame sees itself and the frames before it, up to
`history_frames`), and statistics are of windows that end at the frame.
"""

from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.frame_encoders import FrameNetwork, feature_layer
from cellfate.models.settings import ClockNetworkSettings
from cellfate.models.temporal import pad_sequences, roll_out_layers, sinusoidal_positions, transformer_layer

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
        self.layers = nn.ModuleList(transformer_layer(settings) for _ in range(settings.n_layers))
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
        embeddings_nd = self.join(embeddings_nd)
        real_bt, embeddings_btd = pad_sequences(embeddings_nd, lengths_b)
        inputs = [ages_na.to(embeddings_nd.dtype)] if self.causal.age else []
        if len(self.layers):
            inputs.append(self._attend(embeddings_btd, pad_sequences(positions_n, lengths_b)[1])[real_bt])
        inputs += [_statistics(embeddings_btd, frames)[real_bt] for frames in self.causal.statistics_frames]
        scaled_ni = self._rescale(torch.cat(inputs, dim=1)).clamp(-_FARTHEST, _FARTHEST)
        logits: Tensor = self.head(scaled_ni)
        return logits.view(-1, *self.shape_ke)

    def read_last(self, embeddings_nd: Tensor, positions_n: Tensor, lengths_b: Tensor, ages_na: Tensor) -> Tensor:
        """Read hazards at the last frame of each sequence, (B, K, E): what `read` says there.

        Statistics of the other frames, most of the work of `read`, are left out. Parameters as there.
        """
        _, embeddings_btd = pad_sequences(embeddings_nd, lengths_b)
        inputs = [ages_na[lengths_b.cumsum(dim=0) - 1].to(embeddings_nd.dtype)] if self.causal.age else []
        sequences_b, last_b = torch.arange(len(lengths_b), device=lengths_b.device), lengths_b - 1
        if len(self.layers):
            tokens_btd = self._attend(embeddings_btd, pad_sequences(positions_n, lengths_b)[1])
            inputs.append(tokens_btd[sequences_b, last_b])
        for n_frames in self.causal.statistics_frames:
            back_w = torch.arange(1 - n_frames, 1, device=lengths_b.device)
            recent_bwd = embeddings_btd[sequences_b[:, None], (last_b[:, None] + back_w).clamp(min=0)]
            inputs.append(_last_statistics(recent_bwd, embeddings_btd[:, :1]))
        scaled_bi = self._rescale(torch.cat(inputs, dim=1)).clamp(-_FARTHEST, _FARTHEST)
        logits: Tensor = self.head(scaled_bi)
        return logits.view(-1, *self.shape_ke)

    def summarise(self, embeddings_nd: Tensor, lengths_b: Tensor) -> Tensor:
        """Give mean, change and spread of the embeddings over every window that ends at each frame, packed, (N, I).

        Without windows in the settings: the embeddings themselves.
        """
        embeddings_nd = self.join(embeddings_nd)
        if not self.causal.statistics_frames:
            return embeddings_nd
        real_bt, embeddings_btd = pad_sequences(embeddings_nd, lengths_b)
        parts = [_statistics(embeddings_btd, frames)[real_bt] for frames in self.causal.statistics_frames]
        return torch.cat(parts, dim=1)

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
        tokens_btd, hidden_tt = self._tokens(self.join(embeddings_td)[None], positions_t[None])
        _, passed_btt, attention_btt = roll_out_layers(self.layers, tokens_btd, hidden_ss=hidden_tt)
        return attention_btt[0, -1], passed_btt[0, -1]

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

    def _attend(self, embeddings_btd: Tensor, positions_bt: Tensor) -> Tensor:
        """Let every frame look back on itself and the `history_frames - 1` frames before it."""
        tokens_btd, hidden_tt = self._tokens(embeddings_btd, positions_bt)
        for layer in self.layers:
            tokens_btd = layer(tokens_btd, src_mask=hidden_tt)
        return tokens_btd

    def _tokens(self, embeddings_btd: Tensor, positions_bt: Tensor) -> tuple[Tensor, Tensor]:
        """Add positions to embeddings, and say which frames (columns) each frame (row) does not see, (T, T)."""
        tokens_btd = embeddings_btd + sinusoidal_positions(positions_bt, self.size).to(embeddings_btd.dtype)
        steps_t = torch.arange(tokens_btd.shape[1], device=tokens_btd.device)
        back_tt = steps_t[:, None] - steps_t
        return tokens_btd, (back_tt < 0) | (back_tt >= self.causal.history_frames)


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


def _statistics(embeddings_btd: Tensor, n_frames: int) -> Tensor:
    """Mean, change and spread over the window of `n_frames` that ends at each frame, (B, T, 3 D).

    Before a sequence's start its first frame stands. Change is the mean of the window's last frames minus that of its
    first ones.
    """
    first_b1d = embeddings_btd[:, :1]
    moved_bdt = (embeddings_btd - first_b1d).transpose(1, 2)
    moved_bdt = nn.functional.pad(moved_bdt, (n_frames - 1, 0))
    mean_bdt = nn.functional.avg_pool1d(moved_bdt, n_frames, stride=1)
    # mean of squares less square of mean would lose a small spread far from the first frame
    variance_bdt = (moved_bdt.unfold(-1, n_frames, 1) - mean_bdt[..., None]).square().mean(dim=-1)
    ends = min(_ENDS, n_frames // 2)
    ends_bdt = nn.functional.avg_pool1d(moved_bdt, ends, stride=1)
    n_steps = embeddings_btd.shape[1]
    change_bdt = ends_bdt[..., n_frames - ends :] - ends_bdt[..., :n_steps]
    spread_bdt = (variance_bdt + _LEAST_VARIANCE).sqrt()
    mean_btd = mean_bdt.transpose(1, 2) + first_b1d
    return torch.cat((mean_btd, change_bdt.transpose(1, 2), spread_bdt.transpose(1, 2)), dim=-1)


def _last_statistics(recent_bwd: Tensor, first_b1d: Tensor) -> Tensor:
    """Mean, change and spread over one window, (B, 3 D), as `_statistics` gives them at a sequence's last frame."""
    moved_bwd = recent_bwd - first_b1d
    mean_b1d = moved_bwd.mean(dim=1, keepdim=True)
    spread_bd = ((moved_bwd - mean_b1d).square().mean(dim=1) + _LEAST_VARIANCE).sqrt()
    ends = min(_ENDS, recent_bwd.shape[1] // 2)
    change_bd = moved_bwd[:, -ends:].mean(dim=1) - moved_bwd[:, :ends].mean(dim=1)
    return torch.cat(((mean_b1d + first_b1d)[:, 0], change_bd, spread_bd), dim=-1)
