"""The data the fate clock is trained on in one fold: whole follow-ups, what was seen after each frame, and features.

Array suffixes: n packed frames of a batch, t frames of one cell, k bins of time, a inputs about age, f features.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.cohort.follow_ups import label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.crops.store import CropStore
from cellfate.features.summaries import feature_columns
from cellfate.models.settings import ModelSettings
from cellfate.training.batches import Batch, BatchMaker, SequenceReader
from cellfate.training.fold_data import fold_preprocessing
from cellfate.training.sampling import Unit, plan_all, unit_lengths
from cellfate.training.settings import ClockTrainingSettings

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

POOL_FRAMES = 4096
"""Crops that are shuffled together in the pretraining; bounds memory."""
N_VIEWS = 4
"""Views of every training crop that are embedded when the encoder no longer learns."""
_NOTHING: FloatArray = np.zeros((0, 0), np.float32)
_PRETRAINING, _VIEWS = 1_000_000_007, 1_000_000_009  # set their random numbers apart from those of an epoch's batches
FARTHEST_FEATURE = 5.0
"""Standardised features are clipped to this, so that a few odd masks do not rule the loss."""
_SAME = 1e-9
"""A feature that varies by less than this share of its mean is the same everywhere, but for rounding."""


@dataclass(frozen=True, eq=False)
class ClockPart:
    """Follow-ups of one part of a fold; lists hold one array a follow-up, one row a tracked frame.

    Attributes
    ----------
    follow_ups : DataFrame
        Table `FollowUps`.
    labels : list of ndarray of int64, shape (T, K)
        What was seen in each bin after each frame; see `statistics.incidence.label_bins`.
    ages : list of ndarray of float32, shape (T, A)
        Inputs about age.
    features : list of ndarray of float32, shape (T, F)
        Standardised handcrafted features, NaN where not measured; F is 0 without the auxiliary task.
    positions : list of ndarray of int64, shape (T,)
        Frame number minus the cell's first.
    maker : BatchMaker
        Makes batches of the crops.
    views : list of list of ndarray of float32, shape (T, D)
        Embeddings by an encoder that no longer learns, each view of other mirrored and turned crops; empty: batches
        hold crops.
    """

    follow_ups: pd.DataFrame
    labels: Sequence[IntArray]
    ages: Sequence[FloatArray]
    features: Sequence[FloatArray]
    positions: Sequence[IntArray]
    maker: BatchMaker
    views: Sequence[Sequence[FloatArray]] = ()


@dataclass(frozen=True, eq=False)
class ClockBatch(Batch):
    """A batch with what is known of every frame; it holds either crops or embeddings of them, the other is empty.

    Attributes
    ----------
    embeddings_nd : ndarray of float32
        Embeddings of the frames by an encoder that no longer learns.
    labels_nk : ndarray of int64
        What was seen in each bin after each frame.
    ages_na : ndarray of float32
        Inputs about age.
    features_nf : ndarray of float32
        Standardised handcrafted features, NaN where not measured.
    """

    embeddings_nd: FloatArray
    labels_nk: IntArray
    ages_na: FloatArray
    features_nf: FloatArray


@dataclass(frozen=True, eq=False)
class CropDraw:
    """Crops of a step of the pretraining.

    Attributes
    ----------
    done : float
        Share of the pass that is over.
    frames_nchw : ndarray of float32
        Prepared, augmented crops: those drawn, then, for the time arrow, later ones of the same cells.
    features_nf : ndarray of float32
        Standardised handcrafted features of those drawn.
    pairs_p2 : ndarray of int64
        Places in `frames_nchw` of an earlier and a later frame of one cell; no row without the time arrow.
    """

    done: float
    frames_nchw: FloatArray
    features_nf: FloatArray
    pairs_p2: IntArray


@dataclass(frozen=True, eq=False)
class ClockData:
    """What one member of the fate clock is trained and validated on.

    Attributes
    ----------
    fold : int
        Number of the fold.
    train, validation : ClockPart
        Follow-ups.
    settings : ClockTrainingSettings
        Batch sizes and seed.
    """

    fold: int
    train: ClockPart
    validation: ClockPart
    settings: ClockTrainingSettings

    @property
    def n_features(self) -> int:
        """Handcrafted features of the auxiliary task; 0 without it."""
        return int(self.train.features[0].shape[1])

    def training_plan(self, epoch: int) -> list[list[Unit]]:
        """Cells of each batch of an epoch: all of them once, in random order and company."""
        rng = np.random.default_rng([self.settings.seed, self.fold, epoch])
        units = _units(self.train.follow_ups)
        lengths_n = unit_lengths(self.train.follow_ups, units)
        return [
            [units[i] for i in batch] for batch in mixed_batches(lengths_n, self.settings.max_frames_per_batch, rng)
        ]

    def training_batch(self, units: list[Unit], epoch: int, place: int) -> ClockBatch:
        """Make the batch at a place of an epoch; the same arguments give the same batch."""
        return _batch(self.train, units, np.random.default_rng([self.settings.seed, self.fold, epoch, place]))

    def with_views(self, encode: Callable[[FloatArray], FloatArray]) -> "ClockData":
        """Embed all crops once, for an encoder that no longer learns: training crops in several views.

        Parameters
        ----------
        encode
            From prepared crops (N, C, H, W) to embeddings (N, D).

        Returns
        -------
        ClockData
            Whose batches hold embeddings.
        """
        train = [_embed(self.train, encode, [self.settings.seed, self.fold, view, _VIEWS]) for view in range(N_VIEWS)]
        validation = [_embed(self.validation, encode, [0])]
        return replace(
            self, train=replace(self.train, views=train), validation=replace(self.validation, views=validation)
        )

    def draw_crops(self, epoch: int) -> Iterator["CropDraw"]:
        """Draw all training crops once, in random order, for the pretraining of the encoder.

        Crops are shuffled within pools of whole cells, so that memory is bounded whatever the number of cells.
        """
        rng = np.random.default_rng([self.settings.seed, self.fold, epoch, _PRETRAINING])
        units = _units(self.train.follow_ups)
        pools = mixed_batches(unit_lengths(self.train.follow_ups, units), POOL_FRAMES, rng)
        for number, pool in enumerate(pools):
            batch = _batch(self.train, [units[i] for i in pool], rng)
            order = rng.permutation(len(batch.frames_nchw))
            size = self.settings.pretraining_frames
            for start in range(0, len(order), size):
                done = (number + start / len(order)) / len(pools)
                yield _draw(batch, order[start : start + size], done, self.settings)

    def validation_plan(self) -> list[list[Unit]]:
        """Cells of each validation batch, every one once."""
        return plan_all(self.validation.follow_ups, self.settings.max_frames_per_batch)

    def validation_batch(self, units: list[Unit]) -> ClockBatch:
        """Make a validation batch; nothing in it is random."""
        return _batch(self.validation, units, np.random.default_rng(0))


def open_clock_fold(
    fold: int,
    crops: CropStore,
    reader: SequenceReader,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    model: ModelSettings,
    training: ClockTrainingSettings,
) -> ClockData:
    """Bring together what one fold of the fate clock is trained on.

    Parameters
    ----------
    fold
        Number of the fold.
    crops, reader
        Crop store, and source of pixels.
    follow_ups, splits, normalisation, frame_features
        Tables of all folds.
    follow_up, model, training
        Settings.

    Returns
    -------
    ClockData

    Raises
    ------
    InputError
        If the fold lacks training or validation cells, or an event in training.
    """
    preprocessing = fold_preprocessing(normalisation, fold, crops.channels, model)
    chosen = {part: _choose(fold, part, follow_ups, splits, training) for part in ("train", "validation")}
    _check_events(fold, chosen["train"], follow_up)
    features = _standardise(frame_features, chosen["train"]) if training.learns_features else None
    parts = {}
    for name, rows in chosen.items():
        first_n, last_n = (rows[column].to_numpy(np.int64) for column in ("first_frame", "last_frame"))
        maker = BatchMaker(reader, first_n, last_n, preprocessing, whole_track=False)
        known = [_know(row, shown_frames(crops, row), follow_up, features) for _, row in rows.iterrows()]
        labels, ages, told, positions = zip(*known, strict=True)
        parts[name] = ClockPart(rows, labels, ages, told, positions, maker)
    train = parts["train"]
    augmented = replace(train, maker=replace(train.maker, augmentation=training.augmentation))
    return ClockData(fold, augmented, parts["validation"], training)


def shown_frames(crops: CropStore, follow_up_row: "pd.Series[Any]") -> IntArray:
    """Tracked frames of a follow-up that are shown, ascending."""
    frames = crops.frame_numbers(str(follow_up_row["recording_id"]), int(follow_up_row["cell_id"]))
    shown = (frames >= int(follow_up_row["first_frame"])) & (frames <= int(follow_up_row["last_frame"]))
    return frames[shown]


def mixed_batches(lengths_n: IntArray, max_frames: int, rng: np.random.Generator) -> list[IntArray]:
    """Part cells into batches of at most `max_frames` frames, in random order and company; a longer one stands alone.

    Unlike length buckets, this puts cells of all ages into a batch: hazards differ with age, and padding costs little
    here, because only embeddings are padded.
    """
    batches: list[IntArray] = []
    held: list[int] = []
    filled = 0
    for place in rng.permutation(len(lengths_n)):
        if held and filled + lengths_n[place] > max_frames:
            batches.append(np.array(held))
            held, filled = [], 0
        held.append(int(place))
        filled += int(lengths_n[place])
    return [*batches, np.array(held)]


def _know(
    row: "pd.Series[Any]", frames_t: IntArray, follow_up: FollowUpSettings, features: pd.DataFrame | None
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Labels (T, K), ages (T, A), features (T, F) and positions (T,) of the frames of one follow-up."""
    hours_a_frame = float(row["frame_interval_min"]) / 60
    ahead = pd.DataFrame({"time_h": (int(row["end_frame"]) - frames_t) * hours_a_frame, "fate": row["fate"]})
    labels_tk = label_landmarks(ahead, follow_up)
    ages_ta = age_inputs(frames_t, hours_a_frame)
    if features is None:
        features_tf = np.zeros((len(frames_t), 0), np.float32)
    else:
        of_cell = features.loc[(row["recording_id"], row["cell_id"])]
        features_tf = of_cell.reindex(frames_t).to_numpy(np.float32)
    return labels_tk, ages_ta, features_tf, frames_t - frames_t[0]


