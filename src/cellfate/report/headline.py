"""The answers: scores with intervals beside what sees less, and what their differences show, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import FATES
from cellfate.core.predictors import (
    CLOCK_PREDICTORS,
    REFERENCES,
    TRIVIAL_REFERENCES,
    choose_leading,
    label_predictor,
    name_predictor,
    what_it_sees,
)
from cellfate.core.tables import CELL, EVERYTHING
from cellfate.core.words import (
    FEW_GROUPS,
    READINGS,
    capitalise,
    list_events,
    list_words,
    name_asked,
    name_metric,
    name_question,
    say_too_few,
    show_count,
    show_difference,
    show_interval,
    show_number,
    show_p_value,
    show_percent,
    show_score,
    write_hours,
)
from cellfate.metrics.comparisons import leading_predictors
from cellfate.plots.scores import find_chance
from cellfate.plots.theme import at_question
from cellfate.report.page import ReportAnswer, ReportScore

ROUGH_UNDER: Final = 10
"""Under this many groups nobody has measured how often an interval holds the truth, and the report says so."""
Key = tuple[str, str]
"""A metric and the outcome it is of."""


def write_answers(
    questions: pd.DataFrame,
    metrics: pd.DataFrame,
    comparisons: pd.DataFrame,
    follow_up: FollowUpSettings,
    caveats: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    images: bool = True,
) -> tuple[ReportAnswer, ...]:
    """Answer every question with the scores of the models beside the best references.

    Parameters
    ----------
    questions, metrics, comparisons
        Tables of the same names.
    follow_up
        The guard and the headline horizon.
    caveats
        By question, what to know of the model that answers it.
    images
        Whether the study has images.

    Returns
    -------
    tuple of ReportAnswer
        One a question; of one that was not asked it says why.
    """
    asked = (metrics, comparisons, follow_up, images)
    answers = [(str(row["question"]), _answer(row, *asked)) for _, row in questions.iterrows()]
    return tuple(replace(answer, caveats=caveats.get(name, ()) if answer.lines else ()) for name, answer in answers)


def _answer(
    question: pd.Series, metrics: pd.DataFrame, comparisons: pd.DataFrame, follow_up: FollowUpSettings, images: bool
) -> ReportAnswer:
    within_h = None if question["question"] == "which_fate" else follow_up.headline_h
    given = ", given that one comes" if within_h is None else ""
    words = f"{capitalise(name_question(within_h))}{given}?"
    remark = "" if pd.isna(question["remark"]) else f" {capitalise(str(question['remark']))}"
    if not question["asked"]:
        return ReportAnswer(words, remark.strip())
    scored = at_question(metrics[metrics["condition"] == EVERYTHING], within_h)
    keys = headline_keys(scored, within_h)
    if not keys:
        return ReportAnswer(words, f"Not scored: no landmark of the test part has a known answer.{remark}")
    compared = at_question(comparisons, within_h)
    lines = tuple(_write_line(scored, compared, key, within_h, images) for key in keys)
    return ReportAnswer(words, _write_asked(scored, within_h, follow_up) + remark, lines)


def write_primary(metrics: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Write the result that was named beforehand: the score, and the difference to the best without measurements.

    Parameters
    ----------
    metrics, comparisons
        Tables of the same names; empty text where no comparison is the primary one.
    """
    rows = comparisons[comparisons["primary"].astype(bool)]
    if rows.empty:
        return ""
    row = rows.sort_values("best_trivial", ascending=False, kind="stable").iloc[0]
    scored = at_question(metrics[metrics["condition"] == EVERYTHING], row["within_h"])
    found = find_row(scored, (row["metric"], row["outcome"]), predictor=row["predictor"])
    score = "not scored" if found is None else show_score(found["estimate"], found["low"], found["high"])
    difference = show_difference(row["difference"], row["low"], row["high"])
    n_groups = int(row["n_event_groups"])
    few = f" {say_too_few(n_groups, row['outcome'])}" if n_groups < FEW_GROUPS else ""
    p = "" if few or pd.isna(row["p_value"]) else f", p {show_p_value(row['p_value'])}"
    what = f"{name_metric(row['metric'])} of {name_asked(row['outcome'], row['within_h'])}"
    held = f"{name_predictor(row['predictor'])}: {score}; minus {name_predictor(row['reference'])}: {difference}{p}"
    return f"Primary result, named in scores.primary: {what}, {held}.{few} All else that is compared is one of many."


