"""What every importer must do: the same family in every format gives the same detections and cells."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS, UNSCORED
from cellfate.core.tables import Cells, Detections
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, import_tracks
from cellfate.tracks.importing import IMPORTERS
from tests.cases.track_formats import (
    FAMILY,
    FATES_SETTINGS,
    FORMATS,
    FRAME_INTERVAL_MIN,
    HEIGHT_PX,
    N_FRAMES,
    RECORDING,
    WIDTH_PX,
    FormatCase,
    TrackedCell,
    expected_detections,
    found_cells,
    found_detections,
    frame_files_table,
    gather,
    recordings_table,
    write_fates,
)

each_format = pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
no_fixture_check = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def read(root: Path, case: FormatCase, **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    tracks = {"format": case.name, **case.settings, **changes}
    return gather(root, case.layout, **tracks)


def test_every_importer_has_a_case() -> None:
    without_positions = {"intervals"}  # test_traces
    assert {case.name for case in FORMATS} == set(IMPORTERS) - without_positions


@each_format
def test_the_family_is_read(case: FormatCase, tmp_path: Path) -> None:
    case.write(tmp_path, FAMILY)
    detections, cells, problems = read(tmp_path, case)
    assert problems["reason"].tolist() == []
    assert found_detections(detections) == expected_detections(case.as_read(FAMILY))
    assert found_cells(cells) == case.expected_cells(FAMILY)
    Detections.validate(detections)
    Cells.validate(cells.assign(group_id="01"))


@each_format
def test_with_a_table_of_fates_every_format_says_the_same(case: FormatCase, tmp_path: Path) -> None:
    case.write(tmp_path, FAMILY)
    write_fates(tmp_path, case.as_read(FAMILY))
    _, cells, problems = read(tmp_path, case, **FATES_SETTINGS)
    assert problems["reason"].tolist() == []
    assert found_cells(cells) == case.expected_cells(FAMILY, with_fates=True)


@each_format
def test_a_cell_that_a_table_of_fates_does_not_list_is_unscored(case: FormatCase, tmp_path: Path) -> None:
    """Annotations of COCO-VID state the fate of every cell themselves, and a table of CSV those of its mothers.

    A division that is shown and not listed does not count where other cells are not listed: kept, the cells that divide
    would stand for all that were not looked at.
    """
    case.write(tmp_path, FAMILY)
    write_fates(tmp_path, case.as_read(FAMILY)[2:3])
    _, cells, problems = read(tmp_path, case, **FATES_SETTINGS)
    assert problems["reason"].tolist() == []
    silent = CENSORED if case.name == "coco_vid" else UNSCORED
    mother = MITOSIS if case.name in ("coco_vid", "csv") else UNSCORED
    assert fates_in_order(case, cells) == [mother, silent, APOPTOSIS, silent]
    assert cells.loc[cells["fate"] == UNSCORED, "event_frame"].isna().all()
    write_fates(tmp_path, case.as_read(FAMILY)[1:])
    _, cells, _ = read(tmp_path, case, **FATES_SETTINGS)
    divides = MITOSIS if case.says_divisions else UNSCORED
    assert fates_in_order(case, cells)[0] == divides  # all others are listed, so it is known to divide
    _, cells, _ = read(tmp_path, case, **FATES_SETTINGS, unlisted_cells="censored")
    mother = MITOSIS if case.says_divisions else CENSORED
    assert fates_in_order(case, cells) == [mother, CENSORED, APOPTOSIS, CENSORED]


def fates_in_order(case: FormatCase, cells: pd.DataFrame) -> list[str]:
    """Fates of the family in the order in which it is written."""
    return cells.set_index("cell_id")["fate"].loc[[case.number(cell) for cell in FAMILY]].tolist()


@each_format
def test_a_track_that_only_ends_is_censored_unless_a_column_of_fates_is_blank(case: FormatCase, tmp_path: Path) -> None:
    alone = (TrackedCell(7, {0: (3, 3), 1: (3, 4), 2: (3, 5)}), TrackedCell(9, {1: (9, 9), 2: (9, 8)}))
    case.write(tmp_path, alone)
    _, cells, problems = read(tmp_path, case)
    assert problems.empty
    assert cells["fate"].tolist() == [UNSCORED if case.has_fate_column else CENSORED] * 2
    assert cells["event_frame"].isna().all()


@each_format
def test_a_frame_that_does_not_exist_is_named(case: FormatCase, tmp_path: Path) -> None:
    if case.name == "cell_tracking_challenge" or not case.has_frames:
        pytest.skip("its frames are images")
    late = TrackedCell(5, {6: (3, 3), 7: (3, 4), 8: (3, 5)})
    if case.name == "coco_vid":
        pytest.skip("its frames are listed in the file itself (test_coco_vid)")
    case.write(tmp_path, (*FAMILY, late))
    _, _, problems = read(tmp_path, case)
    assert problems["recording_id"].tolist() == [RECORDING]
    number = case.number(late)
    assert f"cell {number} is marked in frame 8, but the movie has 8 frames" in problems["reason"].iloc[0]


@each_format
def test_a_position_outside_the_image_is_named(case: FormatCase, tmp_path: Path) -> None:
    if case.name == "cell_tracking_challenge" or not case.has_frames:
        pytest.skip("its positions are pixels of label images")
    outside = TrackedCell(5, {1: (3, 3), 2: (3, WIDTH_PX + 2)})
    case.write(tmp_path, (*FAMILY, outside))
    _, _, problems = read(tmp_path, case)
    assert f"the centre of cell {case.number(outside)} in frame 2 is at x 62.0 px" in problems["reason"].iloc[0]


@each_format
def test_a_missing_file_is_named_and_the_recording_set_aside(case: FormatCase, tmp_path: Path) -> None:
    if case.name == "coco_vid":
        pytest.skip("one file holds all recordings")
    case.write(tmp_path, FAMILY)
    names = (RECORDING, "02")
    settings = RecordingSettings(
        layout=case.layout, channels=("gfp",), frame_interval_min=FRAME_INTERVAL_MIN, on_bad_recording="skip"
    )
    tracks = TrackSettings(format=case.name, **case.settings)
    tables = recordings_table(*names), frame_files_table(*names)
    _, cells, set_aside = import_tracks(RecordingFolder(tmp_path), *tables, settings, tracks)
    assert set(cells["recording_id"]) == {RECORDING}
    assert set_aside["recording_id"].tolist() == ["02"]
    assert "02" in set_aside["reason"].iloc[0]
    stop = settings.model_copy(update={"on_bad_recording": "stop"})
    with pytest.raises(InputError, match="02"):
        import_tracks(RecordingFolder(tmp_path), *tables, stop, tracks)


@each_format
def test_a_name_that_leaves_the_folder_is_not_followed(case: FormatCase, tmp_path: Path) -> None:
    if case.layout == "coco_vid" or case.name == "cell_tracking_challenge":
        pytest.skip("opened by the layout")
    (tmp_path / "inside").mkdir()
    case.write(tmp_path, FAMILY)
    _, cells, problems = gather(tmp_path / "inside", names=(f"../{RECORDING}",), format=case.name, **case.settings)
    assert cells.empty
    assert "outside the folder of recordings" in problems["reason"].iloc[0]


@st.composite
def forests(draw: st.DrawFn) -> tuple[TrackedCell, ...]:
    """Families of up to three generations; every cell has a row of its own, so that pixels are not shared."""
    cells: list[TrackedCell] = []
    waiting: list[tuple[int | None, int]] = [(None, draw(st.integers(0, 3))) for _ in range(draw(st.integers(1, 4)))]
    while waiting and len(cells) < 16:
        parent, first = waiting.pop(0)
        length = draw(st.integers(2 if parent is None else 1, N_FRAMES))
        frames = [
            frame for frame in range(first, min(first + length, N_FRAMES)) if frame == first or draw(st.booleans())
        ]
        if parent is None and len(frames) == 1:
            frames.append(first + 1)  # TrackMate knows no track of one spot
        number, y, x = len(cells) + 1, 2 * len(cells) + 1, draw(st.integers(0, WIDTH_PX - N_FRAMES - 1))
        divides = frames[-1] + 1 < N_FRAMES and len(cells) + len(waiting) < 12 and draw(st.booleans())
        fate = MITOSIS if divides else draw(st.sampled_from([CENSORED, APOPTOSIS]))
        event = None if fate == CENSORED else frames[-1]
        if divides:
            starts = draw(st.lists(st.integers(frames[-1] + 1, N_FRAMES - 1), min_size=2, max_size=3))
            waiting += [(number, start) for start in starts]
            event = min(starts)
        cells.append(TrackedCell(number, {frame: (y, x + frame) for frame in frames}, parent, fate, event))
    return tuple(cells)


@each_format
@settings(max_examples=8, deadline=None, suppress_health_check=no_fixture_check)
@given(forest=forests())
def test_random_forests_come_back_from_every_format(
    case: FormatCase, forest: tuple[TrackedCell, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("forest")
    case.write(root, forest)
    detections, cells, problems = read(root, case)
    assert set(problems["check"]) <= {"one_frame"}  # a forest may hold many short cells
    assert found_detections(detections) == expected_detections(case.as_read(forest))
    assert found_cells(cells) == case.expected_cells(forest)


@each_format
@settings(max_examples=30, deadline=None, suppress_health_check=no_fixture_check)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_gives_sound_tables(
    case: FormatCase, data: st.DataObject, whole: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("damaged") / "copy"
    shutil.copytree(whole[case.name], root)
    path = root / case.file
    if path.is_dir():
        path = data.draw(st.sampled_from(sorted(file for file in path.rglob("*") if file.is_file())))
    path.write_bytes(damage(data, path.read_bytes()))
    try:
        detections, cells, problems = read(root, case)
    except InputError:
        return
    if problems.empty and len(cells):
        Detections.validate(detections)
        Cells.validate(cells.assign(group_id=RECORDING))
        assert detections["frame"].between(0, N_FRAMES - 1).all()
        assert detections["y_px"].between(-0.5, HEIGHT_PX - 0.5).all()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder a format with the family, to be copied."""
    folders = {case.name: tmp_path_factory.mktemp(case.name) for case in FORMATS}
    for case in FORMATS:
        case.write(folders[case.name], FAMILY)
    return folders


