"""A published reference on tables of hand-followed lymphocytes, repeated by its own rule and held against the study.

Needs two tables that are not part of the project (`t_misc_20140211.csv` and `t_misc_20140325.csv`, doi
10.3389/fbinf.2021.723337) in ../shared/data/cyton_fates; says so where they are absent, and then measures nothing.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.measure import print_table
from benchmarks.project import ROOT, load_run, make_project, run
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import probability_column
from cellfate.core.predictors import BLEND, BOOSTING
from cellfate.metrics.comparisons import compare_forecasts
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.censoring import list_outcomes
from cellfate.statistics.incidence import number_events

DATA: Final = ROOT.parent / "shared/data/cyton_fates"
TRAIN, TEST = "t_misc_20140211", "t_misc_20140325"
WITHIN_H, GUARD_H = 5.0, 1.0
EVENTS: Final = {"apoptosis": "died", "mitosis": "divided"}
METRICS: Final = ("auroc", "average_precision")
PUBLISHED: Final = {
    "apoptosis": {"auroc": 0.855, "average_precision": 0.240},
    "mitosis": {"auroc": 0.946, "average_precision": 0.754},
}
MOST_OFF: Final = 0.005
"""Largest accepted distance from a published number: the hours of the tables are rounded, and trees part at ties."""
COLUMNS: Final = (
    *("age_h", "time_h", "generation", "red", "green", "red_since_on_h", "red_since_off_h", "green_since_on_h"),
    *("mother_life_h", "stimulus"),
)
READS_AHEAD: Final = "lightgbm_reading_ahead"
LOOKS_BACK: Final = "lightgbm_looking_back"
CONTEXT: Final = "age_and_time"
BOOSTING_SETTINGS: Final = {
    "n_estimators": 150,
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_child_samples": 40,
    "reg_lambda": 5,
    "n_jobs": 1,
    "verbose": -1,
}
FloatArray = npt.NDArray[np.float64]


def main() -> bool:
    """Tell whether the published numbers are met, and the blend is not below the reference that looks back."""
    if not (DATA / f"{TRAIN}.csv").exists():
        print(f"not measured: {TRAIN}.csv and {TEST}.csv are not in {DATA}")
        return True
    cells = {name: pd.read_csv(DATA / f"{name}.csv") for name in (TRAIN, TEST)}
    repeated = repeat_published(cells)
    return compare_with_study(cells) and repeated


def repeat_published(cells: dict[str, pd.DataFrame]) -> bool:
    """Repeat the rule of the reference; print its scores where reporters are read ahead, and where they are not."""
    marks = {name: list_published_landmarks(table) for name, table in cells.items()}
    rows, good = [], True
    for name, ahead in ((READS_AHEAD, True), (LOOKS_BACK, False)):
        train, test = (describe(marks[each], ahead) for each in (TRAIN, TEST))
        for event, word in EVENTS.items():
            truth_n = (marks[TEST]["outcome"] == word).to_numpy(bool)
            taught_n = (marks[TRAIN]["outcome"] == word).to_numpy(bool)
            found = _score(fit(train, taught_n, None, test), truth_n)
            rows += [(name, event, *(f"{found[metric]:.3f}" for metric in METRICS), len(truth_n), truth_n.sum())]
            off = [abs(found[metric] - PUBLISHED[event][metric]) for metric in METRICS]
            good &= not ahead or max(off) <= MOST_OFF
    published = [
        ("published", event, *(f"{of[metric]:.3f}" for metric in METRICS), "", "") for event, of in PUBLISHED.items()
    ]
    print_table(("by its own rule", "event", *METRICS, "landmarks", "events"), [*published, *rows])
    return good


def list_published_landmarks(cells: pd.DataFrame) -> pd.DataFrame:
    """List moments 1, 2, ... h after birth, more than the guard before the end, with what came within 5 h.

    Moments of cells that were lost within these hours are left out.
    """
    ages_n = [np.arange(1.0, life_h - GUARD_H + 1) for life_h in cells["end_h"] - cells["birth_h"]]
    marks = cells.loc[cells.index.repeat([len(ages) for ages in ages_n])].reset_index(drop=True)
    marks = marks.assign(time_h=marks["birth_h"] + np.concatenate(ages_n))
    left_h = marks["end_h"] - marks["time_h"]
    marks = marks.assign(outcome=marks["fate"].where(left_h <= WITHIN_H, "none"))
    return marks[(left_h > GUARD_H) & (marks["outcome"] != "lost")].pipe(add_mothers, cells)


def add_mothers(marks: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Add how long the mother of each cell lived, hours; NaN: a founder."""
    lives_h = (cells["end_h"] - cells["birth_h"]).set_axis(cells["cell_id"])
    return marks.assign(mother_life_h=marks["parent_id"].map(lives_h)).reset_index(drop=True)


