"""What the images add to what a person knows without them, in words and in a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cellfate.core.words import (
    EMPTY,
    FEW_GROUPS,
    capitalise,
    name_asked,
    name_context,
    name_outcome,
    show_count,
    show_difference,
    show_number,
)
from cellfate.plots.added_value import WORDS, name_gain
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table


def write_added_value(added_value: pd.DataFrame, clock: Mapping[str, Any]) -> tuple[str, ...]:
    """Say of each context what the images add to it, and whether the time in the recording is used.

    Parameters
    ----------
    added_value
        Table `AddedValue`; without rows nothing is said.
    clock
        The `config.json` of the fate clock.
    """
    gains = added_value[added_value["metric"] == "log_likelihood"]
    said = [
        _write_context(str(context), rows.set_index("added")) for context, rows in gains.groupby("context", sort=False)
    ]
    return (*said, _write_time(clock)) if said else ()


def _write_context(context: str, rows: pd.DataFrame) -> str:
    """Say what is added to one context: the one test, and what it is made of."""
    beside, images = f"Beside {name_context(context)}", rows.loc["images"]
    if pd.isna(images["difference"]):
        return f"{beside}, nothing can be said of the images: {images['reason']}."
    parts = [f"{WORDS[name]} {_show_gain(rows.loc[name])}" for name in ("measurements", "network")]
    gained = f"the images gain {_show_gain(images)} nats of log-likelihood per event seen"
    return f"{beside}, {gained}: {_judge(images)} Of this, {parts[0]}; {parts[1]}."


def _show_gain(row: "pd.Series[Any]") -> str:
    return show_difference(row["difference"], row["low"], row["high"])


def _judge(row: "pd.Series[Any]") -> str:
    if pd.isna(row["low"]) or row["n_groups"] < FEW_GROUPS:
        return f"with {show_count(int(row['n_groups']), 'group')} it is not said whether that is more than chance."
    if row["low"] > 0:
        return "they tell something that this context does not."
    return "less than nothing." if row["high"] < 0 else "it is not shown that they tell more than this context."


def _write_time(clock: Mapping[str, Any]) -> str:
    """Say whether boosting is told the time in the recording."""
    names: Sequence[str] = clock.get("context", {}).get("names", ())
    told = (
        f"Boosting, and so the blend, is told {name_context(', '.join(names))}"
        if names
        else "Boosting is told no context"
    )
    if "recording_time" in names:
        return f"{told}. The time in the recording is used: the scores hold for recordings that begin as these do."
    return f"{told}. The time in the recording is not used."


def tabulate_added_value(added_value: pd.DataFrame) -> ReportTable | None:
    """List every score without and with what is added; None: nothing was asked."""
    if added_value.empty:
        return None
    rows = added_value
    frame = pd.DataFrame(
        {
            "beside": [name_context(context) for context in rows["context"]],
            "added": [WORDS[added] for added in rows["added"]],
            "score": [capitalise(name_gain(metric)) for metric in rows["metric"]],
            "of": [name_asked(name_outcome(of), h) for of, h in zip(rows["outcome"], rows["within_h"], strict=True)],
            "without": [_show(value) for value in rows["score_without"]],
            "with": [_show(value) for value in rows["score_with"]],
            "difference": [
                EMPTY if pd.isna(values[0]) else show_difference(*values)
                for values in rows[["difference", "low", "high"]].to_numpy(float)
            ],
            "landmarks": rows["n_landmarks"].to_list(),
            "events": rows["n_events"].to_list(),
        }
    )
    return as_report_table(frame, "What is added, every score", folded=True)


def _show(value: float) -> str:
    return EMPTY if pd.isna(value) else show_number(value, 3)