def headline_keys(scored: pd.DataFrame, within_h: float | None) -> list[Key]:
    """Choose the scores of the headline: balanced accuracy between fates, AUROC of each event within some hours."""
    wanted = [("balanced_accuracy", EVERYTHING)]
    if within_h is not None:
        wanted = [("auroc", event) for event in list_events(scored["outcome"])]
    found = set(zip(scored["metric"], scored["outcome"], strict=True))
    return [key for key in wanted if key in found]


def find_row(rows: pd.DataFrame, key: Key, **names: str) -> pd.Series | None:
    """Find the score, or the difference, of a metric and outcome among those of one question; None: there is none."""
    match = rows[(rows["metric"] == key[0]) & (rows["outcome"] == key[1])]
    for column, name in names.items():
        match = match[match[column] == name]
    return match.iloc[0] if len(match) else None


def find_best(scored: pd.DataFrame, key: Key, names: Sequence[str]) -> str | None:
    """Find the predictor of the highest score among some; None where none of them has one."""
    rows = scored[(scored["metric"] == key[0]) & (scored["outcome"] == key[1]) & scored["predictor"].isin(list(names))]
    known = rows.dropna(subset=["estimate"])
    return None if known.empty else str(known["predictor"].iloc[int(known["estimate"].to_numpy().argmax())])


def find_difference(compared: pd.DataFrame, key: Key, predictor: str, reference: str) -> tuple[float, ...] | None:
    """Find the difference of a predictor to a reference with its interval, or turn that of the reference to it."""
    row = find_row(compared, key, predictor=predictor, reference=reference)
    if row is not None:
        return tuple(float(row[name]) for name in ("difference", "low", "high"))
    row = find_row(compared, key, predictor=reference, reference=predictor)
    return None if row is None else tuple(-float(row[name]) for name in ("difference", "high", "low"))


def _write_line(
    scored: pd.DataFrame, compared: pd.DataFrame, key: Key, within_h: float | None, images: bool
) -> tuple[str, tuple[ReportScore, ...], str]:
    """Write one score of the models beside the best with measurements and the best without."""
    models = leading_predictors(scored["predictor"].tolist())
    first = models[0] if models else str(choose_leading(scored["predictor"]))
    measured = find_best(scored, key, [name for name in REFERENCES if name not in (*models, *TRIVIAL_REFERENCES)])
    trivial = find_best(scored, key, TRIVIAL_REFERENCES)
    shown = list(dict.fromkeys([first, *models, *(name for name in (measured, trivial) if name)]))
    differences = {name: find_difference(compared, key, first, name) for name in shown[1:]}
    notes = {name: _note(first, differences.get(name)) for name in shown}
    cards = tuple(_write_card(scored, key, name, name in models, notes[name], images) for name in shown)
    n_groups = int(scored.loc[scored["outcome"] == key[1], "n_event_groups"].max())
    verdict = judge(first, differences, n_groups, key[1])
    sentence = f"{verdict} {_write_precision(scored, key[1], first)}".strip()
    return _write_caption(scored, key, within_h), cards, sentence


def _write_caption(scored: pd.DataFrame, key: Key, within_h: float | None) -> str:
    """Name the score, and what one forecast for all would reach."""
    metric, outcome = key
    chance = show_number(find_chance(metric, scored) or float("nan"))
    if outcome == EVERYTHING:
        return f"{capitalise(name_metric(metric))}; one call for all reaches {chance}"
    return f"{capitalise(name_asked(outcome, within_h))}: {name_metric(metric)}; one forecast for all reaches {chance}"


def _write_precision(scored: pd.DataFrame, outcome: str, first: str) -> str:
    """Write the average precision of an event, which suffers where the event is rare; empty for all outcomes."""
    row = find_row(scored, ("average_precision", outcome), predictor=first)
    if row is None:
        return ""
    share = row["n_events"] / max(1, row["n_landmarks"])
    precision = show_score(row["estimate"], row["low"], row["high"])
    return f"Average precision: {precision}, one forecast for all {share:.2f}."


def _note(first: str, difference: tuple[float, ...] | None) -> str:
    return "" if difference is None else f"{label_predictor(first).lower()} minus this {show_difference(*difference)}"


def _write_card(scored: pd.DataFrame, key: Key, name: str, is_model: bool, note: str, images: bool) -> ReportScore:
    row = find_row(scored, key, predictor=name)
    value, interval = ("not scored", "") if row is None else (show_number(row["estimate"]), "no interval: few groups")
    if row is not None and pd.notna(row["low"]) and pd.notna(row["high"]):
        interval = show_interval(row["low"], row["high"])
    label = f"{READINGS['clock']} ({label_predictor(name).lower()})" if name in CLOCK_PREDICTORS and is_model else None
    return ReportScore(label or label_predictor(name), what_it_sees(name, images), value, interval, note, is_model)


