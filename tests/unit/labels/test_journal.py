import errno
import json
import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.labels import journal as journal_module
from cellfate.labels.journal import Journal, StaleLabel
from cellfate.labels.label import Label
from tests.unit.labels.cases import make_label

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda name: name.strip())


def same(one: Label, other: Label) -> bool:
    return one.model_dump(exclude={"at"}) == other.model_dump(exclude={"at"})


@given(names=st.lists(NAMES, min_size=1, max_size=5), note=st.text(st.characters(exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
def test_what_is_stored_is_read_whatever_it_is_called(tmp_path_factory, names, note):
    journal = Journal(tmp_path_factory.mktemp("any") / "labels")
    given_labels = [make_label(cell, recording_id=name, scorer=name, note=note) for cell, name in enumerate(names)]
    stored = [journal.append(label) for label in given_labels]
    assert all(same(one, other) for one, other in zip(given_labels, stored, strict=True))
    assert Journal(journal.folder).read() == stored
    assert all(label.at is not None for label in stored)


def test_a_cut_at_any_byte_loses_at_most_the_last_label(tmp_path):
    whole = Journal(tmp_path / "whole")
    stored = [whole.append(make_label(cell, note="=1+1 <b>Zürich</b>")) for cell in range(3)]
    content = whole.path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(len(content) + 1):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        journal = Journal(folder)
        journal.path.write_bytes(content[:cut])
        n_whole = sum(end - 1 <= cut for end in ends)
        assert journal.read() == stored[:n_whole], cut
        added = journal.append(make_label(9))
        assert Journal(folder).read() == [*stored[:n_whole], added], cut
        kept = [path.read_bytes() for path in folder.glob("journal.cut-*")]
        rest = content[:cut][ends[n_whole - 1] if n_whole else 0 :]
        assert kept == ([rest] if rest else []), cut


def test_a_cut_line_is_told(tmp_path, caplog):
    journal = Journal(tmp_path)
    journal.append(make_label())
    journal.path.write_bytes(journal.path.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, logger="cellfate"):
        assert journal.read() == []
    assert "is cut" in caplog.text


def test_zeros_of_a_disk_without_power_are_taken_for_a_cut_line(tmp_path):
    journal = Journal(tmp_path)
    first = journal.append(make_label(1))
    with journal.path.open("ab") as file:
        file.write(bytes(40) + b'te":""}\n')
    again = Journal(tmp_path)
    assert again.read() == [first]
    assert Journal(tmp_path).read() == [first]
    assert again.append(make_label(2)).cell_id == 2
    assert len(again.read()) == 2


def test_a_damaged_line_elsewhere_is_refused_with_its_number(tmp_path):
    journal = Journal(tmp_path)
    for cell in range(3):
        journal.append(make_label(cell))
    lines = journal.path.read_bytes().split(b"\n")
    journal.path.write_bytes(b"\n".join([lines[0], lines[1].replace(b"random", b"rundom"), *lines[2:]]))
    with pytest.raises(InputError, match=r"^Line 2 of .*journal\.jsonl is damaged"):
        Journal(tmp_path).read()
    with pytest.raises(InputError, match="Line 2"):
        Journal(tmp_path).append(make_label(7))


def test_a_label_that_is_sent_again_is_stored_once(tmp_path):
    label = make_label()
    stored = Journal(tmp_path).append(label)
    assert Journal(tmp_path).append(label) == stored
    assert Journal(tmp_path).read() == [stored]


def test_a_label_that_does_not_know_the_newest_is_refused_with_it(tmp_path):
    journal = Journal(tmp_path)
    first = journal.append(make_label())
    with pytest.raises(StaleLabel, match=r"scored apoptosis by ann") as refused:
        Journal(tmp_path).append(make_label(fate="mitosis"))
    assert refused.value.newest == first
    other = journal.append(make_label(scorer="ben"))  # another scorer has labels of his own
    second = Journal(tmp_path).append(make_label(fate=None, event_frame=None, after=first.entry_id))
    with pytest.raises(StaleLabel, match="taken back by ann"):
        journal.append(make_label(after=first.entry_id))
    with pytest.raises(StaleLabel, match="no label of this cell"):
        journal.append(make_label(5, after=first.entry_id))
    assert journal.newest("r1", 1, "ann") == second
    assert journal.newest("r1", 1, "ben") == other
    assert journal.newest("r1", 2, "ann") is None


def test_what_was_stored_since_is_read(tmp_path):
    journal = Journal(tmp_path / "labels")
    assert journal.since(0) == ([], 0)
    first = journal.append(make_label(1))
    labels, offset = journal.since(0)
    assert labels == [first]
    assert journal.since(offset) == ([], offset)
    second = Journal(journal.folder).append(make_label(2))
    assert journal.since(offset)[0] == [second]
    with journal.path.open("ab") as file:
        file.write(b'{"entry')  # of another process, right now
    assert journal.since(offset)[0] == [second]
    assert journal.newest("r1", 2, "ann") == second
    journal.path.write_bytes(first.model_dump_json().encode() + b"\n")
    assert journal.since(offset * 9)[0] == [first]
    assert journal.newest("r1", 2, "ann") is None


def test_what_was_stored_since_a_place_that_is_none_is_everything(tmp_path):
    journal = Journal(tmp_path / "labels")
    stored = [journal.append(make_label(cell)) for cell in range(3)]
    size = journal.path.stat().st_size
    ends = [at + 1 for at, byte in enumerate(journal.path.read_bytes()) if byte == ord("\n")]
    for offset in (-1, -size, *range(1, size + 3), 2**80):
        known = ends.index(offset) + 1 if offset in ends else 0
        assert journal.since(offset) == (stored[known:], size), offset


def test_a_full_disk_leaves_nothing_of_a_label(tmp_path, monkeypatch):
    journal = Journal(tmp_path)
    first = journal.append(make_label(1))
    content = journal.path.read_bytes()

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal_module.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        journal.append(make_label(2))
    assert journal.path.read_bytes() == content
    monkeypatch.undo()
    second = journal.append(make_label(2))
    assert journal.read() == [first, second]


def add_many(folder: Path, name: str, scorer: str, n: int, together: Any) -> None:
    journal, write = Journal(folder), journal_module._write_whole
    journal_module._write_whole = lambda *given: (time.sleep(0.02), write(*given))  # so that they meet
    for cell in range(n):
        together.wait(60)
        with suppress(StaleLabel):
            journal.append(make_label(cell, scorer=scorer, entry_id=f"{ord(name):016x}{cell:016x}"))


@pytest.mark.parametrize(("scorers", "n_each"), [(("ann", "ben"), 2), (("ann", "ann"), 1)])
def test_two_processes_that_add_at_once_lose_nothing_and_overwrite_nothing(tmp_path, scorers, n_each):
    context = multiprocessing.get_context("fork")
    together = context.Barrier(2)
    named = zip("xy", scorers, strict=True)
    workers = [context.Process(target=add_many, args=(tmp_path, name, who, 10, together)) for name, who in named]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    stored = [(label.scorer, label.cell_id) for label in Journal(tmp_path).read()]
    assert sorted(stored) == sorted((scorer, cell) for scorer in sorted(scorers)[:n_each] for cell in range(10))


def store_and_hang(folder: Path, line: str) -> None:
    Journal(folder).append(Label.model_validate_json(line))
    (folder / "stored").touch()
    time.sleep(60)


def test_a_server_killed_between_writing_and_answering_has_the_label_once(tmp_path):
    label = make_label()
    line = label.model_dump_json()
    worker = multiprocessing.get_context("fork").Process(target=store_and_hang, args=(tmp_path, line))
    worker.start()
    while not (tmp_path / "stored").exists():
        time.sleep(0.01)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    stored = Journal(tmp_path).append(label)  # the browser, which got no answer, sends it again
    assert Journal(tmp_path).read() == [stored]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fate", "dead"),
        ("event_frame", -1),
        ("cell_id", -1),
        ("scorer", "  "),
        ("queue", "any"),
        ("entry_id", "7"),
        ("after", "../x"),
        ("note", "x" * 2001),
        ("recording_id", ""),
        ("other", 1),
    ],
)
def test_a_label_that_cannot_be_is_refused(field, value):
    facts = json.loads(make_label().model_dump_json()) | {field: value}
    with pytest.raises(ValidationError, match=field):
        Label.model_validate(facts)


def test_labels_that_knew_forecasts():
    assert not make_label().knew_forecasts
    assert not make_label(queue="search").knew_forecasts
    assert make_label(looked_at_forecasts=True).knew_forecasts
    assert make_label(queue="uncertain", blind=True).knew_forecasts
    assert make_label(queue="disagreement").knew_forecasts
