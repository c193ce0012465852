"""The log file of a run, and what of it is not for the screen."""

import logging
import re
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Self

LOG_FILE = "run.log"
"""Name of the log, below data_root."""
OLDER_LOGS = 3
"""Logs of earlier runs that are kept, as run.log.1 and so on."""

_REPEATED = ("kedro.pipeline.node", "kedro.runner", "kedro.validation")
"""Loggers whose warnings and errors say in many lines what the last line of a failed run says in one."""
_RESUME = re.compile(r'--from-nodes "[^"]+"')
"""Where to go on from, which Kedro tells in its log and nowhere else."""
_log = logging.getLogger("cellfate.run_log")


class RunLog:
    """The log of one run: all that is logged, and the traceback of what stopped it.

    Parameters
    ----------
    path : Path or None
        Log file, in a folder that exists; None: no file is written.

    Attributes
    ----------
    resume : str or None
        The argument with which Kedro would go on after a failure, where it names one.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.resume: str | None = None
        self._handler: logging.Handler | None = None
        self._screens: list[logging.Handler] = []

    def __enter__(self) -> Self:
        self._screens = list(logging.getLogger().handlers)
        for screen in self._screens:
            screen.addFilter(self._is_for_screen)
        self._handler = self._open()
        logging.getLogger().addHandler(self._handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._handler is not None
        logging.getLogger().removeHandler(self._handler)
        with suppress(OSError):  # a full disk is told by what stopped the run
            self._handler.close()
        for screen in self._screens:
            screen.removeFilter(self._is_for_screen)

    @property
    def name(self) -> str | None:
        """The log's path as a person would type it, or None without a log."""
        if self.path is None:
            return None
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)

    def keep(self, error: Exception) -> None:
        """Write the traceback of an error to the log, and not to the screen."""
        _log.error("The run stopped", exc_info=error)

    def _open(self) -> logging.Handler:
        if self.path is None:
            return logging.NullHandler()
        handler = RotatingFileHandler(self.path, backupCount=OLDER_LOGS, encoding="utf-8", delay=True)
        if self.path.exists():
            handler.doRollover()
        handler.handleError = lambda record: None  # type: ignore[method-assign]  # as on a full disk: the screen has it
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        return handler

    def _is_for_screen(self, record: logging.LogRecord) -> bool:
        found = _RESUME.search(record.getMessage()) if record.name.startswith("kedro.runner") else None
        self.resume = found[0] if found else self.resume
        told_again = record.levelno >= logging.WARNING and record.name.startswith(_REPEATED)
        return not told_again and record.name != _log.name
