"""What a track file states about its images, held against the recording."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.preflight import PreflightSettings, run_preflight
from cellfate.preflight.reading import open_folder
from cellfate.tracks import TrackSettings, import_tracks
from cellfate.tracks.records import TrackSource
from cellfate.tracks.stated import StatedFacts, compare_facts
from tests.cases.track_formats import (
    FAMILY,
    FORMATS,
    HEIGHT_PX,
    N_FRAMES,
    WIDTH_PX,
    expected_detections,
    found_detections,
    gather,
    write_trackmate_xml,
)

SOURCE = TrackSource(Path(), "A01", 8, 30.0, 0.5, 40, 60, "A01.ome.tif")


def said(source: TrackSource = SOURCE, **stated: Any) -> list[tuple[str, str]]:
    return [(remark.check, remark.sentence) for remark in compare_facts(StatedFacts("a.xml", **stated), source)]


def test_what_agrees_or_is_not_stated_is_not_told() -> None:
    assert said() == []
    assert said(width_px=60, height_px=40, n_frames=8, frame_interval_min=30.1, pixel_size_um=0.502) == []
    unknown = TrackSource(Path(), "A01", 8, 30.0, float("nan"), 40, 60, "A01.ome.tif")
    assert said(unknown, pixel_size_um=0.2) == []


def test_an_image_of_another_size_is_an_error_with_both_sizes_and_files() -> None:
    ((check, sentence),) = said(width_px=30, height_px=20)
    assert check == "other_image"
    assert (
        "a.xml states an image of 30 x 20 px, but recording 'A01' (A01.ome.tif) has an image of 60 x 40 px" in sentence
    )


def test_positions_in_micrometres_of_a_smaller_copy_are_right() -> None:
    """Half as many pixels, twice as large: the same field."""
    copy = {"width_px": 30, "height_px": 20, "from_micrometres": True}
    assert said(**copy, pixel_size_um=1.0) == []
    ((check, sentence),) = said(**copy, pixel_size_um=0.5)
    assert check == "other_image"
    assert "states a field of 30 x 20 px, but" in sentence
    ((check, _),) = said(width_px=60, height_px=40, from_micrometres=True, pixel_size_um=1.0)
    assert check == "other_image"


def test_names_of_images_may_hold_dots() -> None:
    images = {"2026.01.05_a": "2026.01.05_A", "2026.01.05_b": "2026.01.05_B"}
    source = replace(SOURCE, recording_id="2026.01.05_A", image="2026.01.05_A.ome.tif", other_images=images)
    assert said(source, image_name="C:\\data\\2026.01.05_A.tif") == []
    ((check, _),) = said(source, image_name="2026.01.05_B.tif")
    assert check == "other_image"


@pytest.mark.parametrize("own", ["A01", "A010"])  # a name that holds the other is no agreement
def test_the_image_of_another_recording_is_an_error(own: str) -> None:
    source = replace(
        SOURCE, recording_id=own, image=f"{own}.tif", other_images={"a1": "A1", "a01": "A01", "a010": "A010"}
    )
    assert said(source, image_name=f"/elsewhere/{own}.TIF") == []
    other = "A010" if own == "A01" else "A01"
    ((check, sentence),) = said(source, image_name=f"{other}.tif")
    assert check == "other_image"
    assert f"a.xml states the image '{other}.tif', which is that of recording '{other}', but" in sentence


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"n_frames": 9}, "states 9 frames, but recording 'A01' (A01.ome.tif) has 8"),
        (
            {"frame_interval_min": 20.0},
            "a frame every 20 min, but recording 'A01' (A01.ome.tif) has a frame every 30 min",
        ),
        ({"pixel_size_um": 0.25}, "pixels of 0.25 um, but recording 'A01' (A01.ome.tif) has pixels of 0.5 um"),
        (
            {"image_name": "B07.tif"},
            "a.xml states the image 'B07.tif', but recording 'A01' (A01.ome.tif) has the image",
        ),
    ],
)
def test_other_facts_are_warnings(stated: dict[str, Any], words: str) -> None:
    ((check, sentence),) = said(**stated)
    assert check == "other_facts"
    assert words in sentence


@pytest.mark.parametrize("name", ["a01.tif", "C:\\data\\A01_registered.tif", "", "A.tif"])
def test_names_are_alike_if_one_holds_the_other(name: str) -> None:
    assert said(image_name=name) == []


@pytest.mark.parametrize(
    ("unit", "stated", "advice"),
    [
        (None, {"width_px": 30, "height_px": 20, "pixel_size_um": 1.0}, "or set tracks.position_unit to um, because"),
        (None, {"width_px": 40, "height_px": 60}, "or turn the images back: width and height are swapped."),
        (None, {"width_px": 90, "height_px": 90, "pixel_size_um": 0.5}, "or the images as they were then, if they"),
        ("um", {"width_px": 90, "height_px": 90, "pixel_size_um": 0.5}, "or the images as they were then, if they"),
        ("um", {"width_px": 40, "height_px": 60, "pixel_size_um": 0.5}, "or turn the images back"),
    ],
)
def test_what_to_do_about_another_size_is_what_fits(unit: str | None, stated: dict[str, Any], advice: str) -> None:
    (sentence,) = (told for check, told in said(**stated, from_micrometres=unit == "um") if check == "other_image")
    assert f"give the tracks that were made on this recording, {advice}" in sentence
    assert sentence.count("tracks.position_unit") == ("to um" in advice)


def test_without_a_pixel_size_the_copy_needs_both_parameters() -> None:
    unknown = TrackSource(Path(), "A01", 8, 30.0, float("nan"), 40, 60, "A01.ome.tif")
    ((_, sentence),) = said(unknown, width_px=30, height_px=20, pixel_size_um=1.0)
    assert "or, of a smaller copy, set recordings.pixel_size_um, and tracks.position_unit to um." in sentence


@pytest.mark.parametrize(("key", "unit"), [("spatialunits", "furlong"), ("timeunits", "fortnight")])
def test_a_unit_that_is_not_known_is_told(tmp_path: Path, key: str, unit: str) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    path = tmp_path / "01.xml"
    path.write_text(re.sub(rf'{key}="\w+"', f'{key}="{unit}"', path.read_text()))
    detections, _, problems = gather(tmp_path, format="trackmate_xml")
    assert problems[["check", "recording_id"]].to_numpy().tolist() == [["other_facts", "01"]]
    assert problems["reason"][0].startswith(f"01.xml states times or lengths in '{unit}', which is no unit that is")
    assert found_detections(detections) == expected_detections(FAMILY)


@pytest.mark.parametrize(("interval", "told"), [("0.5", False), ("1.5", True)])
def test_hrs_are_hours(tmp_path: Path, interval: str, told: bool) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    path = tmp_path / "01.xml"
    text = path.read_text().replace('timeunits="min"', 'timeunits="hrs"')
    path.write_text(text.replace('timeinterval="30.0"', f'timeinterval="{interval}"'))
    _, _, problems = gather(tmp_path, format="trackmate_xml")
    assert ["a frame every 90 min" in reason for reason in problems["reason"]] == [True] * told


def test_pixels_that_are_not_square_are_told_and_positions_are_right_by_their_sides(tmp_path: Path) -> None:
    """A pixel is 0.5 um wide and 0.25 um high, so the y of every spot is twice as many pixels."""
    halved = tuple(
        replace(cell, centres={frame: (y / 2, x) for frame, (y, x) in cell.centres.items()}) for cell in FAMILY
    )
    write_trackmate_xml(tmp_path, halved)
    path = tmp_path / "01.xml"
    path.write_text(path.read_text().replace('pixelheight="0.5"', 'pixelheight="0.25"'))
    detections, _, problems = gather(tmp_path, format="trackmate_xml")
    assert found_detections(detections) == expected_detections(FAMILY)
    assert problems["check"].tolist() == ["pixel_sides"]
    assert (
        "01.xml states pixels that are 0.5 wide and 0.25 high, but square ones were expected" in problems["reason"][0]
    )
    _, _, problems = gather(tmp_path, format="trackmate_xml", position_unit="um")
    assert "set tracks.position_unit to null" in problems["reason"][0]


def half_size(root: Path) -> TrackSettings:
    """Images of the recording, and tracks that state half their size."""
    tifffile.imwrite(
        root / "01.ome.tif", np.zeros((N_FRAMES, HEIGHT_PX, WIDTH_PX), np.uint16), metadata={"axes": "TYX"}
    )
    write_trackmate_xml(root, FAMILY)
    path = root / "01.xml"
    text = re.sub(r'width="60" height="40"', 'width="30" height="20"', path.read_text())
    path.write_text(text.replace('filename="01.tif"', 'filename="other.tif"'))
    return TrackSettings(format="trackmate_xml")


LAYOUT = RecordingSettings(
    layout="tiff_stacks", channels=("gfp",), frame_interval_min=30, pixel_size_um=0.5, file_axes="TYX"
)


def test_an_image_of_another_size_is_found_by_the_preflight_and_stops_the_import(tmp_path: Path) -> None:
    tracks, folder = half_size(tmp_path), RecordingFolder(tmp_path)
    found = open_folder(folder, LAYOUT, tracks).findings
    assert found[["check", "severity", "recording_id"]].to_numpy().tolist() == [
        ["other_image", "error", "01"],
        ["other_facts", "warning", "01"],
    ]
    recordings, frame_files, _ = open_recordings(folder, LAYOUT)
    with pytest.raises(InputError, match=r"30 x 20 px, but recording '01' \(01.ome.tif\) has an image of 60 x 40 px"):
        import_tracks(folder, recordings, frame_files, LAYOUT, tracks)


def test_tracks_of_a_smaller_copy_are_right_once_the_advice_is_followed(tmp_path: Path) -> None:
    """The copy has half as many pixels of 1 um; TrackMate's positions are micrometres."""
    write_trackmate_xml(tmp_path, FAMILY)
    path = tmp_path / "01.xml"
    text = path.read_text().replace('width="60" height="40"', 'width="30" height="20"')
    path.write_text(text.replace('pixelwidth="0.5" pixelheight="0.5"', 'pixelwidth="1.0" pixelheight="1.0"'))
    _, _, problems = gather(tmp_path, format="trackmate_xml")
    assert "set tracks.position_unit to um" in problems.loc[problems["check"] == "other_image", "reason"].iloc[0]
    detections, _, problems = gather(tmp_path, format="trackmate_xml", position_unit="um")
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)


