"""One member of the fate clock, ready to compute: NumPy arrays in, NumPy arrays out.

Axes: t frames of one cell, c channels, h rows, w columns, d embedding, k bins of time, e events, i inputs.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence
from cellfate.features.measurements import find_masks
from cellfate.models.boosted_hazards import BoostedHazards
from cellfate.models.settings import shows_mask
from cellfate.prediction.fold_model import ENCODER_FRAMES, check_crops
from cellfate.prediction.records import ClockConfig, MemberConfig, TrainedClock

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CellReading:
    """What a member reads at the frames of one cell.

    Attributes
    ----------
    hazards_tke : ndarray of float64
        Probability of each event in each bin, given nothing before.
    inputs_ti : ndarray of float32
        What boosted hazards on embeddings are given: mean, change and spread of the embeddings over each window, and
        age.
    """

    hazards_tke: NDArray[np.float64]
    inputs_ti: FloatArray


class ClockMember:
    """The network of one fold with its preprocessing and boosters. Made by `load_clock_member`; it never changes.

    Parameters
    ----------
    config
        Description of the whole model.
    member
        Description of the member.
    network
        A `FateClock` in evaluation mode.
    boosters
        Boosted hazards by the part of the ensemble.
    """

    def __init__(
        self, config: ClockConfig, member: MemberConfig, network: Any, boosters: dict[str, BoostedHazards]
    ) -> None:
        self.config = config
        self.member = member
        self.boosters = boosters
        self.network = network

    def with_network(self, network: Any) -> "ClockMember":
        """Give the same member with another network."""
        return ClockMember(self.config, self.member, network, self.boosters)

    def read_cell(self, sequence: CellSequence) -> CellReading:
        """Read hazards at every frame of a cell; the sequence begins with the cell's first tracked frame.

        Parameters
        ----------
        sequence
            Crops of the cell, at least one frame.

        Returns
        -------
        CellReading

        Raises
        ------
        InputError
            If the number of channels or the size of the crops is not the model's.
        """
        import torch

        from cellfate.models.fate_clock import hazards_of

        frames_t = sequence.frame_numbers_t
        embeddings_td = self._encode(self.prepare(sequence))
        hours_a_frame = sequence.frame_interval_min / 60
        device = embeddings_td.device
        positions_t = torch.from_numpy(frames_t - frames_t[0]).to(device)
        lengths = torch.tensor([len(frames_t)], device=device)
        ages_ta = torch.from_numpy(age_inputs(frames_t, hours_a_frame)).to(device)
        with torch.inference_mode():
            logits_tke = self.network.read(embeddings_td, positions_t, lengths, ages_ta)
            hazards_tke = hazards_of(logits_tke.double()).cpu().numpy()
            inputs_ti = torch.cat((self.network.summarise(embeddings_td, lengths), ages_ta), dim=1)
        return CellReading(hazards_tke, inputs_ti.cpu().numpy())

    def prepare(self, sequence: CellSequence) -> FloatArray:
        """Prepare the frames of a cell as in training.

        Returns
        -------
        ndarray of float32, shape (T, C, H, W)
            0 is the level of the background (or the mean of the training cells) and lies outside the image. A mask
            that the network sees is the last channel, 0 outside the cell.

        Raises
        ------
        InputError
            If the number of channels or the size of the crops is not the model's.
        """
        check_crops(self.config, sequence)
        masked = shows_mask(self.config.architecture)
        if masked:
            found_thw = find_masks(sequence, self.config.channels, self.config.features)
            sequence = replace(sequence, masks_thw=found_thw)
        mean_c, sd_c = np.asarray(self.member.mean), np.asarray(self.member.sd)
        return Preprocessing(mean_c, sd_c, self.config.architecture.intensity, masked).prepare(sequence)

    def encode(self, frames_tchw: FloatArray) -> FloatArray:
        """Embed prepared frames, each by itself, (T, D)."""
        embeddings_td: FloatArray = self._encode(frames_tchw).cpu().numpy()
        return embeddings_td

    def _encode(self, frames_tchw: FloatArray) -> Any:
        """Embed prepared frames, as a tensor (T, D)."""
        import torch

        device = next(self.network.parameters()).device
        with torch.inference_mode():
            parts = [
                self.network.encode(torch.from_numpy(frames_tchw[start : start + ENCODER_FRAMES]).to(device))
                for start in range(0, len(frames_tchw), ENCODER_FRAMES)
            ]
            return torch.cat(parts)


@lru_cache(maxsize=8)
def load_clock_member(model: TrainedClock, fold: int) -> ClockMember:
    """Build the network and the boosters of one fold, the network on the GPU when there is one.

    Parameters
    ----------
    model
        The trained fate clock.
    fold
        Fold of the member.

    Returns
    -------
    ClockMember
        Ready to compute; the same object is given again for the same model and fold.

    Raises
    ------
    InputError
        If there is no such member, or its weights do not fit the architecture.
    """
    import torch

    from cellfate.models.fate_clock import FateClock
    from cellfate.prediction.fold_model import fill_network

    config = model.config
    member = config.member(fold)
    n_bins, n_channels = len(config.follow_up.edges_h) - 1, len(config.channels) + shows_mask(config.architecture)
    with torch.device("meta"):
        network = FateClock(config.architecture, n_channels, n_bins, len(config.follow_up.events), n_features=0)
    boosters = {part: BoostedHazards.from_text(text) for part, text in model.member_boosters(fold).items()}
    return ClockMember(config, member, fill_network(network, model.member_weights(fold), fold), boosters)
