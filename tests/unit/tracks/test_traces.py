"""Cells without images: a table with a row a cell, or a row a cell and frame."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from cellfate.core.errors import InputError
from cellfate.core.tables import Cells, Detections
from tests.cases.trace_tables import FAMILY, INTERVALS, find, read

LONG = {
    "format": "csv",
    "columns": {"cell_id": "cell", "parent_id": "mother", "fate": "fate", "event_frame": "event"},
    "spot_features": ["red"],
}


def write(root: Path, text: str = FAMILY, name: str = "day1.csv") -> Path:
    (root / name).write_text(text)
    return root


def as_long(detections: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    rows = detections.merge(cells[["cell_id", "parent_id", "fate", "event_frame"]], on="cell_id")
    names = {"cell_id": "cell", "parent_id": "mother", "event_frame": "event", "tracker_red": "red"}
    return rows.rename(columns=names)[["cell", "mother", "frame", "red", "fate", "event"]].assign(drug="a")


def test_lives_are_sampled_to_frames(tmp_path: Path) -> None:
    """An event counts from the frame after it; the daughters begin in that frame; a lost cell is seen up to its end."""
    _, detections, cells = read(write(tmp_path))
    Detections.validate(detections)
    Cells.validate(cells)
    assert cells["first_frame"].tolist() == [0, 5, 5, 0]
    assert cells["last_frame"].tolist() == [4, 11, 17, 20]
    assert cells["fate"].tolist() == ["mitosis", "apoptosis", "censored", "censored"]
    assert cells["event_frame"].fillna(-1).tolist() == [5, 12, -1, -1]
    assert cells["lineage_id"].tolist() == ["day1:1", "day1:1", "day1:1", "day1:4"]
    assert cells["group_id"].tolist() == cells["lineage_id"].tolist()
    assert len(detections) == 5 + 7 + 13 + 21
    assert detections[["y_px", "x_px"]].isna().all(axis=None)


def test_a_reporter_is_told_as_it_was_known_in_each_frame(tmp_path: Path) -> None:
    _, detections, _ = read(write(tmp_path))
    second = detections[detections["cell_id"] == 2].set_index("frame")
    assert second["tracker_red"].tolist() == [0, 1, 1, 1, 1, 1, 0]  # 2.5 h to 5.5 h; on at 3.0 h, off at 5.1 h
    assert second["tracker_red_since_on_h"].iloc[1:].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert np.isnan(second["tracker_red_since_on_h"].iloc[0])
    assert second["tracker_red_since_off_h"].dropna().tolist() == pytest.approx([0.4])


def test_a_switch_that_comes_later_is_told_in_no_frame_before_it(tmp_path: Path) -> None:
    """Red of cell 1 vanishes at 1.7 h and was not seen to appear: up to there it is as in one that never switches."""
    _, detections, _ = read(write(tmp_path))
    columns = [name for name in detections if name.startswith("tracker_")]
    first, fourth = (detections[detections["cell_id"] == cell].set_index("frame")[columns] for cell in (1, 4))
    pd.testing.assert_frame_equal(first.loc[:3], fourth.loc[:3])
    assert first.loc[4, "tracker_red_since_off_h"] == pytest.approx(0.3)


def test_a_row_a_cell_and_frame_says_the_same(tmp_path: Path) -> None:
    _, detections, cells = read(write(tmp_path))
    table = as_long(detections, cells).sample(frac=1, random_state=0)
    folder = tmp_path / "long"
    folder.mkdir()
    table.to_csv(folder / "day1.csv", index=False)
    _, again, told = read(folder, LONG)
    pd.testing.assert_frame_equal(again, detections[list(again)])
    pd.testing.assert_frame_equal(told, cells)


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    (tmp_path / "day1.csv").write_text("cell,frame,red,drug\n1,0,1.5,a\n1,1,,a\n1,3,2.5,a\n")
    _, detections, _ = read(tmp_path, {**LONG, "columns": {"cell_id": "cell"}}, group_by="recording")
    assert detections["frame"].tolist() == [0, 1, 3]
    assert detections["tracker_red"].fillna(-1).tolist() == [1.5, -1, 2.5]


def test_hours_of_rows_become_frames(tmp_path: Path) -> None:
    (tmp_path / "day1.csv").write_text("cell;time;red;drug\n1;0;1,5;a\n1;0,5;1;a\n1;1,5;2;a\n")
    form = {**LONG, "columns": {"cell_id": "cell", "frame": "time"}, "time_unit": "h"}
    _, detections, _ = read(tmp_path, form, group_by="recording")
    assert detections["frame"].tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2,1,2.2,6.0,died", "2,1,2.2,6.0,died,,,a\n2,1,2.2,6.0,died", "Cell 2 is on line 3 and on line 4"),
        ("2,1,2.2,6.0", "2,1,6.2,6.0", "line 3 of .* ends at 6.0, before its birth at 6.2"),
        ("2,1,2.2,6.0", "2,1,2.2,", "Line 3 of .* has no time in column ended"),
        ("2,1,2.2,6.0", "2,1,2.2,six", "Line 3 of .* has 'six' in column ended, but a number was expected"),
        (
            "8.7,lost",
            "17,lost",
            r"line 4 of .* lives from 2.2 to 17 \(h\), but recording 'day1' goes from 0 to frame 20",
        ),
        ("3.0,5.1", "5.0,3.1", "The reporter red of the cell on line 3 of .* vanishes before it appears"),
        ("3.0,5.1", "early,5.1", "has 'early' in column red_on"),
        ("1,0,0,2.2,divided", "1,3,0,2.2,divided", "cell 1 is its own ancestor|begins in frame"),
        ("6.0,died", "6.0,vanished", "has the fate 'vanished'"),
        ("1,0,0,2.2,divided", "1,0,0,2.2,died", "cell 1 has two daughters but its stated fate is apoptosis"),
        ("3,1,2.2", "3,9,2.2", "the parent 9 of cell 3 has no track"),
        ("2.2", "2.7", None),
    ],
)
def test_what_contradicts_is_told_in_a_sentence(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    write(tmp_path, FAMILY.replace(old, new))
    if said is None:
        read(tmp_path)  # both the end of the mother and the births of her daughters were moved: all is well
        return
    with pytest.raises(InputError, match=said) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
    found = find(tmp_path)
    assert found.loc[found["severity"] == "error", "finding"].str.contains(said).any()


def test_hours_read_as_frames_are_refused_and_frames_read_as_hours_too(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(
        InputError, match=r"Line 3 of .* has '2.2' in column born, but .* set tracks.time_unit to min or h"
    ):
        read(tmp_path, {**INTERVALS, "time_unit": "frame"})
    whole = FAMILY.replace("2.2", "4").replace("6.0", "12").replace("8.7", "17").replace("10.0", "20")
    with pytest.raises(InputError, match=r"lives from 4 to 12 \(h\).*correct the times, tracks.time_unit"):
        read(write(tmp_path, whole))
    found = find(tmp_path, {**INTERVALS, "time_unit": "min"})
    assert "the last cell is seen in frame 1 of 21" in found.loc[found["check"] == "early_end", "finding"].iloc[0]


def test_rows_of_a_cell_in_two_families_or_twice_are_refused(tmp_path: Path) -> None:
    _, detections, cells = read(write(tmp_path))
    table = as_long(detections, cells)
    (tmp_path / "long").mkdir()
    torn = table.assign(mother=table["mother"].mask((table["cell"] == 3) & (table["frame"] > 9), 4))
    torn.to_csv(tmp_path / "long" / "day1.csv", index=False)
    with pytest.raises(InputError, match=r"Cell 3 in .* has the parent 1 on one row and 4 on another"):
        read(tmp_path / "long", LONG)
    pd.concat([table, table.iloc[[7]]]).to_csv(tmp_path / "long" / "day1.csv", index=False)
    with pytest.raises(InputError, match="cell 2 is marked twice in frame 7"):
        read(tmp_path / "long", LONG)
    table.assign(red="high").to_csv(tmp_path / "long" / "day1.csv", index=False)
    with pytest.raises(InputError, match="has 'high' in column red, but a number or a blank was expected"):
        read(tmp_path / "long", LONG)


def test_the_order_of_rows_says_nothing(tmp_path: Path) -> None:
    head, *rows = FAMILY.splitlines()
    (tmp_path / "turned").mkdir()
    expected, turned = read(write(tmp_path)), tmp_path / "turned"
    found = read(write(turned, "\n".join([head, *reversed(rows)]) + "\n"))
    for one, other in zip(found[1:], expected[1:], strict=True):
        order = [name for name in ("cell_id", "frame") if name in one]
        pd.testing.assert_frame_equal(
            one.sort_values(order, ignore_index=True), other.sort_values(order, ignore_index=True)
        )


def test_a_study_in_which_nobody_dies_has_no_error(tmp_path: Path) -> None:
    found = find(write(tmp_path, FAMILY.replace("died", "lost")))
    assert not (found["severity"] == "error").any()
    *_, cells = read(tmp_path)
    assert set(cells["fate"]) == {"mitosis", "censored"}


def test_what_is_odd_is_a_finding(tmp_path: Path) -> None:
    text = FAMILY.replace("3,1,2.2,8.7,lost,,", "3,1,2.2,2.3,lost,4.4,") + "5,0,0,3.3,died,,,a\n"
    found = find(write(tmp_path, text)).set_index("check")["finding"]
    assert (
        "reporter red of the cell on line 4 of day1.csv switches before its birth or after" in found["switch_outside"]
    )
    assert "1 of 5 cells begin and end between two frames of 30 min, the first is cell 3" in found["short_cell"]
    silent = find(write(tmp_path, FAMILY.replace("1.7", "").replace("3.0,5.1", ",").replace("9.9", "")))
    assert "the reporter red never switches in 4 cells" in silent.set_index("check")["finding"]["never_switches"]
    _, detections, _ = read(tmp_path)
    assert detections["tracker_red"].isna().all()


def test_a_cell_that_divides_between_two_frames_is_refused(tmp_path: Path) -> None:
    text = FAMILY + "5,3,8.7,8.8,divided,,,a\n6,5,8.8,9.9,lost,,,a\n7,5,8.8,9.9,lost,,,a\n"
    with pytest.raises(InputError, match="cell 5 is born and divides between two frames of 30 min"):
        read(write(tmp_path, text.replace("8.7,lost", "8.7,divided")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "trackmate_xml"}, "recordings.layout is 'traces', but tracks.format is 'trackmate_xml'"),
        ({"files": "{recording_id}.csv"}, "tracks.files is .* set tracks.files to null"),
        ({"columns": {"cell_id": "cell", "recording_id": "drug"}}, "set tracks.columns.recording_id to null"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(write(tmp_path), {"format": "csv", **changes})


@pytest.mark.real
def test_hand_followed_lymphocytes_are_read_as_their_reference_reads_them(real_data: Path) -> None:
    """Landmarks and outcomes of the reference, and what it gets from the age alone (AUROC .691 and .755)."""
    changes = {"files": "t_misc_*.csv", "conditions_columns": {"condition": None, "dose": "stimulus"}}
    changes["traces"] = {"recording": "{file} {stimulus}", "end_h": {"t_misc_20140211*": 96, "t_misc_20140325*": 76}}
    form = {"columns": {"cell_id": "cell_id", "parent_id": "parent_id", "fate": "fate"}}
    form["intervals"] = {"birth": "birth_h", "end": "end_h"}
    # frames so short that hours are as good as written
    _, _, cells = read(real_data / "cyton_fates", {**INTERVALS, **form}, frame_interval_min=0.25, **changes)
    tables = [lay_landmarks(cells, name) for name in ("t_misc_20140211", "t_misc_20140325")]
    assert [len(table) for table in tables] == [pytest.approx(7651, abs=8), pytest.approx(7321, abs=8)]
    train, test = tables
    assert (test["outcome"] == "apoptosis").sum() == pytest.approx(553, abs=3)
    assert (test["outcome"] == "mitosis").sum() == pytest.approx(1370, abs=3)
    for event, expected in (("apoptosis", 0.691), ("mitosis", 0.755)):
        model = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=40)
        model.fit(train[["age_h"]], train["outcome"] == event)
        found = roc_auc_score(test["outcome"] == event, model.predict_proba(test[["age_h"]])[:, 1])
        assert found == pytest.approx(expected, abs=0.01)


def lay_landmarks(cells: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Landmarks: each hour from 1 h after birth to 1 h before the end; those lost within 5 h do not count."""
    rows = []
    for cell in cells[cells["recording_id"].str.startswith(experiment)].itertuples():
        born, end = (frame / 240 for frame in (cell.first_frame, cell.last_frame + (cell.fate != "censored")))
        for age_h in np.arange(1, end - born - 1, 1.0):
            comes = end - born - age_h <= 5
            if not (comes and cell.fate == "censored"):
                rows.append((age_h, cell.fate if comes else "none"))
    return pd.DataFrame(rows, columns=["age_h", "outcome"])
