"""Tables of the report on cells that were lost: how many, and what the scores become if some of them died."""

import numpy as np
import pandas as pd

from cellfate.core.predictors import choose_leading, label_predictor
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    capitalise,
    name_asked,
    name_dose,
    name_metric,
    order_doses,
    show_number,
    show_percent,
    write_hours,
)
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table
from cellfate.statistics.censoring import LEAST_LOSSES, MOST_WEIGHT


def tabulate_losses(losses: pd.DataFrame) -> ReportTable | None:
    """List how many cells were lost before the answer was known, and what makes up for them; None: nothing was asked.

    Parameters
    ----------
    losses
        Table `Losses`.
    """
    if losses.empty:
        return None
    doses = order_doses(set(losses["dose"]) - {EVERYTHING})
    places = {dose: place for place, dose in enumerate([EVERYTHING, *doses])}
    rows = losses.assign(place=losses["dose"].map(places)).sort_values(["within_h", "place"], kind="stable")
    frame = pd.DataFrame(
        {
            "within": [write_hours(hours) for hours in rows["within_h"]],
            "dose": [name_dose(dose) for dose in rows["dose"]],
            "landmarks": rows["n_landmarks"].to_list(),
            "lost": rows["n_lost_landmarks"].to_list(),
            "lost cells": rows["n_lost_cells"].to_list(),
            "weights from losses": rows["weights"].to_list(),
            "largest weight": [f"{weight:.2f}" for weight in rows["largest_weight"]],
            "share of weights cut": [show_percent(share) for share in rows["share_truncated"]],
        }
    )
    caption = (
        "Cells lost before the answer was known; others stand for them. A dose that lost at least "
        f"{LEAST_LOSSES} cells has weights of its own, the rest share theirs; none is above {MOST_WEIGHT:g}"
    )
    return as_report_table(frame, caption, folded=True)


def tabulate_sensitivity(loss_sensitivity: pd.DataFrame) -> ReportTable | None:
    """List what the scores become if shares of the lost cells had died; None: nothing was asked, or nobody was lost.

    Parameters
    ----------
    loss_sensitivity
        Table `LossSensitivity`; the leading predictor is listed.
    """
    leading = choose_leading(loss_sensitivity["predictor"])
    rows = loss_sensitivity[loss_sensitivity["predictor"] == leading]
    if rows.empty or not rows["n_lost_cells"].max():
        return None
    wide = rows.pivot_table(index=["outcome", "metric"], columns="died_share", values="estimate", sort=False)
    shares = sorted(float(str(share)) for share in wide.columns)
    heads = {share: "as analysed" if share == 0 else f"{show_percent(share)} died" for share in shares}
    within_h, n_lost = float(rows["within_h"].iloc[0]), int(rows["n_lost_cells"].iloc[0])
    frame = pd.DataFrame(
        {
            "of": [name_asked(str(outcome), within_h) for outcome, _ in wide.index],
            "score": [capitalise(name_metric(str(metric))) for _, metric in wide.index],
            **{head: [show_number(value, 3) for value in wide[share]] for share, head in heads.items()},
            "furthest apart": [f"{gap:.3f}" for gap in np.ptp(wide.to_numpy(float), axis=1)],
        }
    )
    caption = f"{label_predictor(str(leading))}, if some of the {n_lost:,} lost cells had died at the moment of loss"
    return as_report_table(frame, caption)
