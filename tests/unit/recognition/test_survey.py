"""A folder is listed by names, never without an end."""

from pathlib import Path

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
    survey = survey_folder(tmp_path)
    assert survey.files == ("b/a.tif", "z.csv")
    assert survey.stores == ("c.ome.zarr", "d.geff")
    assert not survey.is_cut
    assert survey.without(["z.csv"]).files == ("b/a.tif",)


def test_a_large_folder_is_cut_and_the_nearest_files_are_seen(tmp_path):
    write(tmp_path, *(f"deep/er/{number}.tif" for number in range(50)), "near.csv")
    survey = survey_folder(tmp_path, most=10)
    assert survey.is_cut
    assert "near.csv" in survey.files
    assert len(survey.files) < 10
    assert not survey_folder(tmp_path, most=53).is_cut  # 51 files and 2 folders


def test_links_to_folders_are_not_followed(tmp_path):
    write(tmp_path, "a/b.tif")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert survey_folder(tmp_path).files == ("a/b.tif",)
