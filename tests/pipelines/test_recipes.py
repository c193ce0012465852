"""The code of docs/tables.md and docs/tracks.md, run on the finished demo."""

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellfate.core.fates import EVENTS
from cellfate.core.spreadsheets import read_csv, write_csv
from tests.conftest import CELL, DATA, ROOT, read_table

pytestmark = pytest.mark.pipeline


def code_of(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def told(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the recipes of docs/tables.md make of the demo; some calls of its unsure models are made sure."""
    folder, names = tmp_path_factory.mktemp("tables"), {}
    fates, frames = (
        read_csv(demo_project / DATA / "07_model_output" / f"{name}.csv") for name in ("fate_table", "forecast_table")
    )
    for name in ("condition_groups.csv", "condition_curves.csv"):
        shutil.copy(demo_project / DATA / "08_reporting" / name, folder / name)
    event = fates["fate"].isin(EVENTS)
    call = fates["call"].where(~event | (fates.index % 2 == 0), fates["fate"])
    write_csv(fates.assign(call=call, sure=np.where(fates.index % 3, "yes", "hardly")), folder / "fate_table.csv")
    write_csv(frames.assign(p_mitosis=frames["p_mitosis"].rank(pct=True)), folder / "forecast_table.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec("\n".join(code_of("tables.md")), names)
    assert {path.name for path in folder.iterdir()} >= {"one_cell.html", "look_again.csv", "conditions.html"}
    return names


def test_the_curve_is_of_one_cell(told):
    assert len(told["curve"][CELL].drop_duplicates()) == 1
    assert len(told["curve"]) > 3
    assert told["curve"]["time_h"].is_monotonic_increasing
    assert list(told["figure"].data[0].y) == told["curve"]["p_apoptosis"].tolist()


def test_cells_above_a_half_are_found_at_their_first_frame_above(told):
    above, frames = told["above"], told["frames"]
    assert len(above) == len(frames.loc[frames["p_mitosis"] > 0.5, CELL].drop_duplicates()) > 0
    row = above.iloc[0]
    before = frames[(frames[CELL] == row[CELL]).all(axis=1) & (frames["frame"] < row["frame"])]
    assert not (before["p_mitosis"] > 0.5).any()
    assert above["hours_before"].notna().equals(above["fate"] == "mitosis")
    assert (above["hours_before"].dropna() > 0).all()


def test_alarms_are_counted_and_raised_by_another_rule(told):
    within = told["fates"]["question"] == "within_hours"
    assert told["counts_of_alarms"].to_numpy().sum() == (within & told["fates"]["fate"].notna()).sum() > 0
    assert set(told["alarms"]["frame"]) <= set(told["frames"]["frame"])
    assert (told["alarms"]["incidence"] >= 0.5).all()


def test_doses_are_summed_up(told, demo_project):
    followed = read_table(demo_project, "05_model_input", "follow_ups").merge(told["first"][CELL], on=CELL)
    assert told["by_dose"]["cells"].to_dict() == followed["dose"].value_counts().to_dict()
    row = told["by_dose"].iloc[0]
    assert row["p_none"] == pytest.approx(told["first"].query("dose == @row.name")["p_none"].mean())
    assert told["counts"].to_numpy().sum() == len(told["called"])


def test_killed_fractions_are_listed_by_group_and_curves_by_condition(told, demo_project):
    summary = (
        read_table(demo_project, "08_reporting", "condition_summary").query("outcome == 'apoptosis'").set_index("dose")
    )
    assert told["over_groups"]["count"].to_dict() == summary["n_groups"].to_dict()
    for dose, row in summary.iterrows():
        assert told["curves"][f"apoptosis: {dose}"].dropna().iloc[-1] >= row["incidence"] - 1e-9
        assert told["over_groups"].loc[dose, "mean"] == pytest.approx(row["incidence"], abs=0.25)


def test_cells_to_look_at_again_are_hardly_sure_or_wrong(told):
    again, called = told["again"], told["called"]
    rest = called.drop(again.index)
    assert 0 < len(again) < len(called)
    assert (rest["sure"] == "yes").all()
    assert (rest["call"] == rest["fate"]).all()
    assert ((again["sure"] == "hardly") | (again["call"] != again["fate"])).all()


def test_images_and_tracks_lie_on_each_other_in_napari(demo_project, monkeypatch):
    """Time is the first axis of both, channels are layers, and cells are brighter than what is around them."""
    layers: dict[str, Any] = {}
    viewer = SimpleNamespace(
        add_image=lambda data, **options: layers.update(image=(data, options)),
        add_tracks=lambda data, **options: layers.update(tracks=(data, options)),
    )
    monkeypatch.setitem(sys.modules, "napari", SimpleNamespace(Viewer=lambda: viewer, run=lambda: None))
    code = next(block for block in code_of("tracks.md") if "napari.Viewer" in block)
    exec(code.replace('Path("data")', f"Path({str(demo_project / DATA)!r})"), {})
    (stack_tcyx, image), (points, tracks) = layers["image"], layers["tracks"]
    recordings = read_table(demo_project, "02_intermediate", "recordings").set_index("recording_id")
    assert stack_tcyx.shape[0] == recordings.loc["001", "n_frames"]
    assert image["channel_axis"] == 1
    assert image["name"] == ["circadian", "p53", "cell_cycle"]
    assert image["scale"] == tracks["scale"] == (1, 1.3, 1.3)
    assert len(points) == len(tracks["features"])
    assert not tracks["features"].isna().any(axis=None)
    assert {"p_mitosis", "fate_p_mitosis"} <= set(tracks["features"])
    t, y, x = np.rint(points[:, 1:]).astype(int).T
    inside = (y >= 0) & (y < stack_tcyx.shape[2]) & (x >= 0) & (x < stack_tcyx.shape[3])
    at_cells = stack_tcyx[t, :, y.clip(0, stack_tcyx.shape[2] - 1), x.clip(0, stack_tcyx.shape[3] - 1)][inside]
    assert (at_cells.mean(axis=0) > 1.2 * stack_tcyx.mean(axis=(0, 2, 3))).all()


def test_forecasts_join_the_spots_of_trackmate(tmp_path, monkeypatch):
    lines = ["LABEL,ID,TRACK_ID,FRAME", *["Label,Spot ID,Track ID,Frame"] * 2, ",,,", "ID12,12,0,0", "ID13,13,0,1"]
    (tmp_path / "01_spots.csv").write_text("\n".join(lines))
    (tmp_path / "track_forecasts").mkdir()
    forecasts = pd.DataFrame({"spot_id": [13], "cell_name": ["Track_0"], "p_mitosis": [0.7], "call": ["mitosis"]})
    forecasts.assign(sure="yes").to_csv(tmp_path / "track_forecasts" / "01.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(next(block for block in code_of("tracks.md") if "01_spots.csv" in block), names)
    assert names["told"]["p_mitosis"].fillna(-1).tolist() == [-1, 0.7]
