"""A person with files of their own: `cellfate new`, a few answers, and the tables of `data_processing` are right."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellfate.__main__ import cellfate
from tests.cases import track_formats
from tests.cases.track_formats import TrackedCell
from tests.conftest import copy_project, run_here

pytestmark = pytest.mark.pipeline

N_FRAMES, SIDE_PX = 44, 120
RECORDINGS = ("A01", "A02", "B01", "B02", "C01", "C02")
DOSES = {"A": ("vehicle", "0"), "B": ("nutlin", "5"), "C": ("nutlin", "10")}


def family(number: int) -> tuple[TrackedCell, ...]:
    """A mother that divides in frame 20, her daughters, cells that die, and one that is lost; with gaps."""

    def path(first: int, last: int, y: float, x: float, gap: int = -1) -> dict[int, tuple[float, float]]:
        return {frame: (y, x + frame / 8) for frame in range(first, last) if frame != gap}

    return (
        TrackedCell(1, path(0, 20, 20, 20, gap=7), fate="mitosis", event_frame=20),
        TrackedCell(2, path(20, 44, 14, 22), parent_id=1),
        TrackedCell(3, path(20, 40 - number, 28, 22), parent_id=1, fate="apoptosis", event_frame=40 - number),
        TrackedCell(4, path(0, 30 + number, 50, 20, gap=11), fate="apoptosis", event_frame=30 + number),
        TrackedCell(5, path(0, 25, 80, 30)),
        TrackedCell(6, path(0, 26, 50, 80), fate="mitosis", event_frame=26),
        TrackedCell(7, path(26, 44, 44, 84), parent_id=6),
        TrackedCell(8, path(26, 44, 58, 84), parent_id=6),
        TrackedCell(9, path(0, 33, 90, 80), fate="apoptosis", event_frame=33),
    )


def write_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ImageJ hyperstacks, TrackMate's files, fates with semicolons and hours, and a plate map."""
    (root / "tracking").mkdir(parents=True)
    changed = {"N_FRAMES": N_FRAMES, "HEIGHT_PX": SIDE_PX, "WIDTH_PX": SIDE_PX}
    fates, treatments = [], []
    for number, name in enumerate(RECORDINGS):
        cells = family(number)
        for key, value in {**changed, "RECORDING": name}.items():
            monkeypatch.setattr(track_formats, key, value)
        track_formats.write_trackmate_xml(root / "tracking", cells)
        write_stack(root / f"{name}.tif", cells, number)
        words = {"mitosis": "Divided", "apoptosis": "died", "censored": "lost"}
        fates += [
            (
                name,
                cell.cell_id,
                words[cell.fate],
                "" if cell.event_frame is None else f"{cell.event_frame / 2:g}".replace(".", ","),
            )
            for cell in cells
        ]
        treatments.append((name, *DOSES[name[0]], f"plate{1 + number % 3}"))
    pd.DataFrame(fates, columns=["Movie", "Nr. of cell", "What happened", "Hours"]).to_csv(
        root / "scoring.csv", sep=";", index=False
    )
    pd.DataFrame(treatments, columns=["Well", "Drug", "Conc (uM)", "Plate"]).to_csv(root / "plate map.csv", index=False)


def write_stack(path: Path, cells: tuple[TrackedCell, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    stack = rng.poisson(30, (N_FRAMES, 2, SIDE_PX, SIDE_PX)).astype(np.float64)
    for cell in cells:
        for frame, (y, x) in cell.centres.items():
            stack[frame] += 400 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 2.5**2))
    details = {"axes": "TCYX", "finterval": 1800.0, "unit": "um"}
    tifffile.imwrite(path, stack.astype(np.uint16), imagej=True, resolution=(2, 2), metadata=details)


def answer(path: Path, **answers: str) -> None:
    text = path.read_text()
    for key, value in answers.items():
        text, count = re.subn(rf"^(  {key}: )\?\?\?$", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert count == 1, key
    assert "???" not in text
    path.write_text(text)


def test_a_newcomer_answers_one_question(tmp_path, monkeypatch):
    from click.testing import CliRunner

    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    write_folder(tmp_path / "p53 movies", monkeypatch)
    monkeypatch.chdir(project)
    finished = CliRunner().invoke(cellfate, ["new", str(tmp_path / "p53 movies"), "mine"])
    assert finished.exit_code == 0, finished.output
    assert "1 question to answer" in finished.output
    assert "6 of 6 recordings have tracks" in finished.output
    answer(project / "conf" / "mine" / "parameters.yml", channels="[h2b, p53]")
    run_here(project, "data_processing", env="mine")
    folder = project / "data" / "mine"
    cells = pd.read_parquet(next(folder.rglob("cells.parquet"))).set_index(["recording_id", "cell_id"])
    for number, name in enumerate(RECORDINGS):
        for cell in family(number):
            found = cells.loc[name, cell.cell_id]
            assert found["fate"] == cell.fate
            assert (None if pd.isna(found["event_frame"]) else found["event_frame"]) == cell.event_frame
            assert (None if pd.isna(found["parent_id"]) else found["parent_id"]) == cell.parent_id
    assert len(cells) == 9 * len(RECORDINGS)
    recordings = pd.read_parquet(next(folder.rglob("recordings.parquet"))).set_index("recording_id")
    assert recordings["condition"].to_dict() == {name: DOSES[name[0]][0] for name in RECORDINGS}
    assert recordings["dose"].to_dict() == {name: f"{DOSES[name[0]][1]} uM" for name in RECORDINGS}
    assert recordings["group_id"].to_dict() == {name: f"plate{1 + place % 3}" for place, name in enumerate(RECORDINGS)}
    questions = pd.read_parquet(next(folder.rglob("questions.parquet")))
    assert len(questions)
