"""What images add to what a person knows without them: three nested predictors, fitted alike, scored on the same cells.

Boosting on the context; on measurements too; on the log odds of the network too. All three are fitted to the same
landmarks, of cells that the scored fold does not test and that the network, as it forecast them, was not trained on:
else its log odds would look better there than where they are scored. They are given one more forecast made like the
network's: that of a smooth regression on the context alone, fitted to the same cells as the network. Without it a
network that sees nothing but the age would seem to add something, because it knows the age from more cells.

Array suffixes: n landmarks, k bins of time, e events, r rows of counts, c columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events, label_landmarks
from cellfate.cohort.questions import WITHIN_HOURS, is_asked
from cellfate.cohort.settings import FollowUpSettings
from cellfate.cohort.splits import list_unseen, select_part
from cellfate.core.fates import probability_column
from cellfate.core.predictors import NETWORK
from cellfate.core.tables import CELL, EVERYTHING, AddedValue
from cellfate.core.words import order_doses
from cellfate.features.context import Context, describe_context
from cellfate.features.settings import ContextName
from cellfate.features.summaries import summarise_history
from cellfate.metrics.forecasts import Asked, read_forecasts
from cellfate.metrics.references import fit_logistic_hazards
from cellfate.metrics.settings import AddedValueSettings, ScoreSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.settings import BlendSettings
from cellfate.prediction.blending import log_odds_of
from cellfate.prediction.forecast_tables import tabulate_hazards
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, number_groups, sum_by_group, summarise
from cellfate.statistics.incidence import UNOBSERVED, cumulative_incidence
from cellfate.statistics.stacking import log_loss

STAGES: Final = ("context", "measurements", "network")
"""The nested predictors, by what each sees beside those before it."""
STEPS: Final = {"images": ("context", "network"), "measurements": STAGES[:2], "network": STAGES[1:]}
"""What is added: the predictor without it, and the one with it."""
LOG_LIKELIHOOD: Final = "log_likelihood"


@dataclass(frozen=True, eq=False)
class _Study:
    """Regular landmarks that some member forecast without having trained on their cell, one row a fold and part."""

    regular: pd.DataFrame
    splits: pd.DataFrame
    frame_features: pd.DataFrame
    network: pd.DataFrame
    """Log odds of the network by fold, part, cell and frame."""
    events: tuple[str, ...]
    follow_up: FollowUpSettings
    blend: BlendSettings

    @cached_property
    def forecast(self) -> pd.DataFrame:
        """Fold, part, `row` of `regular`, and the columns of the network."""
        keys = self.regular[CELL].assign(frame=self.regular["last_frame"], row=np.arange(len(self.regular)))
        return self.network.merge(keys, on=[*CELL, "frame"])

    @cached_property
    def labels_nk(self) -> IntArray:
        """What was seen in the bins after each regular landmark."""
        return label_landmarks(self.regular, self.events, self.follow_up.edges_h)

    @cached_property
    def measured(self) -> pd.DataFrame:
        """Measurements of each regular landmark, summarised."""
        return summarise_history(self.frame_features, self.regular, self.blend.history_h)

    def tell(self, names: tuple[ContextName, ...]) -> pd.DataFrame:
        """Give what is known of the context of each regular landmark."""
        context = Context(names, self.follow_up.guard_h, tuple(order_doses(self.regular["dose"])))
        return describe_context(self.regular, self.frame_features, context).dropna(axis="columns", how="all")


def add_value(
    forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    questions: pd.DataFrame,
    follow_up: FollowUpSettings,
    blend: BlendSettings,
    added_value: AddedValueSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Ask what measurements and the network add to each context.

    Parameters
    ----------
    forecasts, landmarks, splits, frame_features, questions
        Tables of the same names; of the forecasts those of `network` within hours.
    follow_up, blend
        Bins of time and the headline horizon; the boosting of all three predictors, and the hours that measurements are
        summarised over.
    added_value, scores
        Contexts, and blocks of time; resamples and confidence.

    Returns
    -------
    DataFrame
        Table `AddedValue`. `log_likelihood` is the one test: nats that the labels of all bins gain, per event seen. The
        differences in AUROC, average precision, and AUROC within the same time (and age) are of the headline horizon.
        Without rows where it is not asked what happens within hours; rows without numbers say why.
    """
    network = forecasts[(forecasts["predictor"] == NETWORK) & forecasts["within_h"].notna()]
    tables = []
    if is_asked(questions, WITHIN_HOURS) and len(network):
        events = competing_events(landmarks)
        regular = landmarks[landmarks["regular"]].reset_index(drop=True)
        log_odds = _tabulate_log_odds(network, events)
        study = _Study(regular, splits, frame_features, log_odds, events, follow_up, blend)
        tables = [pd.DataFrame(_judge(study, names, added_value, scores)) for names in added_value.contexts]
    columns = list(AddedValue.to_schema().columns)
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return AddedValue.validate(joined[columns])


