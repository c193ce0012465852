"""The order in which cells come to be scored, as keys of the page."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.fates import UNSCORED
from cellfate.labels.journal import Journal
from cellfate.labels.queues import order_cells
from cellfate.labels.table import labels_table
from cellfate.review.study import Study

_FORECASTS: Final = {"uncertain": "unscored_forecasts", "disagreement": "forecasts"}
"""What an order by forecasts is of."""


def order_keys(study: Study, journal: Journal, queue: str, scorer: str, *, blind: bool) -> list[int]:
    """Order the cells of a study.

    Parameters
    ----------
    study, journal
        The study, and what was scored of it.
    queue
        As `labels.queues.order_cells` names them. By lot and by recording all cells are listed, scored ones too, so
        that a person can go back; the others leave out what the scorer has done.
    scorer
        Who scores.
    blind
        Deal without regard to recorded fates: else cells whose event is known come last, and their place tells it.

    Raises
    ------
    InputError
        If there is no such order, it needs forecasts and there are none, or the journal is damaged.
    """
    read = {name: study.source.find(name) for name in (_FORECASTS.get(queue), "set_thresholds", "splits") if name}
    tables = {name: pd.read_parquet(path) for name, path in read.items() if path is not None}
    cells = study.labelled_cells if queue == "disagreement" else study.cells
    ordered = order_cells(
        queue,
        cells.assign(fate=UNSCORED) if blind else cells,
        labels_table(journal.read()),
        scorer=scorer if queue in _FORECASTS else "",
        forecasts=tables.get(_FORECASTS.get(queue, "")),
        set_thresholds=tables.get("set_thresholds"),
        splits=tables.get("splits"),
    )
    if not ordered:
        return []
    names, numbers = zip(*ordered, strict=True)
    return [int(key) for key in study.index.find(list(names), np.array(numbers))]
