"""Every layout is recognised, and what is written reads what the writer of the folder says it takes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.recognition.images import FIRST, Images, recognise_images
from cellfate.recognition.survey import survey_folder
from tests.cases import stored_images
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.ctc_folder import write_ctc_folder


def look(root: Path, **options) -> Images:
    return recognise_images(survey_folder(root), **options)


def settings_of(images: Images, **answers) -> RecordingSettings:
    """Settings that are written, with a person's answers; every question must have one and no other."""
    questions = {one.key.removeprefix("recordings.") for one in images.values if one.is_open}
    assert questions == set(answers)
    values = {one.key.removeprefix("recordings."): one.value for one in images.values}
    return RecordingSettings(**{**values, **answers})


ANSWERS = {
    "imagej": {"channels": stored_images.CHANNELS},
    "plain_pages": {
        "channels": stored_images.CHANNELS,
        "frame_interval_min": stored_images.INTERVAL_MIN,
        "file_axes": "TCYX",
    },
    "plane_files": {"channels": stored_images.CHANNELS, "frame_interval_min": stored_images.INTERVAL_MIN},
}
"""What a person must say of each format: what its files do not say."""


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_a_folder_gets_the_settings_that_it_was_written_with(name, tmp_path):
    written = stored_images.WRITERS[name](tmp_path, stored_images.make_image())
    images = look(tmp_path)
    assert settings_of(images, **ANSWERS.get(name, {})) == RecordingSettings(**written)
    recordings, _, _ = open_recordings(RecordingFolder(tmp_path), RecordingSettings(**written))
    assert list(images.names) == recordings["recording_id"].tolist()


@pytest.mark.parametrize("folder", ["images", "day 1/raw"])
def test_recordings_in_a_subfolder_are_named_by_their_files(folder, tmp_path):
    (tmp_path / folder).mkdir(parents=True)
    written = stored_images.write_ome_tiff(tmp_path / folder, stored_images.make_image())
    images = look(tmp_path)
    assert settings_of(images) == RecordingSettings(**written, files=f"{folder}/*.tif")
    assert images.names == ("pos1",)


def test_recordings_in_several_folders_are_named_by_folder_and_file(tmp_path):
    for day in ("day1", "day2"):
        (tmp_path / "raw" / day).mkdir(parents=True)
        written = stored_images.write_ome_tiff(tmp_path / "raw" / day, stored_images.make_image())
    images = look(tmp_path)
    settings = settings_of(images)
    assert settings == RecordingSettings(**written, files="raw/*/*.tif")
    assert images.names == ("day1_pos1", "day2_pos1")
    recordings, _, _ = open_recordings(RecordingFolder(tmp_path), settings)
    assert list(images.names) == recordings["recording_id"].tolist()


def test_a_coco_folder(tmp_path):
    write_coco_folder(tmp_path)
    images = look(tmp_path)
    expected = RecordingSettings(layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0)
    assert settings_of(images, channels=CHANNELS, frame_interval_min=30.0) == expected
    assert images.names == ("001", "002")
    assert images.cell_px == pytest.approx(10)


@pytest.mark.parametrize(
    ("options", "labels", "cell_px"),
    [
        ({}, "silver_truth", np.sqrt(4 * 25 / np.pi)),
        ({"masks": False}, "none", None),
        ({"tracker": True}, "silver_truth", np.sqrt(4 * 25 / np.pi)),
    ],
)
def test_a_cell_tracking_challenge_folder(options, labels, cell_px, tmp_path):
    write_ctc_folder(tmp_path, "01", "02", **options)
    images = look(tmp_path)
    given = {
        "layout": "cell_tracking_challenge",
        "channels": ("channel",),
        "frame_interval_min": 30.0,
        "labels": labels,
    }
    assert settings_of(images, frame_interval_min=30.0) == RecordingSettings(**given)
    assert images.names == ("01", "02")
    assert images.cell_px == (None if cell_px is None else pytest.approx(cell_px))  # masks of 5 x 5 px