def describe(marks: pd.DataFrame, ahead: bool) -> FloatArray:
    """Describe moments by the ten columns of the reference, (n, 10); NaN where nothing was seen up to then.

    A reporter of which only the vanishing is written down counts as on before it where `ahead`: so the reference has
    it, and there a cell that is followed to its division says from its birth on that it will divide.
    """
    seen_h = {name: marks["time_h"] - marks[f"{name}_h"] for name in ("red_on", "red_off", "green_on", "green_off")}
    columns = {"age_h": marks["time_h"] - marks["birth_h"], **{name: marks[name] for name in COLUMNS if name in marks}}
    for reporter in ("red", "green"):
        on, off = seen_h[f"{reporter}_on"], seen_h[f"{reporter}_off"]
        begun = (on >= 0) | (ahead & on.isna() & off.notna())
        columns[reporter] = begun.astype(float).mask(off >= 0, 2.0)
        columns |= {f"{reporter}_since_on_h": on.where(on >= 0), f"{reporter}_since_off_h": off.where(off >= 0)}
    return np.stack([np.asarray(columns[name], dtype=np.float64) for name in COLUMNS], axis=1)


def fit(train_nf: FloatArray, truth_n: npt.NDArray[np.bool_], weights_n: FloatArray | None, test_nf: FloatArray) -> Any:
    """Boost one event with the settings of the reference; probabilities of the test moments, (n,)."""
    from lightgbm import LGBMClassifier

    names = list(COLUMNS)
    model = LGBMClassifier(**BOOSTING_SETTINGS)
    model.fit(pd.DataFrame(train_nf, columns=names), truth_n, sample_weight=weights_n)
    return model.predict_proba(pd.DataFrame(test_nf, columns=names))[:, 1]


def _score(p_n: FloatArray, truth_n: npt.NDArray[np.bool_]) -> dict[str, float]:
    of_all = np.zeros(len(p_n), dtype=np.int64), np.ones((1, 1))
    found = score.auroc_and_average_precision(p_n, truth_n, *of_all)
    return {metric: float(values_r[0]) for metric, values_r in zip(METRICS, found, strict=True)}


def compare_with_study(cells: dict[str, pd.DataFrame]) -> bool:
    """Refit the reference on the study's own landmarks and weights; print scores and paired differences by family."""
    with tempfile.TemporaryDirectory() as name:
        project = make_project(Path(name))
        run(project, "traces", "--env", "traces", "--params", f"recordings_root={DATA}")
        tables, settings = load_run(
            project,
            ("landmarks", "splits", "forecasts"),
            {"follow_up": FollowUpSettings, "scores": ScoreSettings},
            env="traces",
        )
    return compare(cells, tables, settings["follow_up"], settings["scores"])