def damage(data: st.DataObject, content: bytes) -> bytes:
    """Cut the end off, or change, drop or repeat bytes."""
    kind = data.draw(st.sampled_from(["cut", "change", "drop", "repeat", "other"]))
    place = data.draw(st.integers(0, max(0, len(content) - 1)))
    if kind == "cut":
        return content[:place]
    if kind == "drop":
        return content[:place] + content[place + data.draw(st.integers(1, 50)) :]
    if kind == "repeat":
        return content[:place] + content[place : place + 40] * data.draw(st.integers(2, 20)) + content[place:]
    if kind == "other":
        return data.draw(st.binary(max_size=200))
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    return bytes(changed)


@each_format
def test_lineages_are_refused_where_parents_are_not_known(case: FormatCase, tmp_path: Path) -> None:
    case.write(tmp_path, FAMILY)
    settings = RecordingSettings(
        layout=case.layout, channels=("gfp",), frame_interval_min=FRAME_INTERVAL_MIN, group_by="lineage"
    )
    tables = recordings_table(), frame_files_table()
    tracks = TrackSettings(format=case.name, **case.settings)
    if case.says_parents:
        _, cells, _ = import_tracks(RecordingFolder(tmp_path), *tables, settings, tracks)
        groups = cells.set_index("cell_id")["group_id"].loc[[case.number(cell) for cell in FAMILY]].tolist()
        assert groups == [f"01:{case.number(FAMILY[place])}" for place in (0, 0, 0, 3)]
    else:
        with pytest.raises(InputError, match=rf"recording '01' \(format {case.name}\) do not say who came from whom"):
            import_tracks(RecordingFolder(tmp_path), *tables, settings, tracks)


@pytest.mark.parametrize(
    ("name", "advice"), [("napari_csv", "give the parents in tracks.graph_file, or set "), ("imaris_csv", "set ")]
)
def test_what_is_advised_about_unknown_parents_is_of_the_format(tmp_path: Path, name: str, advice: str) -> None:
    next(case for case in FORMATS if case.name == name).write(tmp_path, FAMILY)
    settings = RecordingSettings(layout="tiff_stacks", frame_interval_min=FRAME_INTERVAL_MIN, group_by="lineage")
    tables = recordings_table(), frame_files_table()
    with pytest.raises(InputError, match=f"who came from whom; {advice}recordings.group_by"):
        import_tracks(RecordingFolder(tmp_path), *tables, settings, TrackSettings(format=name))