def test_metamorph_and_incucyte_names(tmp_path):
    image = np.ones((8, 9), np.uint16)
    names = [f"exp_w{w}_s{s}_t{t}.TIF" for w in ("1CFP", "2YFP") for s in (1, 2) for t in (1, 2, 3)]
    metamorph, incucyte = tmp_path / "m", tmp_path / "i"
    metamorph.mkdir()
    incucyte.mkdir()
    for name in names:
        tifffile.imwrite(metamorph / name, image)
    for name in [f"{c}_A1_1_00d{h:02d}h00m.tif" for c in ("Phase", "Green") for h in (0, 1, 2)]:
        tifffile.imwrite(incucyte / name, image)
    images = look(metamorph)
    assert settings_of(images, frame_interval_min=5.0).pattern == "metamorph"
    assert images.names == ("exp_1", "exp_2")
    assert settings_of(look(incucyte)) == RecordingSettings(layout="file_pattern", pattern="incucyte")


def test_own_names_are_read_as_they_are_guessed(tmp_path):
    for position in ("ctrl", "drug"):
        for frame in range(4):
            for channel in ("GFP", "RFP"):
                path = tmp_path / "raw" / position / f"{channel}_t{frame:02d}.tif"
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, np.ones((8, 9), np.uint16))
    images = look(tmp_path)
    settings = settings_of(images, frame_interval_min=5.0)
    recordings, _, _ = open_recordings(RecordingFolder(tmp_path), settings)
    assert recordings["recording_id"].tolist() == ["ctrl", "drug"] == list(images.names)
    assert recordings["channels"].tolist() == ["GFP|RFP"] * 2
    assert recordings["n_frames"].tolist() == [4, 4]


def test_names_that_mean_more_than_one_thing_are_a_question(tmp_path):
    for a in range(3):
        for b in range(3):
            tifffile.imwrite(tmp_path / f"{a}_{b}.tif", np.ones((8, 9), np.uint16))
            tifffile.imwrite(tmp_path / f"x{a}_y{b}.tif", np.ones((8, 9), np.uint16))
    questions = [one.key for one in look(tmp_path).values if one.is_open]
    assert questions == ["recordings.pattern", "recordings.channels", "recordings.frame_interval_min"]


def test_planes_that_may_be_time_points_are_a_question(tmp_path):
    stack = np.ones((12, 2, 8, 9), np.uint16)
    details = {"axes": "ZCYX", "finterval": 300.0}
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata=details)
    images = look(tmp_path)
    question = next(one for one in images.values if one.key == "recordings.file_axes")
    assert question.is_open
    assert "12 planes; if these are time points, set TCYX" in question.words
    assert images.frame_interval_min == 5.0
    settings = settings_of(images, file_axes="TCYX", channels=("a", "b"))
    recordings, _, _ = open_recordings(RecordingFolder(tmp_path), settings)
    assert recordings[["n_frames", "frame_interval_min"]].to_numpy().tolist() == [[12, 5.0]]


