"""What the log odds of the classifier are divided by, and what that does to cells it was not chosen on, in a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cellfate.prediction.records import MemberTemperature
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table


def tabulate_temperatures(members: Sequence[Mapping[str, Any]]) -> ReportTable | None:
    """List the temperature of each member, with calibration slope and log loss before and after.

    Parameters
    ----------
    members
        `members` of the classifier's `config.json`; where none has a temperature nothing is listed.
    """
    rows = [
        {"fold": str(member["fold"]), **_row(MemberTemperature.model_validate(member["temperature"]))}
        for member in members
        if member.get("temperature")
    ]
    caption = (
        "Temperature of the classifier: its log odds are divided by it if, in validation groups that it was not fitted "
        "to, the calibration slope comes nearer to 1 and log loss does not rise"
    )
    return as_report_table(pd.DataFrame(rows), caption) if rows else None


def _row(found: MemberTemperature) -> dict[str, object]:
    return {
        "temperature": _write(found.temperature, 2),
        "slope before": _write(found.slope_before, 2),
        "slope after": _write(found.slope_after, 2),
        "log loss before": _write(found.log_loss_before, 4),
        "log loss after": _write(found.log_loss_after, 4),
        "validation groups": str(found.n_groups),
        "used": f"no: {found.reason}" if found.reason else "yes",
    }


def _write(value: float | None, decimals: int) -> str | None:
    return None if value is None else f"{value:.{decimals}f}"
