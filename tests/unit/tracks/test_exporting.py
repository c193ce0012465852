"""Forecasts beside the tracks, and what becomes of them in GEFF and CSV."""

from pathlib import Path

import geff
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.tracks.exporting import join_forecasts
from cellfate.tracks.geff_tables import write_geff
from tests.cases.track_formats import (
    FAMILY,
    FORMATS,
    RECORDING,
    found_cells,
    found_detections,
    gather,
    write_csv,
)

COLUMNS = ["recording_id", "cell_id", "frame", "call", "p_apoptosis", "p_mitosis", "p_none"]
WHICH = pd.DataFrame(
    [("01", 1, 2, "mitosis", 0.1, 0.9, 0.0), ("01", 3, 5, "apoptosis", 0.8, 0.2, 0.0)], columns=COLUMNS
).assign(within_h=np.nan)
WITHIN = pd.DataFrame(
    [
        ("01", 4, 5, "apoptosis", 0.6, 0.3, 0.1),
        ("01", 4, 3, "none", 0.1, 0.3, 0.6),
        ("01", 2, 5, "mitosis", 0.2, 0.8, 0.0),
    ],
    columns=COLUMNS,
).assign(within_h=6.0, expected_h=[3.0, 5.0, 2.0])


@pytest.fixture
def family(tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    write_csv(tmp_path, FAMILY)
    detections, cells, _ = gather(tmp_path, format="csv", **FORMATS[-1].settings)
    return detections, cells


def test_which_fate_comes_stands_on_all_rows_of_the_cell(family: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = join_forecasts(*family, WHICH)
    assert len(table) == sum(len(cell.centres) for cell in FAMILY)
    calls = table.groupby("cell_id")["fate_call"].agg(lambda column: list(column.fillna("-").unique()))
    assert calls.tolist() == [["mitosis"], ["-"], ["apoptosis"], ["-"]]
    assert table.loc[table["cell_id"] == 3, "fate_p_apoptosis"].tolist() == [0.8] * 3
    assert table.loc[table["cell_id"] == 3, "fate"].tolist() == ["apoptosis"] * 3
    assert table[["within_h", "call", "p_mitosis", "forecast_frame"]].isna().all(axis=None)
    assert "fate_p_none" not in table


def test_both_questions_stand_side_by_side(family: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    both, one, other = (join_forecasts(*family, rows) for rows in (pd.concat([WITHIN, WHICH]), WITHIN, WHICH))
    of_cell = [name for name in both if name.startswith("fate_")]
    pd.testing.assert_frame_equal(both[of_cell], other[of_cell])
    pd.testing.assert_frame_equal(both.drop(columns=of_cell), one.drop(columns=of_cell))


def test_a_row_has_what_was_known_at_its_frame(family: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = join_forecasts(*family, WITHIN)
    lone = table[table["cell_id"] == 4]
    assert lone["frame"].tolist() == [2, 3, 4, 5, 6, 7]
    assert lone["p_apoptosis"].fillna(-1).tolist() == [-1, 0.1, 0.1, 0.6, 0.6, 0.6]
    assert lone["p_none"].fillna(-1).tolist() == [-1, 0.6, 0.6, 0.1, 0.1, 0.1]
    assert lone["expected_h"].fillna(-1).tolist() == [-1, 5, 5, 3, 3, 3]
    assert lone["call"].fillna("-").tolist() == ["-", "none", "none", *["apoptosis"] * 3]
    assert lone["forecast_frame"].fillna(-1).tolist() == [-1, 3, 3, 5, 5, 5]
    gapped = table[table["cell_id"] == 2]  # frame 5 was not seen: its forecast stands from frame 6 on
    assert gapped["p_mitosis"].fillna(-1).tolist() == [-1, 0.8, 0.8]
    assert set(table["within_h"]) == {6}


@pytest.mark.parametrize("forecasts", [WHICH, WITHIN], ids=["which_fate", "within_hours"])
def test_without_a_forecast_the_tracks_stand_alone(
    family: tuple[pd.DataFrame, pd.DataFrame], forecasts: pd.DataFrame
) -> None:
    table = join_forecasts(*family, forecasts.iloc[:0])
    assert len(table) == sum(len(cell.centres) for cell in FAMILY)
    assert table[["call", "p_mitosis", "forecast_frame", "within_h", "fate_call"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("forecasts", "words"),
    [
        (pd.concat([WITHIN, WITHIN]), "within 6 h are given, and 3 forecasts once more"),
        (WITHIN.assign(within_h=np.nan), "within no h are given, and 1 forecasts once more"),
        (pd.concat([WITHIN, WITHIN.assign(within_h=3.0)]), "within 6, 3 h"),
    ],
    ids=["twice", "two landmarks", "two times"],
)
def test_forecasts_of_several_predictors_or_questions_are_refused(
    family: tuple[pd.DataFrame, pd.DataFrame], forecasts: pd.DataFrame, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        join_forecasts(*family, forecasts)


def test_what_is_written_is_valid_geff_for_its_own_package(
    family: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    table = join_forecasts(*family, WHICH)
    write_geff(tmp_path / "01.geff", table)
    geff.validate_structure(tmp_path / "01.geff")
    graph, metadata = geff.read(tmp_path / "01.geff")
    assert [axis.name for axis in metadata.axes] == ["t", "y", "x"]
    assert graph.number_of_nodes() == 16
    assert nx.number_weakly_connected_components(graph) == 2
    assert sorted(degree for _, degree in graph.out_degree())[-2:] == [1, 2]
    mother = next(node for node, degree in graph.out_degree() if degree == 2)
    assert {name: graph.nodes[mother][name] for name in ("t", "cell_id", "fate_call", "fate_p_mitosis")} == {
        "t": 3,
        "cell_id": 1,
        "fate_call": "mitosis",
        "fate_p_mitosis": 0.9,
    }
    assert "fate_call" not in graph.nodes[next(node for node in graph if graph.nodes[node]["cell_id"] == 4)]
    said = [graph.nodes[node] for node in sorted(graph)]
    for name, short in {"cell_id": "cell_id", "frame": "t", "y_px": "y", "x_px": "x", "fate": "fate"}.items():
        assert [values[short] for values in said] == table[name].tolist()


def test_what_is_written_is_imported_as_it_was(family: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path) -> None:
    table = join_forecasts(*family, WHICH)
    write_geff(tmp_path / f"{RECORDING}.geff", table)
    table.to_csv(tmp_path / "out.csv", index=False)
    names = {"fate": "fate", "event_frame": "event_frame"}
    plain = {"y": "y_px", "x": "x_px", "parent_id": "parent_id", "recording_id": "recording_id"}
    for tracks in (
        {"format": "geff", "columns": names},
        {"format": "csv", "columns": {**names, **plain}, "files": "out.csv"},
    ):
        detections, cells, problems = gather(tmp_path, **tracks)
        assert problems.empty
        assert found_detections(detections) == found_detections(family[0])
        assert found_cells(cells) == found_cells(family[1])


def test_a_track_that_goes_on_under_a_new_number_stays_two_cells(tmp_path: Path) -> None:
    rows = [(1, 0, None), (1, 1, None), (2, 2, 1), (2, 3, 1)]
    table = pd.DataFrame(rows, columns=["cell_id", "frame", "parent_id"]).astype({"parent_id": "Int64"})
    write_geff(tmp_path / "01.geff", table.assign(y_px=1.0, x_px=2.0))
    _, cells, _ = gather(tmp_path, format="geff")
    assert cells["parent_id"].fillna(-1).tolist() == [-1, 1]
    assert cells["fate"].tolist() == ["censored", "censored"]
