"""What people scored since the last run, and what to run for it to count."""

from typing import NamedTuple

import pandas as pd

from cellfate.core.tables import CELL
from cellfate.labels.table import COUNTING

_KEY = [*CELL, "scorer"]


class Changes(NamedTuple):
    """Cells by what was said of them since the last run; a cell that two scorers scored counts twice."""

    scored: int
    """Scored for the first time."""
    changed: int
    """Scored otherwise, or in another frame."""
    taken_back: int
    """Not scored any more."""

    def tell(self, run: str) -> str:
        """Say what changed and what to run; "" where nothing did.

        Parameters
        ----------
        run : str
            Command that runs the study.

        Examples
        --------
        >>> Changes(12, 1, 0).tell("kedro run --env mine")
        'Since the last run 12 labels were given and 1 changed; kedro run --env mine makes them count.'
        >>> Changes(0, 0, 0).tell("kedro run")
        ''
        """
        named = zip(self, ("given", "changed", "taken back"), strict=True)
        told = [(n, what) for n, what in named if n]
        if not told:
            return ""
        (first, what), *others = told
        noun = "label was" if first == 1 else "labels were"
        words = ", ".join([f"{first} {noun} {what}", *(f"{n} {other}" for n, other in others)])
        words = " and ".join(words.rsplit(", ", 1))
        return f"Since the last run {words}; {run} makes them count."


def find_changes(applied: pd.DataFrame, now: pd.DataFrame) -> Changes:
    """Count what labels say of cells and the last run does not know.

    Parameters
    ----------
    applied, now : DataFrame
        Tables `Labels`: as the last run found them (`applied_labels`; without rows where there was no run), and as they
        are. Notes, and labels that say the same again, do not count.
    """
    before, after = (labels.loc[labels["fate"].notna(), COUNTING] for labels in (applied, now))
    both = before.merge(after, on=_KEY, how="outer", suffixes=("", "_now"), indicator="side")
    common = both[both["side"] == "both"]
    said = [name for name in COUNTING if name not in _KEY]
    pairs = [common[name].astype(object).fillna("") != common[f"{name}_now"].astype(object).fillna("") for name in said]
    differs = pd.concat(pairs, axis=1).any(axis=1)
    return Changes(
        int((both["side"] == "right_only").sum()), int(differs.sum()), int((both["side"] == "left_only").sum())
    )