def compare(
    cells: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], follow_up: FollowUpSettings, scores: ScoreSettings
) -> bool:
    """As `compare_with_study`, of the tables of a finished run."""
    follow_up = follow_up.model_copy(update={"report_h": (WITHIN_H,), "headline_h": WITHIN_H})
    own = tables["forecasts"].query("part == 'test' and within_h == @WITHIN_H")
    leading = BLEND if (own["predictor"] == BLEND).any() else BOOSTING
    refitted = [refit(cells, tables, own[own["predictor"] == leading], ahead) for ahead in (False, True)]
    forecasts = pd.concat([own, *refitted], ignore_index=True)
    asked = (forecasts, tables["landmarks"], follow_up, scores)
    metrics, paired = score_forecasts(*asked), compare_forecasts(*asked)
    shown = [leading, LOOKS_BACK, READS_AHEAD, *sorted({*forecasts["predictor"]} - {leading, LOOKS_BACK, READS_AHEAD})]
    print_table(("on the study's landmarks", "event", *METRICS), _list_scores(metrics, shown))
    print_table((f"{leading} less", "event", "metric", "difference"), _list_differences(paired, leading))
    below = paired[(paired["reference"] == LOOKS_BACK) & paired["metric"].isin(METRICS) & (paired["high"] < 0)]
    return below.empty


def refit(cells: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], rows: pd.DataFrame, ahead: bool) -> Any:
    """Forecast the rows of table `Forecasts` of another predictor by the reference, taught by the other experiment."""
    every = pd.concat([add_mothers(table, table).assign(file=name) for name, table in cells.items()])
    every = every.assign(recording_id=every["file"] + " " + every["stimulus"].astype(str)).rename(
        columns={"fate": "seen_fate"}
    )
    landmarks = tables["landmarks"].rename(columns={"time_h": "left_h"}).query("regular")
    moments = landmarks.assign(time_h=landmarks["last_frame"] * landmarks["frame_interval_min"] / 60)
    moments = moments.merge(every, on=["recording_id", "cell_id"], validate="many_to_one")
    test = moments["file"] == TEST
    train_nf, test_nf = describe(moments[~test], ahead), describe(moments[test], ahead)
    taught = moments[~test]
    event_n = number_events(taught["fate"], tuple(EVENTS))
    of = (taught["left_h"], event_n, taught["watchable_h"], WITHIN_H, taught["dose"].astype(str))
    known = list_outcomes(*of, taught.groupby(["recording_id", "cell_id"]).ngroup())
    kept_n = known.weights_n > 0
    forecast = moments.loc[test, ["recording_id", "cell_id", "last_frame"]].rename(columns={"last_frame": "frame"})
    for number, event in enumerate(EVENTS, start=1):
        truth_n = known.event_n[kept_n] == number
        forecast[probability_column(event)] = fit(train_nf[kept_n], truth_n, known.weights_n[kept_n], test_nf)
    p = list(map(probability_column, EVENTS))
    forecast[p] = forecast[p].div(forecast[p].sum(axis=1).clip(lower=1), axis=0)  # two models, which may say too much
    named = rows.drop(columns=[*p, "p_none"]).merge(forecast, on=["recording_id", "cell_id", "frame"])
    return named.assign(predictor=READS_AHEAD if ahead else LOOKS_BACK, p_none=1 - named[p].sum(axis=1))


def _list_scores(metrics: pd.DataFrame, predictors: list[str]) -> list[tuple[str, ...]]:
    overall = metrics[metrics["condition"] == "all"].set_index(["predictor", "outcome", "metric"])
    rows = []
    for name in predictors:
        for event in EVENTS:
            found = (overall.loc[(name, event, metric)] for metric in METRICS)
            told = (f"{row.estimate:.3f} ({row.low:.3f} to {row.high:.3f})" for row in found)
            rows.append((name, event, *told))
    return rows


def _list_differences(paired: pd.DataFrame, leading: str) -> list[tuple[str, ...]]:
    asked = paired[(paired["predictor"] == leading) & paired["metric"].isin(METRICS)]
    return [
        (row.reference, row.outcome, row.metric, f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})")
        for row in asked[asked["reference"].isin([LOOKS_BACK, READS_AHEAD, CONTEXT, BOOSTING])].itertuples()
    ]
