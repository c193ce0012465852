"""The journal of labels: one line of JSON a label, only ever added to, and on the disk before anybody is answered."""

import logging
import os
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

from filelock import FileLock
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.labels.label import Label

_log = logging.getLogger(__name__)
JOURNAL: Final = "journal.jsonl"
"""File of the journal in the folder of labels."""
_PATIENCE_S: Final = 10.0
"""Seconds to wait for another process that is writing."""


class DamagedJournalError(InputError):
    """A line of the journal is no label, so that nothing can be stored until a person has looked at it."""


class StaleLabel(Exception):  # noqa: N818  # no error: what another browser stored
    """A label was made without knowing a newer one of the same cell and scorer, which it would have overwritten.

    Parameters
    ----------
    newest : Label, optional
        The newest that is stored; null: there is none.
    """

    def __init__(self, newest: Label | None) -> None:
        if newest is None:
            told = "There is no label of this cell that could be changed; load the cell again."
        else:
            what = "taken back" if newest.fate is None else f"scored {newest.fate}"
            told = (
                f"Cell {newest.cell_id} of recording '{newest.recording_id}' was {what} by {newest.scorer} in the "
                "meantime; look at it, and score it again if it is to be changed."
            )
        super().__init__(told)
        self.newest = newest


class Journal:
    """Labels in a folder. Several processes and threads may add to it at once; what is stored is never changed.

    A label is on the disk when `append` returns. If the machine dies before, at most that one label is lost: what is
    left of its line is kept aside, in `journal.cut-<time>`, by the next `append`.

    Parameters
    ----------
    folder : Path
        Folder of the journal; it is made with the first label.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / JOURNAL
        self._guard = Lock()
        self._file_number, self._offset = -1, 0
        self._by_id: dict[str, Label] = {}
        self._newest: dict[tuple[str, int, str], Label] = {}

    def append(self, label: Label) -> Label:
        """Store a label, unless it is stored already.

        Parameters
        ----------
        label : Label
            Its `after` has to be the newest stored label of its cell and scorer.

        Returns
        -------
        Label
            As it is stored, with its time; of a label that is sent again what was stored then.

        Raises
        ------
        StaleLabel
            If `after` is not the newest.
        InputError
            If the journal is damaged.
        OSError
            If the disk is full or read-only, or another process held the journal for long; nothing is stored.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._guard, FileLock(self.folder / f"{JOURNAL}.lock", timeout=_PATIENCE_S):
            with self.path.open("a+b", buffering=0) as file:
                self._catch_up()
                self._mend(file)
                if label.entry_id in self._by_id:
                    return self._by_id[label.entry_id]
                newest = self._newest.get(label.key)
                if label.after != (newest.entry_id if newest else None):
                    raise StaleLabel(newest)
                stored = label.model_copy(update={"at": datetime.now(UTC)})
                _write_whole(file, stored.model_dump_json().encode() + b"\n")
            self._catch_up()
            return stored

    def read(self) -> list[Label]:
        """Read all labels, in the order in which they were stored; none where there is no journal.

        A last line that is cut, by a machine that died or because it is being written right now, is left out and told.

        Raises
        ------
        InputError
            If another line is damaged.
        """
        content = self.path.read_bytes() if self.path.is_file() else b""
        whole, rest = _part_rest(content)
        last = _parse(rest)
        if rest and last is None:
            _log.warning("The last line of %s is cut; its label is lost, and has to be given again", self.path)
        return [*_read_lines(whole, self.path), *([] if last is None else [last])]

    def since(self, offset: int) -> tuple[list[Label], int]:
        """Read the labels after a place in the journal.

        Parameters
        ----------
        offset : int
            Bytes from its beginning, as an earlier call gave them; 0, and any that is not where a line begins: all.

        Returns
        -------
        labels : list of Label
            Those whose lines are whole; all, if the journal is shorter than it was.
        offset : int
            For the next call.

        Raises
        ------
        InputError
            If a line is damaged that is not the last.
        """
        if not self.path.is_file():
            return [], 0
        with self.path.open("rb") as file:
            offset = offset if _begins_line(file, offset) else 0
            file.seek(offset)
            whole, _ = _part_rest(file.read())
        return _read_lines(whole, self.path), offset + len(whole)

    def newest(self, recording_id: str, cell_id: int, scorer: str) -> Label | None:
        """Newest stored label of a cell by a scorer, also one that took another back; null: there is none."""
        with self._guard:
            self._catch_up()
            return self._newest.get((recording_id, cell_id, scorer))

    def _catch_up(self) -> None:
        """Take in what was stored since, by whomever; all of it, if another file stands there now."""
        status = self.path.stat() if self.path.is_file() else None
        if status is None or status.st_ino != self._file_number or status.st_size < self._offset:
            self._by_id, self._newest, self._offset = {}, {}, 0
            self._file_number = -1 if status is None else status.st_ino
        labels, self._offset = self.since(self._offset)
        for label in labels:
            self._by_id[label.entry_id] = label
            self._newest[label.key] = label

    def _mend(self, file: FileIO) -> None:
        """End a last line that is whole, and put one that is cut aside: the next label begins on a new line."""
        file.seek(self._offset)
        rest = file.readall()
        if not rest:
            return
        if _parse(rest) is not None:
            _write_whole(file, b"\n")
            self._catch_up()
            return
        aside = self.folder / f"journal.cut-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        with aside.open("xb", buffering=0) as kept:
            _write_whole(kept, rest)
        _log.warning("The last line of %s was cut; it is kept in %s, and its label is lost", self.path, aside.name)
        file.truncate(self._offset)


def _begins_line(file: BinaryIO, offset: int) -> bool:
    """Whether a line begins, or the file ends, at a place in it."""
    if not 0 < offset <= os.fstat(file.fileno()).st_size:
        return False
    file.seek(offset - 1)
    return file.read(1) == b"\n"


def _part_rest(content: bytes) -> tuple[bytes, bytes]:
    """Part whole lines from a last one that has no end, or none that makes sense: a disk without power writes zeros."""
    end = content.rfind(b"\n") + 1
    if end == len(content) and end:
        start = content.rfind(b"\n", 0, end - 1) + 1
        end = end if _parse(content[start:end]) is not None else start
    return content[:end], content[end:]


def _parse(line: bytes) -> Label | None:
    try:
        return Label.model_validate_json(line)
    except ValidationError:
        return None


def _read_lines(whole: bytes, path: Path) -> list[Label]:
    labels = []
    for line in whole.split(b"\n")[:-1]:
        label = _parse(line)
        if label is None:
            number = path.read_bytes().split(b"\n").index(line) + 1
            raise DamagedJournalError(
                f"Line {number} of {path} is damaged, but each line holds one label; put a copy of the file aside, and "
                "remove that line from it."
            )
        labels.append(label)
    return labels


def _write_whole(file: FileIO, line: bytes) -> None:
    """Write a line and wait until it is on the disk; if that fails, nothing of it is left."""
    size = file.seek(0, os.SEEK_END)
    try:
        written = 0
        while written < len(line):  # a disk that is nearly full takes a part
            written += file.write(line[written:])
        os.fsync(file.fileno())
        if size == 0:
            _sync_folders(Path(file.name).parent)
    except BaseException:
        os.ftruncate(file.fileno(), size)
        raise


def _sync_folders(folder: Path) -> None:
    """See that the names of a new file and of its folder are on the disk too."""
    for each in (folder, folder.parent):
        number = os.open(each, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