def test_channels_that_may_be_time_points_are_a_question(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", np.ones((12, 8, 9), np.uint16))
    images = look(tmp_path)
    question = next(one for one in images.values if one.key == "recordings.file_axes")
    assert question.is_open
    assert "12 channels; if these are time points, set TYX" in question.words
    settings = settings_of(images, file_axes="TYX", frame_interval_min=5)
    assert open_recordings(RecordingFolder(tmp_path), settings)[0]["n_frames"].tolist() == [12]


def test_planes_of_ome_zarr_that_may_be_time_points_are_a_question(tmp_path):
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    group.create_array("0", data=np.ones((12, 8, 9), np.uint16), chunks=(1, 8, 9))
    described = {"axes": [{"name": axis} for axis in "zyx"], "datasets": [{"path": "0"}], "version": "0.4"}
    group.attrs.update({"multiscales": [described]})
    images = look(tmp_path)
    question = next(one for one in images.values if one.key == "recordings.file_axes")
    assert "12 planes; if these are time points, set TYX" in question.words
    settings = settings_of(images, file_axes="TYX", frame_interval_min=5)
    assert open_recordings(RecordingFolder(tmp_path), settings)[0]["n_frames"].tolist() == [12]


def test_masks_and_projections_beside_recordings_are_left_out(tmp_path):
    (tmp_path / "raw").mkdir()
    stored_images.write_ome_tiff(tmp_path / "raw", stored_images.make_image())
    shutil.copytree(tmp_path / "raw", tmp_path / "masks")
    shutil.copy(tmp_path / "raw" / "pos1.ome.tif", tmp_path / "masks" / "MAX_pos1.ome.tif")
    images = look(tmp_path)
    assert images.names == ("pos1",)
    (note,) = images.notes
    assert note.startswith(
        "By their names no recordings (masks, projections, flat fields) and left out: masks/MAX_pos1.ome.tif"
    )


def test_a_projection_among_recordings_is_a_question(tmp_path):
    """The layout would take it for a recording."""
    stored_images.write_ome_tiff(tmp_path, stored_images.make_image())
    shutil.copy(tmp_path / "pos1.ome.tif", tmp_path / "MAX_pos1.ome.tif")
    images = look(tmp_path)
    question = next(one for one in images.values if one.is_open)
    assert question.key == "recordings.files"
    assert "such as pos1.ome.tif lie images that are none by their names, such as MAX_pos1.ome.tif" in question.words
    assert images.header is not None
    assert images.names == ("pos1",)


def test_one_image_among_stacks_does_not_make_them_single_images(tmp_path):
    for name in ("b", "c", "d"):
        (tmp_path / name).mkdir()
        stored_images.write_ome_tiff(tmp_path / name, stored_images.make_image())
        (tmp_path / name / "pos1.ome.tif").rename(tmp_path / f"{name}.ome.tif")
        (tmp_path / name).rmdir()
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 9), np.uint16))
    assert look(tmp_path).layout == "tiff_stacks"


def test_a_channel_that_the_preset_does_not_tell_is_not_read_as_recordings(tmp_path):
    for channel in ("w1CSU_491", "w2CSU_561"):
        for frame in (1, 2, 3):
            tifffile.imwrite(tmp_path / f"exp_{channel}_s3_t{frame}.TIF", np.ones((8, 9), np.uint16))
    images = look(tmp_path)
    pattern = next(one for one in images.values if one.key == "recordings.pattern")
    assert pattern.is_open or images.names == ("exp_3",)


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    for name in ("a.avi", "b.csv"):
        (tmp_path / name).write_text("x")
    with pytest.raises(
        InputError, match=r"no images .* but 2 files \(endings: \.avi, \.csv\); \.avi is not read, save"
    ):
        look(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="but no files; give the folder"):
        look(tmp_path / "empty")


def test_two_layouts_are_named_and_one_can_be_chosen(tmp_path):
    stored_images.write_ome_tiff(tmp_path, stored_images.make_image())
    stored_images.write_ome_zarr(tmp_path, stored_images.make_image())
    with pytest.raises(InputError, match=r"2 layouts: ome_zarr \(1 OME-Zarr .*\); tiff_stacks .* --layout ome_zarr"):
        look(tmp_path)
    assert look(tmp_path, layout="tiff_stacks").layout == "tiff_stacks"
    with pytest.raises(InputError, match="no images of layout vendor"):
        look(tmp_path, layout="vendor")