def judge(
    first: str, differences: dict[str, tuple[float, ...] | None], n_groups: int, outcome: str = EVERYTHING
) -> str:
    """Say which predictors a model is better than, worse than, or not told apart from; with few groups, nothing of it.

    Parameters
    ----------
    first
        The model.
    differences
        Its paired difference to each other predictor, with interval; None: not computed.
    n_groups, outcome
        Test groups that hold the outcome (`Metrics.n_event_groups`), and the outcome or `all`.

    Examples
    --------
    >>> judge("classifier", {"dose": (0.2, 0.1, 0.3), "measurements": (0.0, -0.1, 0.1)}, 30)
    'The classifier is better than dose alone and not told apart from boosting taught the fate.'
    """
    if n_groups < FEW_GROUPS:
        return say_too_few(n_groups, outcome)
    verdicts = {"better than": [], "worse than": [], "not told apart from": []}  # type: dict[str, list[str]]
    for name, difference in differences.items():
        if difference is None or pd.isna(difference[1]) or pd.isna(difference[2]):
            continue
        low, high = difference[1:]
        word = "better than" if low > 0 else "worse than" if high < 0 else "not told apart from"
        verdicts[word].append(name_predictor(name))
    said = [f"{word} {list_words(names)}" for word, names in verdicts.items() if names]
    if not said:
        return "Whether one is better than another cannot be said: no paired interval is defined."
    return f"{capitalise(name_predictor(first))} is {list_words(said)}."


def _write_asked(scored: pd.DataFrame, within_h: float | None, follow_up: FollowUpSettings) -> str:
    """Say of what a question was asked, and what was not shown."""
    of_first = scored[scored["predictor"] == choose_leading(scored["predictor"])]
    events = of_first.groupby("outcome")["n_events"].max()
    counts = [(f"{int(events[event]):,}", event) for event in list_events(events.index)]
    n_cells, n_landmarks = (int(of_first[name].max()) for name in ("n_cells", "n_landmarks"))
    guard = f"The end of a track and the {write_hours(follow_up.guard_h)} before it are never shown."
    if within_h is None:
        cells = f"{show_count(n_cells, 'test cell')} whose fate was seen ({list_words(map(' '.join, counts))})"
        return f"Asked at the last frame shown of {cells}. {guard}"
    found = list_words(f"{n} are followed by {event}" for n, event in counts)
    return (
        f"Asked at {show_count(n_landmarks, 'landmark')} of {show_count(n_cells, 'test cell')}, censored ones weighed "
        f"in; of these landmarks, {found} within {write_hours(within_h)}. {guard}"
    )


def write_counted(
    follow_ups: pd.DataFrame, landmarks: pd.DataFrame, splits: pd.DataFrame, unit: str, confidence: float
) -> str:
    """Explain once what is counted, on what was tested, and what an interval is.

    Parameters
    ----------
    follow_ups, landmarks, splits
        Tables of the same names; a cell without a landmark is too young to be asked.
    unit
        What a group is: "recording", "lineage" or "group".
    confidence
        Probability content of the intervals.
    """
    tested = splits[splits["part"] == "test"][CELL].drop_duplicates().merge(follow_ups, on=CELL)
    asked = tested.merge(landmarks[CELL].drop_duplicates(), on=CELL)
    groups, young = show_count(tested["group_id"].nunique(), unit), _write_young(tested, asked)
    sentence = (
        f"{show_count(len(follow_ups), 'cell')} of {show_count(follow_ups['group_id'].nunique(), unit)} were followed, "
        f"{len(tested):,} of {groups} to test models that were not trained on them; {len(asked):,} of these grew old "
        f"enough (min_frames) to be asked{young}. A landmark is a cell at a frame at which something is asked. "
        f"Intervals hold {show_percent(confidence)} and resample whole {unit}s"
    )
    few = f"; with only {groups} they are rough"
    return f"{sentence}{few if tested['group_id'].nunique() < ROUGH_UNDER else ''}."


def _write_young(tested: pd.DataFrame, asked: pd.DataFrame) -> str:
    """Say how many cells were too young to be asked, with their fates; empty where none was."""
    lost = tested["fate"].value_counts().sub(asked["fate"].value_counts(), fill_value=0).astype(int)
    found = [f"{lost[fate]:,} {fate}" for fate in FATES if lost.get(fate)]
    return f"; no score knows of the {lost.sum():,} others ({list_words(found)})" if found else ""
