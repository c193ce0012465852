"""One member of the fate clock, ready to compute.

Axes: t frames of one cell, c channels, h rows, w columns, d embedding, k bins of time, e events, i inputs.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.crops.digest import CellReader
from cellfate.crops.store import CellSequence
from cellfate.prediction.member import FloatArray, Member, fill_network
from cellfate.prediction.records import TrainedModel


class ClockMember(Member):
    """The network of one fold of the fate clock. Made by `load_clock_member`."""

    def read_cell(
        self, sequence: CellSequence, first_tracked: int | None = None
    ) -> tuple[NDArray[np.float64], FloatArray]:
        """Read hazards at every frame of a cell.

        Parameters
        ----------
        sequence
            Crops of the cell, at least one frame.
        first_tracked
            Frame in which its track began, from which its age counts; the sequence's first frame when not given.

        Returns
        -------
        hazards_tke : ndarray of float64
            Probability of each event in each bin, given nothing before.
        inputs_ti : ndarray of float32
            What boosted hazards on embeddings are given: mean, change and spread of the embeddings over each window,
            and age.

        Raises
        ------
        InputError
            If the number of channels or the size of the crops is not the model's.
        """
        import torch

        from cellfate.models.fate_clock import hazards_of

        frames_t = sequence.frame_numbers_t
        began = int(frames_t[0]) if first_tracked is None else first_tracked
        embeddings_td = self.tensor(self.encode(self.prepare(sequence)), np.float32)
        lengths = self.tensor(np.array([len(frames_t)]), np.int64)
        ages_ta = self.tensor(ages_since(began, frames_t, sequence.frame_interval_min), np.float32)
        with self.computing():
            logits_tke = self.network.read(embeddings_td, self.tensor(frames_t - began, np.int64), lengths, ages_ta)
            hazards_tke = hazards_of(logits_tke.double()).cpu().numpy()
            inputs_ti = torch.cat((self.network.summarise(embeddings_td, lengths), ages_ta), dim=1)
        return hazards_tke, inputs_ti.cpu().numpy()


def ages_since(first_tracked: int, frames_t: NDArray[np.int64], frame_interval_min: float) -> FloatArray:
    """Give what the network is told about the age of a cell at some of its frames, (T, 3); see `age_inputs`."""
    return age_inputs(np.concatenate(([first_tracked], frames_t)), frame_interval_min / 60)[1:]


def read_landmarks(
    crops: CellReader, landmarks: pd.DataFrame, member: ClockMember
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Read the network at landmarks; every cell is encoded once.

    Parameters
    ----------
    crops, member
        Crops of the cells, and which network.
    landmarks
        Rows of table `Landmarks`; at least one.

    Returns
    -------
    hazards_nke : ndarray of float64
        Of the network, in the order of the rows.
    inputs : DataFrame
        What boosted hazards on embeddings are given, indexed as `landmarks`.

    Raises
    ------
    InputError
        If a landmark has no crop.
    """
    rows: list[NDArray[np.int64]] = []
    hazards: list[NDArray[np.float64]] = []
    inputs: list[FloatArray] = []
    firsts_n, lasts_n = (landmarks[name].to_numpy(np.int64) for name in ("first_frame", "last_frame"))
    keys = landmarks[CELL].reset_index(drop=True)
    for (recording_id, cell_id), of_cell in keys.groupby(CELL, sort=False):
        at = of_cell.index.to_numpy(np.int64)
        first = int(firsts_n[at].min())
        sequence = crops.read(str(recording_id), int(str(cell_id)), first, int(lasts_n[at].max()))
        places = _places(sequence, lasts_n[at])
        hazards_tke, inputs_ti = member.read_cell(sequence, first)
        rows.append(at)
        hazards.append(hazards_tke[places])
        inputs.append(inputs_ti[places])
    back_n = np.argsort(np.concatenate(rows))
    inputs_ni = np.concatenate(inputs)[back_n]
    columns = [f"input_{i}" for i in range(inputs_ni.shape[1])]
    return np.concatenate(hazards)[back_n], pd.DataFrame(inputs_ni, columns=columns, index=landmarks.index)


def _places(sequence: CellSequence, frames_n: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find frames among those of a cell."""
    if not (found := np.isin(frames_n, sequence.frame_numbers_t)).all():
        raise InputError(
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} has no crop in frame "
            f"{int(frames_n[~found][0])}; run data_processing again, so that crops and tracks belong together."
        )
    return np.searchsorted(sequence.frame_numbers_t, frames_n)


@lru_cache(maxsize=8)
def load_clock_member(model: TrainedModel, fold: int) -> ClockMember:
    """Make the member of one fold of a fate clock ready to compute; the same object is given again for the same fold.

    Raises
    ------
    InputError
        If the model is a classifier, there is no such member, or its weights do not fit the architecture.
    """
    from cellfate.models.fate_clock import FateClock

    config = model.clock_config
    member = config.member(fold)
    n_channels = len(config.channels) + config.architecture.sees_mask
    sizes = n_channels, len(config.follow_up.edges_h) - 1, len(config.events), 0, len(member.columns)
    network = fill_network(lambda: FateClock(config.architecture, *sizes), model, fold)
    return ClockMember(config, member, network)
