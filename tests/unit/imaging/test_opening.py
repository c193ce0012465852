"""Opening recordings of both layouts, and every way in which a recording can be unusable."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameFiles, Recordings, SetAside
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from tests.cases import coco_folder, ctc_folder

COCO = RecordingSettings(layout="coco_vid", channels=coco_folder.CHANNELS, frame_interval_min=30)
CTC = RecordingSettings(layout="cell_tracking_challenge", channels=("H2B",), frame_interval_min=30, pixel_size_um=0.645)


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return coco_folder.write_coco_folder(tmp_path / "coco")


@pytest.fixture
def ctc(tmp_path: Path) -> Path:
    return ctc_folder.write_ctc_folder(tmp_path / "ctc", "01", "02")


def change(settings: RecordingSettings, **changes: Any) -> RecordingSettings:
    return RecordingSettings.model_validate({**settings.model_dump(), **changes})


def test_coco_recordings_are_opened(coco: Path) -> None:
    recordings, files, set_aside = open_recordings(
        RecordingFolder(coco), change(COCO, conditions_file="conditions.csv")
    )
    for schema, table in ((Recordings, recordings), (FrameFiles, files), (SetAside, set_aside)):
        pd.testing.assert_frame_equal(schema.validate(table), table, check_dtype=False)
    assert set_aside.empty
    assert recordings["recording_id"].tolist() == ["001", "002"]
    assert recordings["source"].tolist() == ["images/001", "images/002"]
    assert recordings["dose"].tolist() == ["Control", "High"]
    assert recordings["group_id"].tolist() == ["001", "002"]
    row = recordings.iloc[0]
    assert (row["axes"], row["channels"], row["n_frames"]) == ("TCYX", "circadian|p53|cell_cycle", 8)
    assert (row["height_px"], row["width_px"], row["dtype"]) == (32, 48, "uint16")
    assert files["file_name"].tolist() == [
        f"images/{name}/{frame:04d}.tif" for name in ("001", "002") for frame in range(8)
    ]
    assert files["label_file_name"].isna().all()


def test_lazy_recordings_read_frames_as_they_were_written(coco: Path) -> None:
    folder = RecordingFolder(coco)
    recordings, files, _ = open_recordings(folder, COCO)
    shuffled = files.sample(frac=1, random_state=1)
    first, second = lazy_recordings(folder, recordings, shuffled)
    assert (first.recording_id, second.recording_id, first.n_frames) == ("001", "002", 8)
    assert first.channels == coco_folder.CHANNELS
    expected = tifffile.imread(coco / "images/001/0003.tif")
    assert_array_equal(first.read_frame(3), np.moveaxis(expected, -1, 0))
    assert first.read_frame(3).dtype == np.uint16
    assert first.read_labels(3) is None
    with pytest.raises(InputError, match="Frame 8 of recording '001' does not exist: its frames are 0 to 7"):
        first.read_frame(8)


@pytest.mark.parametrize(
    ("labels", "name"),
    [("none", None), ("silver_truth", "01_ST/SEG/man_seg004.tif"), ("gold_track", "01_GT/TRA/man_track004.tif")],
)
def test_ctc_recordings_are_opened(ctc: Path, labels: str, name: str | None) -> None:
    folder = RecordingFolder(ctc)
    recordings, files, _ = open_recordings(folder, change(CTC, labels=labels))
    assert recordings["recording_id"].tolist() == ["01", "02"]
    assert recordings["n_frames"].tolist() == [6, 6]
    assert recordings["pixel_size_um"].tolist() == [0.645, 0.645]
    assert (recordings["condition"] == "unknown").all()
    assert (recordings["dose"] == "Unknown").all()
    row = files.iloc[4]
    assert (row["recording_id"], row["frame"], row["file_name"]) == ("01", 4, "01/t004.tif")
    recording = next(lazy_recordings(folder, recordings, files))
    found = recording.read_labels(4)
    if name is None:
        assert pd.isna(row["label_file_name"])
        assert found is None
    else:
        assert row["label_file_name"] == name
        assert_array_equal(found, tifffile.imread(ctc / name))


def test_a_trackers_result_is_opened_with_its_own_masks(tmp_path: Path) -> None:
    root = ctc_folder.write_ctc_folder(tmp_path, "03", tracker=True)
    _, files, _ = open_recordings(RecordingFolder(root), change(CTC, labels="silver_truth"))
    assert files["label_file_name"].tolist() == [f"03_RES/mask{frame:03d}.tif" for frame in range(6)]


def test_frames_without_a_label_image_are_null(ctc: Path) -> None:
    (ctc / "01_ST/SEG/man_seg002.tif").unlink()
    folder = RecordingFolder(ctc)
    recordings, files, _ = open_recordings(folder, change(CTC, labels="silver_truth"))
    assert files["label_file_name"].isna().tolist() == [False, False, True] + [False] * 9
    assert next(lazy_recordings(folder, recordings, files)).read_labels(2) is None


def test_sequences_without_tracks_are_left_out(ctc: Path) -> None:
    (ctc / "02_GT/TRA/man_track.txt").unlink()
    recordings, _, _ = open_recordings(RecordingFolder(ctc), CTC)
    assert recordings["recording_id"].tolist() == ["01"]


def test_a_file_that_changes_after_opening_is_an_input_error(coco: Path) -> None:
    folder = RecordingFolder(coco)
    recordings, files, _ = open_recordings(folder, COCO)
    recording = next(lazy_recordings(folder, recordings, files))
    path = coco / "images/001/0003.tif"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"Frame 3 of recording '001' cannot be read: File .*0003\.tif is not a whole"):
        recording.read_frame(3)
    tifffile.imwrite(path, np.zeros((8, 8, 3), np.uint16), photometric="rgb")
    with pytest.raises(InputError, match=r"Frame 3 of recording '001' .* has shape \(3, 8, 8\)"):
        recording.read_frame(3)


def _truncate(root: Path) -> None:
    path = root / "images/002/0005.tif"
    path.write_bytes(path.read_bytes()[:900])


def _remove(root: Path) -> None:
    (root / "images/002/0005.tif").unlink()


def _write(name: str, pixels: np.ndarray) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        tifffile.imwrite(root / name, pixels, photometric="rgb" if pixels.shape[-1] == 3 else "minisblack")

    return damage


def _edit(change_content: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        content = json.loads((root / "annotations.json").read_text())
        change_content(content)
        (root / "annotations.json").write_text(json.dumps(content))

    return damage


def _image(content: dict[str, Any], video: int, frame: int) -> dict[str, Any]:
    return next(image for image in content["images"] if (image["video_id"], image["frame_id"]) == (video, frame))


BAD_COCO_RECORDINGS = {
    "truncated": (_truncate, r"images/002/0005\.tif is not a whole, readable TIFF image"),
    "missing file": (_remove, r"images/002/0005\.tif is missing"),
    "other size": (
        _write("images/002/0005.tif", np.zeros((32, 40, 3), np.uint16)),
        r"images/002/0005\.tif of recording '002' is 40 x 32 px, uint16, 3 sa.*, but .*0000\.tif is 48 x 32",
    ),
    "other type": (_write("images/002/0005.tif", np.zeros((32, 48, 3), np.uint8)), "is 48 x 32 px, uint8"),
    "missing frame": (
        _edit(lambda content: content["images"].remove(_image(content, 2, 5))),
        r"Recording '002' has no image of frame 5: its 7 images are numbered 0 to 7",
    ),
    "first frame missing": (
        _edit(lambda content: content["images"].remove(_image(content, 2, 0))),
        "Recording '002' has no image of frame 0: its 7 images are numbered 1 to 7",
    ),
    "negative frame": (
        _edit(lambda content: _image(content, 2, 7).update(frame_id=-1)),
        "Recording '002' has a negative frame number: its 8 images are numbered -1 to 6",
    ),
    "frame twice": (
        _edit(lambda content: _image(content, 2, 5).update(frame_id=4)),
        "Recording '002' lists frame 4 twice",
    ),
    "no images": (
        _edit(lambda content: content.update(images=[image for image in content["images"] if image["video_id"] == 1])),
        "Recording '002' has no images in images",
    ),
    "path that leaves": (
        _edit(lambda content: _image(content, 2, 5).update(file_name="../../secret.tif")),
        r"Recording '002' names the file images/\.\./\.\./secret\.tif, which lies outside",
    ),
    "absolute path": (
        _edit(lambda content: _image(content, 2, 5).update(file_name="/etc/passwd")),
        "Recording '002' names the file /etc/passwd, which lies outside",
    ),
    "declared size": (
        _edit(lambda content: _image(content, 2, 5).update(width=64)),
        r"images of recording '002' are 64 x 32 px \(width x height\), but images/002/0000\.tif is 48 x 32 px",
    ),
}


@pytest.mark.parametrize("name", BAD_COCO_RECORDINGS)
def test_a_bad_recording_stops_or_is_set_aside(coco: Path, name: str) -> None:
    damage, words = BAD_COCO_RECORDINGS[name]
    damage(coco)
    folder = RecordingFolder(coco)
    with pytest.raises(InputError, match=words) as caught:
        open_recordings(folder, COCO)
    assert "\n" not in str(caught.value)

    recordings, files, set_aside = open_recordings(folder, change(COCO, on_bad_recording="skip"))
    assert recordings["recording_id"].tolist() == ["001"]
    assert set(files["recording_id"]) == {"001"}
    assert set_aside["recording_id"].tolist() == ["002"]
    assert set_aside["reason"].tolist() == [str(caught.value)]
    assert set_aside["cell_id"].isna().all()
    SetAside.validate(set_aside)


def test_samples_that_do_not_match_the_channels_are_an_input_error(coco: Path) -> None:
    settings = change(COCO, channels=("circadian", "p53"))
    with pytest.raises(
        InputError, match=r"0000\.tif of recording '001' has 3 sample\(s\) a pixel, but channels names 2 \(circ"
    ):
        open_recordings(RecordingFolder(coco), settings)
    with pytest.raises(InputError, match=r"None of the 2 recordings in .* can be used.*has 3 sample"):
        open_recordings(RecordingFolder(coco), change(settings, on_bad_recording="skip"))


BAD_FILES = {
    "missing": (lambda root: (root / "annotations.json").unlink(), r"has no annotation file annotations\.json"),
    "cut short": (
        lambda root: (root / "annotations.json").write_text((root / "annotations.json").read_text()[:500]),
        "is not valid JSON in the COCO-VID layout",
    ),
    "empty": (lambda root: (root / "annotations.json").write_text(""), "is not valid JSON"),
    "not text": (
        lambda root: (root / "annotations.json").write_bytes(b'{"videos": [{"id": 1, "name": "\xe9"}]}'),
        "not valid",
    ),
    "a list": (lambda root: (root / "annotations.json").write_text("[1, 2]"), "not valid JSON in the COCO-VID"),
    "two objects": (lambda root: (root / "annotations.json").write_text("{}\n{}"), "holds 2 JSON objects"),
    "no list": (_edit(lambda content: content.pop("images")), "has no list 'images'"),
    "no frame_id": (
        _edit(lambda content: content["images"][3].pop("frame_id")),
        "Item 3 of 'images' in .* has no usable 'frame_id'",
    ),
    "half a frame": (
        _edit(lambda content: content["images"][3].update(frame_id=1.5)),
        "Item 3 .* no usable 'frame_id'",
    ),
    "no videos": (_edit(lambda content: content.update(videos=[], images=[])), "lists no videos"),
    "video twice": (_edit(lambda content: content["videos"][1].update(id=1)), "lists the video id 1 twice"),
    "name twice": (_edit(lambda content: content["videos"][1].update(name="001")), "lists the video name 001 twice"),
    "image twice": (
        _edit(lambda content: content["images"][1].update(id=content["images"][0]["id"])),
        "the image id .* twice",
    ),
    "unknown video": (
        _edit(lambda content: content["images"][0].update(video_id=9)),
        "belongs to video 9, which 'videos'",
    ),
    "number as name": (
        _edit(lambda content: content["videos"][0].update(name=5)),
        "videos/.*name.* changed from string",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_an_unusable_annotation_file_is_an_input_error_even_when_skipping(coco: Path, name: str) -> None:
    damage, words = BAD_FILES[name]
    damage(coco)
    with pytest.raises(InputError, match=words) as caught:
        open_recordings(RecordingFolder(coco), change(COCO, on_bad_recording="skip"))
    assert "annotations.json" in str(caught.value)


def test_an_indented_annotation_file_is_read(coco: Path) -> None:
    content = json.loads((coco / "annotations.json").read_text())
    (coco / "annotations.json").write_text(json.dumps(content, indent=2))
    assert len(open_recordings(RecordingFolder(coco), COCO)[0]) == 2


CONDITIONS = {
    "missing": (None, "is missing"),
    "column": ("recording_id,condition\n001,High\n002,Low\n", "has no column dose; .* recordings.conditions_columns"),
    "unknown": (
        "recording_id,condition,dose\n001,a,b\nB02,a,b\n7,a,b\n",
        r"no line for 1 of 2 recordings of the folder: '002'; its lines without a recording are '7', 'B02'; write",
    ),
    "absent": (
        "recording_id,condition,dose\n001,a,b\n",
        "no line for 1 of 2 recordings of the folder: '002'; write one",
    ),
    "twice": ("recording_id,condition,dose\n001,a,b\n001.tif,a,c\n002,a,b\n", "lists a recording twice: '001'"),
    "blank": ("recording_id,condition,dose\n001,a,b\n002,a,\n", "Line 3 of .* has an empty field in column dose"),
    "all doses": ("recording_id,condition,dose\n001,a,b\n002,a,all\n", "Line 3 of .* names the dose 'all'"),
    "ragged": ("recording_id,condition,dose\n001,a,b\n002,a,b,c,d\n", "Line 3 of .* has 5 fields separated by commas"),
    "unit": ("recording_id,condition,dose,dose_unit\n001,a,1,uM\n002,a,2,\n", "Line 3 of .* the dose 2 without a unit"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_an_unusable_conditions_file_is_an_input_error(coco: Path, name: str) -> None:
    content, words = CONDITIONS[name]
    (coco / "conditions.csv").unlink()
    if content is not None:
        (coco / "conditions.csv").write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        open_recordings(RecordingFolder(coco), change(COCO, conditions_file="conditions.csv"))
    assert "conditions.csv" in str(caught.value)


def test_conditions_can_name_the_group(coco: Path) -> None:
    (coco / "conditions.csv").write_text(
        "recording_id,condition,dose,group_id\n002,drug,Low,well A\n001,none,Control,well A\n"
    )
    recordings, _, _ = open_recordings(RecordingFolder(coco), change(COCO, conditions_file="conditions.csv"))
    assert recordings["group_id"].tolist() == ["well A", "well A"]
    assert recordings["dose"].tolist() == ["Control", "Low"]


def test_words_that_pandas_takes_for_nothing_are_doses(coco: Path) -> None:
    (coco / "conditions.csv").write_text("recording_id,condition,dose\n001,NA,None\n002,null,0\n")
    recordings, _, _ = open_recordings(RecordingFolder(coco), change(COCO, conditions_file="conditions.csv"))
    assert recordings["condition"].tolist() == ["NA", "null"]
    assert recordings["dose"].tolist() == ["None", "0"]


def test_a_recording_set_aside_may_stand_in_the_conditions(coco: Path) -> None:
    _truncate(coco)
    settings = change(COCO, conditions_file="conditions.csv", on_bad_recording="skip")
    assert open_recordings(RecordingFolder(coco), settings)[0]["recording_id"].tolist() == ["001"]


def test_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The folder of recordings .*nowhere does not exist"):
        RecordingFolder(tmp_path / "nowhere")


def test_folders_without_sequences_or_tracks_are_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no numbered sequence folder such as 01"):
        open_recordings(RecordingFolder(tmp_path), CTC)
    (tmp_path / "01").mkdir()
    with pytest.raises(InputError, match="holds the sequences 01 without tracks"):
        open_recordings(RecordingFolder(tmp_path), CTC)


def _no_masks(root: Path) -> None:
    for path in (root / "02_ST/SEG").iterdir():
        path.unlink()


BAD_CTC_RECORDINGS = {
    "no frame": (lambda root: (root / "02/t002.tif").unlink(), "Recording '02' has no image of frame 2"),
    "no images": (
        lambda root: [path.unlink() for path in (root / "02").iterdir()],
        "Recording '02' has no images in 02",
    ),
    "no masks": (_no_masks, "Recording '02' has no label images in 02_ST/SEG, but recordings.labels asks"),
    "mask size": (
        _write("02_ST/SEG/man_seg003.tif", np.zeros((40, 50), np.uint16)),
        r"man_seg003\.tif of recording '02' is 50 x 40 px",
    ),
    "mask type": (_write("02_ST/SEG/man_seg003.tif", np.zeros((40, 60), np.float32)), "but integers of 60 x 40 px"),
    "colour": (
        _write("02/t000.tif", np.zeros((40, 60, 3), np.uint16)),
        r"has 3 sample\(s\) a pixel, but channels names 1 \(H2B\)",
    ),
}


@pytest.mark.parametrize("name", BAD_CTC_RECORDINGS)
def test_a_bad_sequence_stops_or_is_set_aside(ctc: Path, name: str) -> None:
    damage, words = BAD_CTC_RECORDINGS[name]
    damage(ctc)
    settings = change(CTC, labels="silver_truth")
    with pytest.raises(InputError, match=words):
        open_recordings(RecordingFolder(ctc), settings)
    recordings, _, set_aside = open_recordings(RecordingFolder(ctc), change(settings, on_bad_recording="skip"))
    assert recordings["recording_id"].tolist() == ["01"]
    assert set_aside["recording_id"].tolist() == ["02"]


def test_opening_decodes_no_pixel(coco: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    monkeypatch.setattr(tifffile.TiffFile, "asarray", refuse)
    folder = RecordingFolder(coco)
    recordings, files, _ = open_recordings(folder, COCO)
    assert len(recordings) > 0
    with pytest.raises(InputError, match="pixels were decoded"):
        next(lazy_recordings(folder, recordings, files)).read_frame(0)


@pytest.mark.real
def test_the_real_recording_is_opened(real_data: Path) -> None:
    folder = RecordingFolder(real_data / "ctc_hela")
    recordings, files, set_aside = open_recordings(folder, change(CTC, labels="silver_truth"))
    assert recordings[["recording_id", "n_frames", "height_px", "width_px"]].to_numpy().tolist() == [
        ["02", 92, 700, 1100]
    ]
    assert files["label_file_name"].notna().all()
    assert set_aside.empty
    image = next(lazy_recordings(folder, recordings, files)).read_frame(50)
    assert image.shape == (1, 700, 1100)
    assert image.min() >= 32768
