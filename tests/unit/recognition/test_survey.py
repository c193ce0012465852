"""A folder is listed by names, never without an end."""

from pathlib import Path

from cellfate.recognition import survey
from cellfate.recognition.survey import survey_folder


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_it_lists_files_and_stores_and_passes_over_litter(tmp_path):
    write(
        tmp_path,
        "b/a.tif",
        "._b.tif",
        ".DS_Store",
        "Thumbs.db",
        "c.ome.zarr/0/0.0",
        "d.geff/nodes/ids",
        ".git/x",
        "z.csv",
    )
    seen = survey_folder(tmp_path)
    assert seen.files == ("b/a.tif", "z.csv")
    assert seen.stores == ("c.ome.zarr", "d.geff")
    assert not seen.is_cut
    assert seen.without(["z.csv"]).files == ("b/a.tif",)


def test_a_large_folder_is_cut_and_the_nearest_files_are_seen(tmp_path):
    write(tmp_path, *(f"deep/er/{number}.tif" for number in range(50)), "near.csv")
    seen = survey_folder(tmp_path, most=10)
    assert seen.is_cut
    assert "near.csv" in seen.files
    assert len(seen.files) < 10
    assert not survey_folder(tmp_path, most=53).is_cut  # 51 files and 2 folders


def test_folders_beyond_the_bound_are_not_opened(tmp_path, monkeypatch):
    write(tmp_path, *(f"{number}/a.tif" for number in range(50)))
    opened = []
    scan = survey.os.scandir
    monkeypatch.setattr(survey.os, "scandir", lambda path: opened.append(path) or scan(path))
    assert survey_folder(tmp_path, most=60).is_cut
    assert len(opened) == 1 + 10  # the folder itself has 50 entries, and ten more fill the bound


def test_links_to_folders_are_not_followed(tmp_path):
    write(tmp_path, "a/b.tif")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert survey_folder(tmp_path).files == ("a/b.tif",)