def test_images_that_cannot_be_opened_are_an_error(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 no image")
    with pytest.raises(InputError, match=r"look like layout tiff_stacks, but none of the first 1 can be opened"):
        look(tmp_path)


def test_only_the_first_recordings_are_opened(tmp_path, monkeypatch):
    stored_images.write_ome_tiff(tmp_path, stored_images.make_image())
    for number in range(30):
        shutil.copy(tmp_path / "pos1.ome.tif", tmp_path / f"q{number:02d}.ome.tif")
    opened = []
    from cellfate.imaging import tiff_series, tiff_stacks

    monkeypatch.setattr(
        tiff_stacks, "open_series", lambda path, *whole: opened.append(path) or tiff_series.open_series(path)
    )
    images = look(tmp_path)
    assert len(images.names) == 31
    assert len(opened) == FIRST


def test_a_programs_names_in_a_folder_do_not_name_recordings_after_it(tmp_path):
    (tmp_path / "images").mkdir()
    written = stored_images.write_plane_files(tmp_path / "images", stored_images.make_image())
    images = look(tmp_path)
    settings = settings_of(images, channels=written["channels"], frame_interval_min=written["frame_interval_min"])
    assert images.names == ("001",)
    assert open_recordings(RecordingFolder(tmp_path), settings)[0]["recording_id"].tolist() == ["001"]


def test_files_of_an_operating_system_are_no_recordings(tmp_path):
    for folder in ("stacks", "planes"):
        (tmp_path / folder).mkdir()
    stored_images.write_ome_tiff(tmp_path / "stacks", stored_images.make_image())
    stored_images.write_plane_files(tmp_path / "planes", stored_images.make_image())
    for path in [*tmp_path.rglob("*.tif")]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
    assert settings_of(look(tmp_path / "stacks")).layout == "tiff_stacks"
    assert open_recordings(RecordingFolder(tmp_path / "stacks"), settings_of(look(tmp_path / "stacks")))
    assert look(tmp_path / "planes").header is not None


def write_channels(root: Path, **channels: tuple[str, ...]) -> None:
    """OME-TIFF of recordings that store these channels."""
    for name, names in channels.items():
        image = np.ones((20, len(names), 16, 16), np.uint16)
        details = {"axes": "TCYX", "TimeIncrement": 30.0, "TimeIncrementUnit": "min", "Channel": {"Name": list(names)}}
        tifffile.imwrite(root / f"{name}.ome.tif", image, metadata=details)


@pytest.mark.parametrize("odd", ["A1", "A2", "A5"])
def test_a_recording_that_lacks_a_channel_is_said(odd, tmp_path):
    """Also where it is the first, or is not among the first that are opened but smaller."""
    stored = {f"A{number}": ("gfp", "rfp") for number in range(1, 7)}
    write_channels(tmp_path, **{**stored, odd: ("gfp",)})
    images = look(tmp_path)
    (note,) = images.notes
    assert note.startswith(f"'{odd}' stores gfp, and others store gfp, rfp: all recordings of a study need the same")
    assert images.header.channels == ("gfp", "rfp")
    (tmp_path / f"{odd}.ome.tif").unlink()
    assert look(tmp_path).notes == ()


def test_a_small_file_that_cannot_be_opened_is_said(tmp_path):
    write_channels(tmp_path, **{f"A{number}": ("gfp", "rfp") for number in range(1, 7)})
    whole = (tmp_path / "A5.ome.tif").read_bytes()
    (tmp_path / "A5.ome.tif").write_bytes(whole[: len(whole) // 2])
    (note,) = look(tmp_path).notes
    assert note.startswith("Recording 'A5' cannot be opened: ")


def test_a_recording_that_lacks_a_channel_is_said_by_names_of_files(tmp_path):
    for position in range(1, 7):
        for channel in ("w1CFP", "w2YFP")[: 1 + (position != 6)]:
            for frame in (1, 2, 3):
                tifffile.imwrite(tmp_path / f"exp_{channel}_s{position}_t{frame}.TIF", np.ones((8, 9), np.uint16))
    (note,) = look(tmp_path).notes
    assert note.startswith("'exp_6' stores w1CFP, and others store w1CFP, w2YFP: all recordings of a study")
