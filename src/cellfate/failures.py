"""What stopped a run, in one sentence: the input, the computer, or a fault of the software."""

import errno
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import cached_property
from traceback import walk_tb

from kedro.framework.project import pipelines
from omegaconf.errors import OmegaConfBaseException

from cellfate.core.errors import InputError

TRACEBACK_VARIABLE = "CELLFATE_TRACEBACK"
"""Environment variable: not empty, tracebacks are shown on the screen whatever went wrong."""

_OF_COMPUTER = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE}
_OF_COMPUTER |= {errno.EFBIG, errno.ENOTDIR, errno.EEXIST}
_KEDROS_CHECKS = ("kedro.framework.", "kedro.config.", "kedro.pipeline.pipeline")
"""Modules that refuse what the command line and conf say, before anything runs."""


class Failure:
    """An error that stopped a run, and whose it is.

    Parameters
    ----------
    error : Exception
        As it left the run.
    pipeline_names : collection of str
        The pipelines that were asked for.
    """

    def __init__(self, error: Exception, pipeline_names: Collection[str] = ()) -> None:
        self._error = error
        self._pipeline_names = pipeline_names

    @property
    def is_ours(self) -> bool:
        """Neither the input nor the computer is to blame, as far as can be told."""
        return self._of_input is None and self._of_computer is None

    def tell(self, log: str | None, resume: str | None) -> str:
        """Say in one line what was wrong, what to do, and where the log is.

        Parameters
        ----------
        log : str or None
            Path of the log, None where there is none.
        resume : str or None
            Argument with which the same command goes on from what is saved; not said of a wrong input, since what was
            made of it has to be made again.
        """
        where = f" (Traceback: {log})" if log else f" (To see the traceback, set {TRACEBACK_VARIABLE}=1.)"
        if self._of_input is not None:
            return self._of_input + where
        go_on = f" What is finished is saved: afterwards, add {resume} to the same command." if resume else ""
        if self._of_computer is not None:
            return f"The computer could not go on: {self._of_computer}.{go_on}{where}"
        sent = f"the file {log}" if log else "the lines above"
        return (
            f"{_one_line(self._error, with_type=True)}. This is a fault of cellfate, not of your input; please report "
            f"it where you got cellfate from, with {sent}.{go_on}"
        )

    @cached_property
    def _of_input(self) -> str | None:
        unknown = [name for name in self._pipeline_names if name not in pipelines]
        if unknown and _raised_by_kedro(self._error):
            near = get_close_matches(unknown[0], pipelines, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(pipelines))}."
            return f"There is no pipeline '{unknown[0]}'; {hint}"
        for error in _chain(self._error):
            if isinstance(error, InputError):
                return _one_line(error)
        of_conf = isinstance(self._error, OmegaConfBaseException) or type(self._error).__module__.startswith("yaml.")
        if of_conf or _raised_by_kedro(self._error):
            return _one_line(self._error)
        return None

    @cached_property
    def _of_computer(self) -> str | None:
        for error in _chain(self._error):
            if isinstance(error, MemoryError):
                return "it is out of memory"
            if isinstance(error, OSError) and error.errno in _OF_COMPUTER:
                return _one_line(error)
        return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Go through an error and what it was raised from: Kedro wraps what a dataset raises."""
    while error is not None:
        yield error
        error = error.__cause__


def _raised_by_kedro(error: Exception) -> bool:
    """Tell whether Kedro refused the command line or conf, by the module: it has no type of error for that."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__")).startswith(_KEDROS_CHECKS)


def _one_line(error: BaseException, *, with_type: bool = False) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}".rstrip(".") if with_type else words