def _choose(
    fold: int, part: str, follow_ups: pd.DataFrame, splits: pd.DataFrame, training: ClockTrainingSettings
) -> pd.DataFrame:
    members = splits.loc[(splits["fold"] == fold) & (splits["part"] == part), "sample_id"]
    chosen = follow_ups[follow_ups["sample_id"].isin(members)]
    if training.train_on == "decided" and part == "train":
        chosen = chosen[chosen["event_frame"].notna()]
    if chosen.empty:
        raise InputError(f"Fold {fold} has no {part} cells; give more cells or change the shares of the split.")
    return chosen.reset_index(drop=True)


def _check_events(fold: int, train: pd.DataFrame, follow_up: FollowUpSettings) -> None:
    for event in follow_up.events:
        if not (train["fate"] == event).any():
            message = (
                f"None of the {len(train)} training cells of fold {fold} ends in {event}; list only events that occur "
                "in follow_up.events, give more recordings, or change the split."
            )
            raise InputError(message)


def _standardise(frame_features: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Features in standard deviations of the training cells, indexed by recording, cell and frame."""
    keys = ["recording_id", "cell_id"]
    names = feature_columns(frame_features)
    in_training = frame_features.merge(train[keys], on=keys)[names]
    mean, sd = in_training.mean(), in_training.std(ddof=0)
    kept = [name for name in names if sd[name] > _SAME * abs(mean[name])]
    scaled = (frame_features[kept] - mean[kept]) / sd[kept]
    clipped = scaled.clip(-FARTHEST_FEATURE, FARTHEST_FEATURE)
    return clipped.set_index(pd.MultiIndex.from_frame(frame_features[[*keys, "frame"]])).sort_index()


def _units(follow_ups: pd.DataFrame) -> list[Unit]:
    cells = zip(follow_ups["recording_id"], follow_ups["cell_id"], strict=True)
    return [Unit(str(recording_id), int(cell_id), (row,)) for row, (recording_id, cell_id) in enumerate(cells)]


def _draw(batch: ClockBatch, drawn_n: IntArray, done: float, settings: ClockTrainingSettings) -> CropDraw:
    """Take the crops drawn and, for the time arrow, later frames of the same cells where there are such."""
    features_nf = batch.features_nf[drawn_n]
    if settings.time_arrow_weight == 0:
        return CropDraw(done, batch.frames_nchw[drawn_n], features_nf, np.zeros((0, 2), np.int64))
    cells_m = np.repeat(np.arange(len(batch.lengths_b)), batch.lengths_b)
    later_n = np.minimum(drawn_n + settings.time_arrow_frames, len(cells_m) - 1)
    gap_n = batch.positions_m[later_n] - batch.positions_m[drawn_n]
    paired_n = (cells_m[later_n] == cells_m[drawn_n]) & (gap_n == settings.time_arrow_frames)
    pairs_p2 = np.stack((np.flatnonzero(paired_n), len(drawn_n) + np.arange(paired_n.sum())), axis=1)
    frames_nchw = batch.frames_nchw[np.concatenate((drawn_n, later_n[paired_n]))]
    return CropDraw(done, frames_nchw, features_nf, pairs_p2)


def _batch(part: ClockPart, units: list[Unit], rng: np.random.Generator) -> ClockBatch:
    packed, embeddings_nd = (
        _pack_embeddings(part, units, rng) if part.views else (part.maker.make(units, rng), _NOTHING)
    )
    known = (np.concatenate([held[row] for row in packed.rows_b]) for held in (part.labels, part.ages, part.features))
    labels_nk, ages_na, features_nf = known
    return ClockBatch(
        **vars(packed), embeddings_nd=embeddings_nd, labels_nk=labels_nk, ages_na=ages_na, features_nf=features_nf
    )


def _pack_embeddings(part: ClockPart, units: list[Unit], rng: np.random.Generator) -> tuple[Batch, FloatArray]:
    """Pack, for every cell, one of the views of its embeddings; no crop is read."""
    rows_b = np.array([row for unit in units for row in unit.rows], dtype=np.int64)
    chosen = [part.views[int(rng.integers(len(part.views)))][row] for row in rows_b]
    positions_m = np.concatenate([part.positions[row] for row in rows_b])
    lengths_b = np.array([len(embeddings_td) for embeddings_td in chosen], dtype=np.int64)
    no_frames = np.zeros((0, 1, 1, 1), np.float32)
    return Batch(no_frames, np.arange(len(positions_m)), positions_m, lengths_b, rows_b), np.concatenate(chosen)


def _embed(part: ClockPart, encode: Callable[[FloatArray], FloatArray], seed: list[int]) -> list[FloatArray]:
    """Embed the crops of every follow-up, mirrored and turned at random where the part is augmented."""
    rng = np.random.default_rng(seed)
    return [encode(part.maker.make([unit], rng).frames_nchw) for unit in _units(part.follow_ups)]