@pytest.mark.parametrize("name", ["csv", "napari_csv", "trackmate_xml", "trackmate_csv", "geff", "btrack"])
@pytest.mark.parametrize("size", [(12, 12), (60, 40)], ids=["cut out", "turned"])
def test_another_unit_is_not_advised_where_the_images_are_others(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    """Tracks of images of 40 x 60 px; whoever followed such advice was told to go back by the next sentence."""
    case = next(case for case in FORMATS if case.name == name)
    cells = tuple(
        replace(cell, centres={frame: (y, x + 10) for frame, (y, x) in cell.centres.items()}) for cell in FAMILY
    )
    case.write(tmp_path, cells)
    tifffile.imwrite(tmp_path / "01.ome.tif", np.zeros((N_FRAMES, *size), np.uint16), metadata={"axes": "TYX"})
    tracks = TrackSettings(format=name, **case.settings)
    made = run_preflight(RecordingFolder(tmp_path), LAYOUT, tracks, (8, 8), PreflightSettings())
    told = " ".join(made.findings.query("severity == 'error'")["finding"])
    assert "outside the image" in told
    assert "set tracks.position_unit" not in told


def test_a_recording_whose_tracks_are_of_another_image_is_set_aside_where_it_may_be(tmp_path: Path) -> None:
    for name in ("02", "01"):  # the tracks of 02 are those of 01, untouched
        tracks = half_size(tmp_path)
        if name == "02":
            (tmp_path / "01.ome.tif").rename(tmp_path / "02.ome.tif")
            write_trackmate_xml(tmp_path, FAMILY)
            renamed = (tmp_path / "01.xml").rename(tmp_path / "02.xml")
            renamed.write_text(re.sub(r'filename="[^"]*"', 'filename="elsewhere.tif"', renamed.read_text()))
    folder, lenient = RecordingFolder(tmp_path), LAYOUT.model_copy(update={"on_bad_recording": "skip"})
    recordings, frame_files, _ = open_recordings(folder, lenient)
    _, cells, set_aside = import_tracks(folder, recordings, frame_files, lenient, tracks)
    assert set_aside["recording_id"].tolist() == ["01"]
    assert set(cells["recording_id"]) == {"02"}  # another name of the image is a warning


def test_an_interval_that_nobody_set_is_not_told(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    path = tmp_path / "01.xml"
    text = path.read_text().replace("micron", "pixel").replace('timeinterval="30.0"', 'timeinterval="1.0"')
    path.write_text(text.replace('pixelwidth="0.5" pixelheight="0.5"', 'pixelwidth="1.0" pixelheight="1.0"'))
    _, _, problems = gather(tmp_path, format="trackmate_xml")
    assert problems.empty
    path.write_text(path.read_text().replace('timeinterval="1.0"', 'timeinterval="2.0"'))
    _, _, problems = gather(tmp_path, format="trackmate_xml")
    assert "a frame every 2 min" in problems["reason"].iloc[0]
