"""What a model has seen: the cells that trained it or chose its epochs, known again by their pixels and tracks."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.core.words import READINGS
from cellfate.crops.digest import CellReader, digest_cells, digest_data
from cellfate.crops.store import CropStore
from cellfate.prediction.records import ClassifierConfig, TrainedModel

logger = logging.getLogger(__name__)


def select_seen(table: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of cells or landmarks whose cell trains or validates in some fold; order and index stay."""
    seen = pd.MultiIndex.from_frame(splits.loc[splits["part"] != "test", CELL])
    return table[pd.MultiIndex.from_frame(table[CELL]).isin(seen)]


def digest_seen(crops: CellReader, asked: pd.DataFrame, splits: pd.DataFrame) -> frozenset[str]:
    """Digest the cells that a training sees, for `TrainedModel.trained_on`.

    `asked` is what it was given: table `FollowUps`, or rows of table `Landmarks`; `splits` is table `Splits`.
    """
    return frozenset(digest_cells(crops, select_seen(asked, splits).drop_duplicates(CELL)))


def find_seen(model: TrainedModel, crops: CellReader | None, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Say of each cell whether it trained the model, whatever it is called now; warn once if some did.

    Parameters
    ----------
    model, crops
        The model, and crops of the cells; None where there are no images.
    follow_ups
        Table `FollowUps`.

    Returns
    -------
    DataFrame
        recording_id, cell_id, seen_in_training.
    """
    seen_n = digest_cells(crops, follow_ups).isin(model.trained_on).to_numpy(bool)
    if seen_n.any():
        logger.warning(
            "The %s was trained on %d of these %d cells: forecasts of them look better than those of new cells, and "
            "are marked seen_in_training",
            *(READINGS[model.config.kind].lower(), seen_n.sum(), len(seen_n)),
        )
    return follow_ups[CELL].assign(seen_in_training=seen_n)


def leave_out_seen(
    scored: pd.DataFrame, models: Sequence[TrainedModel], crops: CellReader | None, follow_ups: pd.DataFrame
) -> pd.DataFrame:
    """Leave out cells that trained one of the models, whatever they are called now, since they would score too well.

    Parameters
    ----------
    scored
        Any table with recording_id and cell_id.
    models, crops, follow_ups
        The models; crops and table `FollowUps` of these cells, as of `find_seen`.

    Returns
    -------
    DataFrame
        The other rows. How many cells are left out is logged.
    """
    digests = digest_cells(crops, follow_ups)
    seen = follow_ups.loc[np.any([digests.isin(model.trained_on) for model in models], axis=0), CELL]
    kept = scored[~pd.MultiIndex.from_frame(scored[CELL]).isin(pd.MultiIndex.from_frame(seen))]
    if len(kept) < len(scored):
        n_seen = len(scored) - len(kept)
        logger.warning("%d of %d followed cells are not scored: a model was trained on them", n_seen, len(scored))
    return kept.reset_index(drop=True)


def check_trained_on(model: TrainedModel, crops: CropStore | None, asked: pd.DataFrame, *tables: pd.DataFrame) -> None:
    """Refuse to test a model on data other than those it was trained with: its test cells may have trained it.

    Parameters
    ----------
    model, crops
        The model, and the crop store; None where it reads no images.
    asked, *tables
        Classifier: tables `Landmarks` and `Splits`. Fate clock: `FollowUps`, `Splits` and `FrameFeatures`.

    Raises
    ------
    InputError
        If the digest of the data is not the one in the model's config.
    """
    config = model.config
    taught = asked[asks_which_fate(asked)] if isinstance(config, ClassifierConfig) else asked
    expected, found = config.data_digest, digest_data(crops, taught, *tables)
    if found != expected:
        raise InputError(
            f"The model was trained with other crops, cells, splits or features (digest {expected[:12]}) than "
            f"those it is to be tested on (digest {found[:12]}), so it may have seen the test cells; run its training "
            "again, or use inference to score recordings it has not seen."
        )
