"""What has its name is whole."""

from pathlib import Path

import pytest

from cellfate.core.whole_files import replace_when_whole


def test_a_file_that_failed_leaves_the_older_one_and_its_remains_do_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    for text in ("first", "second"):
        with replace_when_whole(path) as partial:
            assert not partial.exists()
            partial.write_text(text)
        assert path.read_text() == text
    with pytest.raises(UnicodeEncodeError), replace_when_whole(path) as partial:
        partial.write_text("th\ud800", encoding="utf-8")
    assert path.read_text() == "second"
    with replace_when_whole(path) as partial:
        partial.write_text("third")
    assert [(file.name, file.read_text()) for file in path.parent.iterdir()] == [("table.csv", "third")]


def test_a_folder_takes_the_place_of_a_full_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with replace_when_whole(tmp_path / "model") as partial:
            partial.mkdir()
            (partial / name).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "b"]
