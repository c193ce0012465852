"""How much the seed of a training matters, in words and in a table."""

import pandas as pd

from cellfate.core.predictors import label_predictor, name_predictor
from cellfate.core.words import (
    capitalise,
    list_events,
    name_asked,
    name_metric,
    name_outcome,
    name_question,
    show_interval,
    show_number,
)
from cellfate.plots.theme import at_question
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table

ONCE = "Each model was trained once: what another seed would give is not in the intervals."


def write_trained(seed_scores: pd.DataFrame) -> str:
    """Say from how many seeds the models were trained, and whether an interval knows of it; for the head of the report.

    Parameters
    ----------
    seed_scores
        Table `SeedScores`; without rows each model was trained once.
    """
    if seed_scores.empty:
        return ONCE
    return (
        f"Each model was trained from {count_seeds(seed_scores)} seeds and the first is kept: what another seed would "
        "give is not in its intervals but in the tables of seeds, among the scores."
    )


def write_seeds(seed_scores: pd.DataFrame) -> tuple[str, ...]:
    """Explain the two intervals of the tables of seeds; nothing where each model was trained once."""
    if seed_scores.empty:
        return ()
    n = count_seeds(seed_scores)
    if seed_scores["another_low"].isna().all():
        reason = seed_scores["reason"].dropna().iloc[0]
        return (f"The tables of seeds are of {n} trainings of each model; {reason}.",)
    explained = (
        f"The tables of seeds are of {n} trainings of each model. Another training like this: where the score of one "
        "more training would lie in other recordings of the same kind, the variance between seeds added undivided. "
        f"This procedure on average: where the mean score over all trainings would lie, that variance divided by {n}. "
        "Every other interval of this report is of the kept model."
    )
    return (explained,)


def count_seeds(seed_scores: pd.DataFrame) -> int:
    """Count the seeds that each model was trained from."""
    return int(seed_scores["n_seeds"].max())


def tabulate_seeds(seed_scores: pd.DataFrame, within_h: float | None) -> ReportTable | None:
    """List the headline scores over seeds, and the differences to the best reference; None: there are none.

    Parameters
    ----------
    seed_scores
        Table `SeedScores`.
    within_h
        Hours within which something happens; None: which fate comes.
    """
    rows = at_question(seed_scores, within_h)
    events = list_events(rows["outcome"])
    told_apart = events if within_h is not None else events[:1]  # of two fates the second has the AUROC of the first
    ranked = rows["metric"].isin(["auroc", "average_precision"]) & rows["outcome"].isin(told_apart)
    rows = rows[ranked | ((rows["metric"] == "balanced_accuracy") & (within_h is None))]
    if rows.empty:
        return None
    frame = pd.DataFrame(
        {
            "predictor": [_name(*names) for names in rows[["predictor", "reference"]].to_numpy(object)],
            "score": [capitalise(name_metric(metric)) for metric in rows["metric"]],
            "of": [name_asked(name_outcome(of), within_h) for of in rows["outcome"]],
            **{head: [show_number(value, 3) for value in rows[name]] for head, name in _HEADS.items()},
            "another training like this": _show_intervals(rows, "another"),
            "this procedure on average": _show_intervals(rows, "average"),
        }
    )
    caption = f"Trained from {count_seeds(rows)} seeds: {name_question(within_h)}"
    return as_report_table(frame, caption, folded=True)


_HEADS = {"kept model": "kept", "mean over seeds": "mean", "standard deviation between seeds": "sd"}


def _name(predictor: str, reference: str | None) -> str:
    label = label_predictor(predictor)
    return label if reference is None or pd.isna(reference) else f"{label} minus {name_predictor(reference)}"


def _show_intervals(rows: pd.DataFrame, kind: str) -> list[str]:
    ends = rows[[f"{kind}_low", f"{kind}_high"]].to_numpy(float)
    return [show_interval(low, high, 3) for low, high in ends]
