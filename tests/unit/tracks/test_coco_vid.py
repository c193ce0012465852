"""Import of COCO-VID annotations: a small case worked by hand, a round trip, and every contradiction."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.core.tables import Cells, Detections, SetAside
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.tracks import TrackSettings, import_tracks
from tests.cases.coco_folder import (
    CELLS,
    CHANNELS,
    HEIGHT_PX,
    N_FRAMES,
    WIDTH_PX,
    CocoCell,
    annotation_content,
    changed_cell,
    write_annotations,
    write_coco_folder,
)

SETTINGS = {"layout": "coco_vid", "channels": CHANNELS, "frame_interval_min": 30}


def run_import(root: Path, **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    parameters = RecordingSettings.model_validate({**SETTINGS, **changes})
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, parameters)
    return import_tracks(folder, recordings, files, parameters)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coco_folder(tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="module")
def opened(written: Path) -> tuple[RecordingFolder, pd.DataFrame, pd.DataFrame, RecordingSettings]:
    """What `import_tracks` takes, for the images of the case."""
    write_annotations(written, annotation_content())
    parameters = RecordingSettings.model_validate(SETTINGS)
    recordings, files, _ = open_recordings(RecordingFolder(written), parameters)
    return RecordingFolder(written), recordings, files, parameters


@pytest.fixture
def root(written: Path) -> Path:
    write_annotations(written, annotation_content())
    return written


def test_fates_are_those_of_the_case(root: Path) -> None:
    detections, cells, set_aside = run_import(root, conditions_file="conditions.csv")
    for schema, table in ((Detections, detections), (Cells, cells), (SetAside, set_aside)):
        schema.validate(table)
    assert set_aside.empty
    assert cells["recording_id"].tolist() == ["001", "001", "001", "002", "002"]
    assert cells["cell_id"].tolist() == [1, 2, 3, 1, 2]
    assert cells["fate"].tolist() == ["mitosis", "apoptosis", "censored", "censored", "apoptosis"]
    assert cells["event_frame"].fillna(-1).tolist() == [4, 6, -1, -1, 6]
    assert cells["first_frame"].tolist() == [0, 0, 2, 0, 1]
    assert cells["last_frame"].tolist() == [3, 5, 7, 7, 5]
    assert cells["group_id"].tolist() == cells["recording_id"].tolist()
    assert cells[["parent_id", "lineage_id"]].isna().all(axis=None)


def test_frames_are_ordered_by_number_and_gaps_stay(root: Path) -> None:
    detections, _, _ = run_import(root)
    second = detections[(detections["recording_id"] == "001") & (detections["cell_id"] == 2)]
    assert second["frame"].tolist() == [0, 1, 2, 4, 5]
    assert second["x_px"].tolist() == pytest.approx([30, 31, 32, 34, 35])
    assert second["y_px"].tolist() == pytest.approx([20] * 5)


def test_the_middle_of_an_image_lies_between_its_pixels(root: Path) -> None:
    """48 columns are numbered 0 to 47, so their middle is 23.5; the left border is at -0.5."""
    content = annotation_content([CocoCell("001", 1, {0: (0.0, 0.0)}), CocoCell("002", 1, {0: (0.0, 0.0)})])
    for mark, box in zip(content["annotations"], ([0.5, 0.5, 0, 0], [0, 1, 0, 0]), strict=True):
        mark["bbox"] = box
    write_annotations(root, content)
    detections, _, _ = run_import(root)
    assert sorted(detections[["y_px", "x_px"]].itertuples(index=False, name=None)) == [(15.5, 23.5), (31.5, -0.5)]


def test_other_categories_are_counted_and_left_out(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    dead = CocoCell("001", 2, {6: (20, 36), 7: (20, 37)}, category=2)
    write_annotations(root, annotation_content((*CELLS, dead)))
    with caplog.at_level(logging.INFO):
        detections, cells, _ = run_import(root)
    assert "{1: 28, 2: 2}" in caplog.text
    assert len(detections) == 28
    assert cells.loc[1, "last_frame"] == 5
    _, cells, _ = run_import(root, cell_categories=(2,))
    assert cells[["recording_id", "cell_id", "first_frame", "fate"]].to_numpy().tolist() == [["001", 2, 6, "censored"]]
    with pytest.raises(InputError, match=r"no annotation of the categories \[3\]; .* \{1: 28, 2: 2\}; .*categories"):
        run_import(root, cell_categories=(3,))


def test_tracks_without_times_are_all_censored(root: Path) -> None:
    content = annotation_content()
    for mark in content["annotations"]:
        del mark["time_of_death"], mark["time_of_division"], mark["instance_id"], mark["time_step"], mark["video_id"]
    write_annotations(root, content)
    _, cells, _ = run_import(root)
    assert (cells["fate"] == "censored").all()
    assert cells["event_frame"].isna().all()


cells_of_a_recording = st.dictionaries(
    st.integers(0, 10**9),
    st.tuples(
        st.dictionaries(
            st.integers(0, N_FRAMES - 1),
            st.tuples(st.floats(-0.5, HEIGHT_PX - 0.5), st.floats(-0.5, WIDTH_PX - 0.5)),
            min_size=1,
        ),
        st.sampled_from([None, "time_of_death", "time_of_division"]),
        st.integers(0, N_FRAMES - 1),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells_of_a_recording, cells_of_a_recording, st.integers(0, 5))
def test_what_is_written_is_imported(
    root: Path, opened: tuple[Any, ...], first: dict[int, Any], second: dict[int, Any], seed: int
) -> None:
    cells = []
    for recording_id, drawn in (("001", first), ("002", second)):
        for cell_id, (centres, time, delay) in sorted(drawn.items()):
            times = {} if time is None else {time: min(min(centres) + delay, N_FRAMES - 1)}
            cells.append(CocoCell(recording_id, cell_id, centres, **times))
    write_annotations(root, annotation_content(cells, seed))
    detections, found, _ = import_tracks(*opened)

    rows = [
        (cell.recording_id, cell.cell_id, frame, *centre)
        for cell in cells
        for frame, centre in sorted(cell.centres.items())
    ]
    expected = pd.DataFrame(rows, columns=["recording_id", "cell_id", "frame", "y_px", "x_px"])
    marks = detections.drop(columns="spot_id")
    pd.testing.assert_frame_equal(marks, expected, check_dtype=False, rtol=0, atol=1e-9)  # fractions are rounded
    assert detections["spot_id"].isna().all()
    events = [cell.time_of_death if cell.time_of_death is not None else cell.time_of_division for cell in cells]
    fates = [
        "censored" if event is None else "mitosis" if cell.time_of_division is not None else "apoptosis"
        for cell, event in zip(cells, events, strict=True)
    ]
    assert found["fate"].tolist() == fates
    assert [None if pd.isna(event) else event for event in found["event_frame"]] == events
    assert found["first_frame"].tolist() == [min(cell.centres) for cell in cells]
    assert found["last_frame"].tolist() == [max(cell.centres) for cell in cells]


def _edited(number: int, **changes: Any) -> dict[str, Any]:
    """The case, with one annotation of cell 2 of recording 002 changed."""
    content = annotation_content()
    marks = [mark for mark in content["annotations"] if (mark["video_id"], mark["cell_id"]) == (2, 2)]
    sorted(marks, key=lambda mark: mark["time_step"])[number].update(changes)
    return content


BAD_RECORDINGS = {
    "both fates": (
        annotation_content(changed_cell("002", 2, time_of_division=7)),
        "'002' cell 2 dies in frame 6 and divides in frame 7",
    ),
    "times differ": (
        _edited(1, time_of_death=7),
        r"'002' the annotations of cell 2 disagree in time_of_death \(frame 6 to 7, stated on 5 of 5\)",
    ),
    "time on some": (
        _edited(1, time_of_death=None),
        r"'002' .* of cell 2 disagree in time_of_death .* stated on 4 of 5",
    ),
    "half a frame": (
        annotation_content(changed_cell("002", 2, time_of_death=5.5)),
        "'002' the time_of_death of cell 2 is 5.5, but a frame number",
    ),
    "event before the track": (
        annotation_content(changed_cell("002", 2, time_of_death=0)),
        "'002' the event of cell 2 is in frame 0, before the cell is first seen in frame 1",
    ),
    "negative event": (
        annotation_content(changed_cell("002", 2, time_of_death=-1)),
        "'002' the event of cell 2 is in frame -1, before the cell is first seen",
    ),
    "event after the movie": (
        annotation_content(changed_cell("002", 2, time_of_death=8)),
        "'002' the event of cell 2 is in frame 8, but the movie has 8 frames",
    ),
    "box outside": (
        _edited(1, bbox=[1.2, 0.5, 0.1, 0.1]),
        r"'002' the centre of cell 2 in frame 2 is at x 57\.1 px, y 15\.5 px, outside the image of 48 x 32 px",
    ),
    "box outside above": (_edited(1, bbox=[0.2, -0.01, 0.1, 0.1]), "'002' the centre of cell 2 in frame 2 .* outside"),
    "box without a centre": (_edited(1, bbox=[float("nan"), 0.5, 0.1, 0.1]), "'002' the centre of cell 2 in frame 2"),
    "same frame twice": (_edited(1, image_id=109), "'002' cell 2 is marked twice in frame 1"),
    "image of another video": (
        _edited(1, image_id=100),
        "'001' an annotation of cell 2 in frame 0 names video 2, but its image belongs",
    ),
}


@pytest.mark.parametrize("name", BAD_RECORDINGS)
def test_contradictions_stop_or_set_the_recording_aside(root: Path, name: str) -> None:
    content, words = BAD_RECORDINGS[name]
    write_annotations(root, content)
    bad = words[1:4]
    with pytest.raises(InputError, match=words) as caught:
        run_import(root)
    assert "\n" not in str(caught.value)
    detections, cells, set_aside = run_import(root, on_bad_recording="skip")
    assert set_aside["recording_id"].tolist() == [bad]
    assert set_aside["reason"].tolist() == [str(caught.value)]
    assert bad not in set(cells["recording_id"]) | set(detections["recording_id"])


BAD_FILES = {
    "unknown image": (_edited(1, image_id=999), "is of image 999, which 'images' does not list"),
    "box of three": (_edited(1, bbox=[0.5, 0.5, 0.1]), "has a bbox of 3 numbers, but 4 were expected"),
    "no box": (_edited(1, bbox=None), "has no usable 'bbox'"),
    "no cell": (_edited(1, cell_id=None), "has no usable 'cell_id'"),
    "text as box": (_edited(1, bbox="0.5 0.5"), "not valid JSON in the COCO-VID layout"),
    "no annotations": ({**annotation_content(), "annotations": []}, r"no annotation of the categories \[1\]"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_an_unusable_file_is_an_input_error_even_when_skipping(root: Path, name: str) -> None:
    content, words = BAD_FILES[name]
    write_annotations(root, content)
    with pytest.raises(InputError, match=words) as caught:
        run_import(root, on_bad_recording="skip")
    assert "annotations.json" in str(caught.value)


def test_a_recording_set_aside_at_opening_is_left_out(root: Path) -> None:
    parameters = RecordingSettings.model_validate(SETTINGS)
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, parameters)
    detections, cells, _ = import_tracks(folder, recordings.iloc[1:], files[files["recording_id"] == "002"], parameters)
    assert set(detections["recording_id"]) == set(cells["recording_id"]) == {"002"}


def test_a_recording_without_cells_is_said_to_have_none(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = annotation_content()
    marks = [mark for mark in content["annotations"] if mark["video_id"] == 1]
    write_annotations(root, {**content, "annotations": marks})
    _, cells, set_aside = run_import(root)
    assert set(cells["recording_id"]) == {"001"}
    assert set_aside.empty
    assert "1 recordings have no cell, the first is '002'" in caplog.text


def test_tracks_without_times_are_unscored_beside_a_table_of_fates(root: Path) -> None:
    content = annotation_content()
    for mark in content["annotations"]:
        del mark["time_of_death"], mark["time_of_division"]
    write_annotations(root, content)
    (root / "fates.csv").write_text("recording_id,cell_id,fate,event_frame\n001,2,apoptosis,6\n002,1,censored,\n")
    parameters = RecordingSettings.model_validate(SETTINGS)
    recordings, files, _ = open_recordings(RecordingFolder(root), parameters)
    settings = TrackSettings(fates_file="fates.csv")
    _, cells, _ = import_tracks(RecordingFolder(root), recordings, files, parameters, settings)
    assert cells["fate"].tolist() == ["unscored", "apoptosis", "unscored", "censored", "unscored"]