def _tabulate_log_odds(network: pd.DataFrame, events: tuple[str, ...]) -> pd.DataFrame:
    """Log odds of each event against none within each reported hours: one row a fold, part, cell and frame."""
    p_ne = network[[probability_column(event) for event in events]].to_numpy(np.float64)
    odds = pd.DataFrame(log_odds_of(p_ne), columns=list(events), index=network.index)
    keys = ["fold", "part", *CELL, "frame"]
    wide = network[[*keys, "within_h"]].join(odds).pivot_table(index=keys, columns="within_h", values=list(events))
    wide.columns = pd.Index([f"network_{place}" for place in range(wide.shape[1])])
    return wide.reset_index()


def _judge(
    study: _Study, names: tuple[ContextName, ...], settings: AddedValueSettings, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Yield the rows of one context."""
    told = study.tell(names)
    known = [name for name in names if len(study.tell((name,)).columns)]
    about = {"context": ", ".join(known) or ", ".join(names)}
    reason = "nothing is known of this context" if told.empty else ""
    scored = [] if reason else list(_score_folds(study, told))
    reason = reason or next((why for _, why in scored if why), "")
    if reason or not scored:
        nothing = {
            "within_h": np.nan,
            "metric": LOG_LIKELIHOOD,
            "outcome": EVERYTHING,
            **_no_scores(),
            "n_landmarks": 0,
        }
        why = reason or "no landmark of the test part was forecast by the network"
        yield from (
            {**about, "added": added, **nothing, "n_events": 0, "n_groups": 0, "reason": why} for added in STEPS
        )
        return
    rows = pd.concat([rows for rows, _ in scored], ignore_index=True)
    for row in (*_gains(study, rows, scores), *_ranks(study, rows, settings, scores)):
        yield {**about, **row, "reason": ""}


def _no_scores() -> dict[str, float]:
    return dict.fromkeys(("score_without", "score_with", "difference", "low", "high"), np.nan)


def _score_folds(study: _Study, told: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, str]]:
    """Yield, of each fold, its tested landmarks with the hazards (k, e) of every stage; or why there are none."""
    smooth = pd.concat([_smooth(study, told, fold) for fold in sorted(study.forecast["fold"].unique())])
    forecast = study.forecast.assign(place=np.arange(len(study.forecast)))
    odds = [column for column in study.network if str(column).startswith("network_")]
    for fold in sorted(study.splits["fold"].unique()):
        tested = forecast[(forecast["fold"] == fold) & (forecast["part"] == "test")]
        taught = forecast.merge(list_unseen(study.splits, fold), on=[*CELL, "fold"])
        labels_nk = study.labels_nk[taught["row"]]
        lacking = (labels_nk == UNOBSERVED).all(axis=0)
        if tested.empty or taught.empty or lacking.any():
            yield pd.DataFrame(), f"fold {fold} has too few landmarks that were not trained on to fit to"
            continue
        rows = pd.concat([taught, tested], ignore_index=True)
        context = pd.concat(
            [told.iloc[rows["row"]].reset_index(drop=True), smooth.loc[rows["place"]].reset_index(drop=True)], axis=1
        )
        added = {"measurements": study.measured.iloc[rows["row"]].reset_index(drop=True), "network": rows[odds]}
        inputs, n, hazards = context, len(taught), {}
        for stage in STAGES:
            inputs = pd.concat([inputs, added[stage]], axis=1) if stage in added else inputs
            fitted = fit_boosted_hazards(inputs.iloc[:n], labels_nk, len(study.events), study.blend.boosting)
            hazards[stage] = list(fitted.hazards(inputs.iloc[n:]))
        yield tested.assign(**hazards), ""


def _smooth(study: _Study, told: pd.DataFrame, fold: int) -> pd.DataFrame:
    """Forecast by a smooth regression on the context, fitted to the training part of a fold: log odds, by place."""
    rows = np.flatnonzero((study.forecast["fold"] == fold).to_numpy())
    asked = study.forecast["row"].to_numpy()[rows]
    train = np.flatnonzero(study.regular.index.isin(select_part(study.regular, study.splits, fold, "train").index))
    bent = _bend(told, train)
    fitted = fit_logistic_hazards(bent.iloc[train], study.labels_nk[train], len(study.events), np.ones(len(train)))
    incidence_nke = cumulative_incidence(fitted(bent.iloc[asked]))
    ends_h = np.asarray(study.follow_up.edges_h[1:])
    bins = np.abs(ends_h - np.asarray(study.follow_up.report_h)[:, None]).argmin(axis=1)
    odds_nke = log_odds_of(incidence_nke[:, bins])
    return pd.DataFrame(odds_nke.reshape(len(rows), -1), index=rows).rename(columns=lambda number: f"smooth_{number}")


def _bend(told: pd.DataFrame, train: IntArray) -> pd.DataFrame:
    """Let a regression bend along each number of the context: cubic splines, and whether it is known."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    filled = SimpleImputer(add_indicator=True, keep_empty_features=True)
    splines = make_pipeline(filled, SplineTransformer(n_knots=6, knots="uniform", extrapolation="linear"))
    return pd.DataFrame(splines.fit(told.iloc[train]).transform(told), index=told.index)


def _gains(study: _Study, rows: pd.DataFrame, scores: ScoreSettings) -> Iterator[dict[str, object]]:
    """Yield the log likelihood that each step gains per event."""
    labels_nk = study.labels_nk[rows["row"]]
    losses = {stage: log_loss(log_odds_of(np.stack(rows[stage].to_list())), labels_nk) for stage in STAGES}
    groups_n = number_groups(study.regular["group_id"].to_numpy(object)[rows["row"]])
    n_groups = int(groups_n.max()) + 1
    counts_rg = draw_groups(n_groups, scores.n_resamples, scores.seed)
    events_n = (labels_nk > 0).sum(axis=1)
    events_r = sum_by_group(events_n.astype(np.float64), groups_n, counts_rg)
    for added, (without, with_it) in STEPS.items():
        gained_r = sum_by_group(losses[without] - losses[with_it], groups_n, counts_rg)
        gain_r = gained_r / np.where(events_r > 0, events_r, np.nan)
        found = dict(zip(("difference", "low", "high"), summarise(gain_r, scores.confidence, n_groups), strict=True))
        counts = {"n_landmarks": len(rows), "n_events": int(events_n.sum()), "n_groups": n_groups}
        of = {"within_h": np.nan, "metric": LOG_LIKELIHOOD, "outcome": EVERYTHING}
        yield {"added": added, **of, **_no_scores(), **found, **counts}


def _ranks(
    study: _Study, rows: pd.DataFrame, settings: AddedValueSettings, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Yield the differences of scores of ranks within the headline horizon."""
    headline = study.follow_up.model_copy(update={"report_h": (study.follow_up.headline_h,)})
    keys = rows[["fold", "part", *CELL, "frame"]].assign(scheme=study.splits["scheme"].iloc[0])
    tables = [
        tabulate_hazards(
            keys.assign(predictor=stage),
            np.stack(rows[stage].to_list()),
            study.events,
            headline.edges_h,
            headline.report_h,
        )
        for stage in STAGES
    ]
    asked = {each.predictor: each.known() for each in read_forecasts(pd.concat(tables), study.regular, headline)}
    if not asked:
        return
    first = asked[STAGES[0]]
    counts_rg = draw_groups(first.n_groups, scores.n_resamples, scores.seed)
    strata = _blocks(study, first, settings.block_h)
    values = {stage: _rank_scores(asked[stage], strata, counts_rg) for stage in STAGES}
    for added, (without, with_it) in STEPS.items():
        for (metric, event), with_r in values[with_it].items():
            without_r = values[without][metric, event]
            estimate = summarise(with_r - without_r, scores.confidence, first.n_groups)
            yield {
                "added": added,
                "within_h": headline.headline_h,
                "metric": metric,
                "outcome": event,
                "score_without": float(without_r[0]),
                "score_with": float(with_r[0]),
                **dict(zip(("difference", "low", "high"), estimate, strict=True)),
                "n_landmarks": len(first.truth_n),
                "n_events": int((first.truth_n == first.position(event)).sum()),
                "n_groups": first.n_groups,
            }


def _blocks(study: _Study, asked: Asked, block_h: float) -> dict[str, IntArray]:
    """Give the number of the block of time, and of time and age, that each landmark is compared in."""
    found = study.regular.set_index("landmark_id").loc[asked.landmark_ids_n.tolist()]
    hours = found["frame_interval_min"].to_numpy(np.float64) / 60
    time_n, age_n = (
        (found[frames].to_numpy(np.float64) * hours // block_h).astype(np.int64)
        for frames in ("last_frame", "age_frames")
    )
    both = number_groups(time_n * (int(age_n.max()) + 1) + age_n)
    return {"auroc_within_time": time_n, "auroc_within_time_and_age": both}


def _rank_scores(asked: Asked, strata: dict[str, IntArray], counts_rg: FloatArray) -> dict[tuple[str, str], FloatArray]:
    """AUROC, average precision, and AUROC within each kind of block, of every event."""
    each = (asked.groups_n, counts_rg, asked.weights_n)
    values = {}
    for event in asked.events:
        p_n, happened_n = asked.probabilities_nk[:, asked.position(event)], asked.truth_n == asked.position(event)
        ranked = score.auroc_and_average_precision(p_n, happened_n, *each)
        values["auroc", event], values["average_precision", event] = ranked
        for metric, strata_n in strata.items():
            values[metric, event] = score.auroc_within(p_n, happened_n, strata_n, *each)
    return values
