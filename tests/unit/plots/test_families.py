"""Families as trees: who stands where, which are chosen, and what is drawn on them."""

import pandas as pd
import pytest

from cellfate.plots.families import choose_families, lay_out, plot_families
from cellfate.plots.theme import is_empty

RECORDINGS = pd.DataFrame({"recording_id": ["r"], "frame_interval_min": [30.0]})


def family(first: int, fates: tuple[str, ...], parents: tuple[int | None, ...]) -> pd.DataFrame:
    """Cells numbered from `first`; a generation lasts 10 frames."""
    ids = range(first, first + len(fates))
    cells = pd.DataFrame({"cell_id": ids, "parent_id": parents, "fate": fates})
    cells["parent_id"] = cells["parent_id"].astype("Int64")
    born = {first: 0}
    for cell, parent in zip(cells["cell_id"], parents, strict=True):
        born[cell] = 0 if parent is None else born[parent] + 10
    cells["first_frame"] = cells["cell_id"].map(born)
    cells["event_frame"] = (cells["first_frame"] + 10).where(cells["fate"] != "censored").astype("Int64")
    return cells.assign(recording_id="r", lineage_id=f"r:{first}", last_frame=cells["first_frame"] + 9)


ONE = family(1, ("mitosis", "apoptosis", "mitosis", "censored", "censored"), (None, 1, 1, 3, 3))
OTHER = family(11, ("mitosis", "mitosis", "mitosis"), (None, 11, 11))
PAIR = family(21, ("mitosis", "apoptosis"), (None, 21))


def forecast(cells: pd.DataFrame) -> pd.DataFrame:
    """Two forecasts a cell."""
    each = pd.concat([cells[["recording_id", "cell_id"]].assign(frame=cells["first_frame"] + n) for n in (3, 5)])
    return each.assign(predictor="boosting", part="test", within_h=5.0, p_apoptosis=0.25, p_mitosis=0.5)


def test_daughters_stand_beside_each_other_and_mothers_between_them():
    laid = lay_out(ONE.assign(frame_interval_min=30.0)).set_index("cell_id")
    assert laid["row"].to_dict() == {2: 0, 4: 1, 5: 2, 3: 1.5, 1: 0.75}
    assert laid.loc[3, ["begin_h", "end_h"]].tolist() == [5.0, 10.0]
    assert laid.loc[4, ["begin_h", "end_h"]].tolist() == [10.0, 14.5]


def test_families_with_most_different_ends_come_first_and_none_without_a_forecast():
    cells = pd.concat([OTHER, ONE, PAIR])
    assert choose_families(cells, forecast(cells)) == [("r", "r:1"), ("r", "r:11")]
    assert choose_families(cells, forecast(OTHER)) == [("r", "r:11")]
    assert choose_families(cells.assign(lineage_id=None), forecast(cells)) == []


def test_death_is_drawn_at_every_forecast_and_each_fate_is_named_once():
    cells = pd.concat([ONE, OTHER])
    figure = plot_families(forecast(cells), cells, RECORDINGS, 5.0)
    forecasts = [trace for trace in figure.data if trace.marker.coloraxis]
    assert [len(trace.x) for trace in forecasts] == [10, 6]
    assert set(forecasts[0].marker.color) == {0.25}
    assert min(forecasts[0].x) == 1.5
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(named) == ["apoptosis", "censored", "mitosis"]
    assert "Apoptosis" in figure.layout.coloraxis.colorbar.title.text
    assert "n = 8 cells of 2 families" in figure.layout.title.text


@pytest.mark.parametrize("cells", [PAIR, ONE.assign(lineage_id=None)])
def test_without_a_tree_there_is_nothing_to_draw(cells):
    assert is_empty(plot_families(forecast(cells), cells, RECORDINGS, 5.0))
