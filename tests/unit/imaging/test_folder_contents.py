"""A wrong folder is told as such: what it holds instead of what was expected, and what to do."""

from pathlib import Path

import pytest

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.imaging.settings import Layout
from cellfate.imaging.tiff_stacks import look_at_stacks

GIVEN: dict[Layout, dict[str, object]] = {
    "coco_vid": {"channels": ("h2b",), "frame_interval_min": 5.0},
    "cell_tracking_challenge": {"channels": ("h2b",), "frame_interval_min": 5.0},
    "file_pattern": {"pattern": "micromanager"},
    "tiff_stacks": {},
    "ome_zarr": {},
    "vendor": {},
}


def fill(root: Path, *names: str) -> Path:
    """A folder of empty files; names that end with a slash are folders."""
    for name in names:
        (root / name).mkdir(parents=True) if name.endswith("/") else _touch(root / name)
    return root


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def complain(root: Path, layout: Layout) -> str:
    """What is said of a folder; that it lacks a table of conditions is not."""
    settings = RecordingSettings(layout=layout, conditions_file="conditions.csv", **GIVEN[layout])
    with pytest.raises(InputError) as caught:
        open_recordings(RecordingFolder(root), settings)
    return str(caught.value)


@pytest.mark.parametrize("layout", GIVEN)
def test_an_empty_folder_is_empty_whatever_the_layout(tmp_path, layout):
    assert f"The folder of recordings {tmp_path} has no " in complain(tmp_path, layout)
    assert "it is empty: " in complain(tmp_path, layout)


def test_what_is_there_is_counted_and_the_layout_that_reads_it_is_named(tmp_path):
    fill(tmp_path, *(f"{letter}.png" for letter in "abc"), "notes.csv", ".DS_Store")
    assert complain(tmp_path, "tiff_stacks") == (
        f"The folder of recordings {tmp_path} has no file that ends with .tif; it holds 3 .png and 1 .csv, such as "
        "a.png: set recordings.layout to file_pattern, or give another folder."
    )


@pytest.mark.parametrize(
    ("names", "layout", "words"),
    [
        (
            ("a.TIF", "b.tif"),
            "coco_vid",
            "it holds 2 .tif, such as a.TIF: set recordings.layout to tiff_stacks (a file",
        ),
        (("a.tif",), "cell_tracking_challenge", "has no numbered sequence folder such as 01; it holds 1 .tif"),
        (("a.zarr/", "b.zarr/"), "tiff_stacks", "it holds 2 .zarr, such as a.zarr: set recordings.layout to ome_zarr"),
        (("a.nd2",), "ome_zarr", "with .zarr; it holds 1 .nd2, such as a.nd2: set recordings.layout to vendor"),
        (("annotations.json", "images/a.tif"), "tiff_stacks", "set recordings.layout to coco_vid"),
        (("01/t0.tif", "01_GT/x"), "tiff_stacks", "set recordings.layout to cell_tracking_challenge"),
        (("README",), "vendor", "it holds 1 file without an ending, such as README: give another folder"),
    ],
)
def test_a_folder_of_another_layout_is_recognised(tmp_path, names, layout, words):
    assert words in complain(fill(tmp_path, *names), layout)


@pytest.mark.parametrize(
    ("inner", "layout"),
    [
        ("movies/a.tif", "tiff_stacks"),
        ("movies/annotations.json", "coco_vid"),
        ("movies/01/", "cell_tracking_challenge"),
        ("movies/a.ome.zarr/", "ome_zarr"),
        ("movies/a.nd2", "vendor"),
    ],
)
def test_the_folder_below_that_holds_the_recordings_is_named(tmp_path, inner, layout):
    root = fill(tmp_path, inner, "other/", "notes.txt")
    assert complain(root, layout).endswith(f", but movies in it does: set recordings_root to {root / 'movies'}.")


def test_only_so_many_entries_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("cellfate.imaging.folder_contents._MOST_ENTRIES", 5)
    fill(tmp_path, *(f"{number}.png" for number in range(9)))
    assert "it holds more than 5 .png" in complain(tmp_path, "tiff_stacks")


def test_a_pattern_that_matches_nothing_is_the_pattern_s(tmp_path):
    assert "None of the 1 files" in complain(fill(tmp_path, "a.tif"), "file_pattern")


def test_what_is_no_folder_is_told_with_what_there_is(tmp_path):
    (tmp_path / "recordings").mkdir()
    with pytest.raises(InputError, match=rf"does not exist; did you mean {tmp_path}/recordings\.$"):
        RecordingFolder(tmp_path / "recordigns")
    with pytest.raises(InputError, match=rf"does not exist; in {tmp_path} there is no folder 'zzz'\.$"):
        RecordingFolder(tmp_path / "zzz" / "deep" / "er")
    (tmp_path / "a.tif").touch()
    with pytest.raises(InputError, match=r"a\.tif is a file; give the folder that it is in"):
        RecordingFolder(tmp_path / "a.tif")


def test_the_folder_of_the_images_is_not_read_beyond_names(tmp_path):
    """A folder with what is wanted is not said to lack it, whatever is in the file."""
    (looked,) = look_at_stacks(fill(tmp_path, "a.tif"), RecordingSettings(layout="tiff_stacks"))
    assert isinstance(looked.outcome, InputError)
    assert "has no file" not in str(looked.outcome)
