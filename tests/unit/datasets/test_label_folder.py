import pytest

from cellfate.datasets.base import DatasetInputError
from cellfate.datasets.label_folder import LabelFolderDataset
from cellfate.labels.journal import Journal
from tests.unit.labels.cases import make_label


def test_an_absent_folder_is_no_label_and_is_not_made(tmp_path):
    dataset = LabelFolderDataset(filepath=str(tmp_path / "labels"))
    assert dataset.load().empty
    assert dataset.digest is None
    assert not dataset.exists()
    assert not (tmp_path / "labels").exists()


def test_the_digest_is_of_what_labels_say_of_cells(tmp_path):
    dataset, journal = LabelFolderDataset(filepath=str(tmp_path)), Journal(tmp_path)
    first = journal.append(make_label(1, "apoptosis", 9))
    said = dataset.digest
    assert dataset.exists()
    assert dataset.load()["fate"].to_list() == ["apoptosis"]
    again = journal.append(make_label(1, "apoptosis", 9, note="yes", after=first.entry_id))
    assert dataset.digest == said
    other = journal.append(make_label(1, "apoptosis", 8, after=again.entry_id))
    assert dataset.digest not in (None, said)
    journal.append(make_label(1, None, None, after=other.entry_id))
    assert dataset.digest is None


def test_pipelines_do_not_write_there_and_damage_is_told(tmp_path):
    dataset, journal = LabelFolderDataset(filepath=str(tmp_path)), Journal(tmp_path)
    with pytest.raises(DatasetInputError, match="no pipeline writes there"):
        dataset.save(dataset.load())
    for cell in (1, 2):
        journal.append(make_label(cell))
    journal.path.write_text("x" + journal.path.read_text())
    with pytest.raises(DatasetInputError, match=r"Line 1 of .*journal\.jsonl is damaged"):
        dataset.load()
