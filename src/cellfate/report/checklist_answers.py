"""What a run knows of the items of reporting checklists; every answer is read from its tables, settings and models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from cellfate.core.fates import EVENTS, FATES
from cellfate.core.predictors import choose_leading, label_predictor, name_predictor
from cellfate.core.tables import CELL, EVERYTHING, PARTS
from cellfate.core.words import (
    READINGS,
    list_words,
    name_asked,
    name_metric,
    order_doses,
    show_count,
    show_difference,
    show_percent,
    show_score,
    write_hours,
)
from cellfate.report.checklist_counts import count_fates, count_values, list_distinct

TABLES: Final = (
    "recordings",
    "cells",
    "follow_ups",
    "landmarks",
    "splits",
    "leakage",
    "questions",
    "metrics",
    "comparisons",
    "losses",
    "preflight_summary",
    "preflight_findings",
    "recordings_set_aside",
    "tracks_set_aside",
    "cells_set_aside",
)
"""Tables that the answers are read from, by catalog name."""


@dataclass(frozen=True)
class Run:
    """What a run knows of itself: tables, settings by group, and the `config.json` of each model folder by reading."""

    tables: Mapping[str, pd.DataFrame]
    parameters: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]


def _recordings(run: Run) -> str:
    table = run.tables["recordings"]
    channels = list_words(dict.fromkeys("|".join(table["channels"]).split("|")))
    holding = f"channels {channels}" if channels else "tables of traces without images"
    return (
        f"{show_count(len(table), 'recording')} of {list_distinct(table['n_frames'])} frames, one every "
        f"{list_distinct(table['frame_interval_min'])} min, {holding}; conditions: {count_values(table['condition'])}; "
        f"{show_count(len(run.tables['cells']), 'tracked cell')}."
    )


def _primary(run: Run) -> str:
    rows = run.tables["comparisons"].query("primary")
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return f"Primary result: {name_metric(row['metric'])} of {name_asked(row['outcome'], row['within_h'])}."


def _eligible(run: Run) -> str:
    settings, asked = run.parameters["follow_up"], len(run.tables["landmarks"].drop_duplicates(CELL))
    return (
        f"Cells shown in at least {settings.min_frames} frames before the last {write_hours(settings.guard_h)}: "
        f"{asked:,} of {len(run.tables['follow_ups']):,} that were followed."
    )


def _treatments(run: Run) -> str:
    followed = run.tables["follow_ups"]
    doses = [f"{dose}: {count_fates(followed[followed['dose'] == dose])}" for dose in order_doses(followed["dose"])]
    context = "" if "dose" in run.parameters["context"].names else " The fate clock is not told the dose."
    return f"Followed cells by dose: {'; '.join(doses)}.{context}"


def _preparation(run: Run) -> str:
    crops = run.parameters["crops"]
    if "features" not in run.parameters:
        return f"Tables of traces, taken as they are; nothing that is missing was filled in. {_checks(run)}"
    return (
        f"Crops of {crops.height_px} x {crops.width_px} px, flat field {crops.correction}, background "
        f"{crops.background:g}; cells segmented by {run.parameters['features'].method}. {_checks(run)}"
    )


def _checks(run: Run) -> str:
    found, n = run.tables["preflight_findings"], len(run.tables["preflight_summary"])
    cases = found.groupby(found["severity"] + " " + found["check"].str.replace("_", " "))["n_cases"].sum()
    listed = ", ".join(f"{name} {n:,}" for name, n in cases.items()) or "none"
    return f"Findings of the preflight of {show_count(n, 'recording')}: {listed}."


def _outcome(run: Run) -> str:
    settings, asked = run.parameters["follow_up"], run.tables["questions"].query("asked")["question"].tolist()
    within = list_words(write_hours(hours) for hours in settings.report_h)
    said = {
        "which_fate": "which fate comes, of cells whose fate was seen",
        "within_hours": f"what happens within {within}",
    }
    return (
        f"Asked: {'; '.join(said[name] for name in asked)}; the last {write_hours(settings.guard_h)} before the end "
        f"of a track is not shown. Followed cells: {count_fates(run.tables['follow_ups'])}."
    )


def _inputs(run: Run) -> str:
    clock = run.models["clock"]
    context = list_words(name.replace("_", " ") for name in run.parameters["context"].names)
    spots = list_words(clock.get("spot_features") or ()) or "none"
    shown = f"Images of {list_words(clock['channels'])}" if clock["channels"] else "Traces"
    return (
        f"{shown}, up to the frame of the forecast; measurements of the last "
        f"{write_hours(run.parameters['blend'].history_h)}; context: {context}; numbers of the tracker: {spots}."
    )


def _sizes(run: Run) -> str:
    said = []
    for (fold, part), rows in _split_cells(run).groupby(["fold", "part"], observed=True):
        groups = show_count(rows["group_id"].nunique(), "group")
        said.append(f"fold {fold}, {part}: {show_count(len(rows), 'cell')} of {groups} ({count_fates(rows)})")
    return f"{'; '.join(said)}."


def _split_cells(run: Run) -> pd.DataFrame:
    """Followed cells with fold and part, parts in their order."""
    cells = run.tables["splits"].merge(run.tables["follow_ups"], on=CELL)
    return cells.assign(part=pd.Categorical(cells["part"], PARTS))


def _missing(run: Run) -> str:
    tables = [run.tables[f"{name}_set_aside"]["reason"] for name in ("recordings", "tracks", "cells")]
    reasons = pd.concat(tables).value_counts()
    listed = "; ".join(f"{reason} ({n:,})" for reason, n in reasons.head(5).items())
    rest = f"; {len(reasons) - 5} further reasons" if len(reasons) > 5 else ""
    return f"Left out: {listed or 'nothing'}{rest}. {_lost(run)}"


def _lost(run: Run) -> str:
    losses, hours = run.tables["losses"], run.parameters["follow_up"].headline_h
    rows = losses[(losses["dose"] == EVERYTHING) & (losses["within_h"] == hours)]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return (
        f"Lost before the answer within {write_hours(hours)} was known: {row['n_lost_landmarks']:,} of "
        f"{row['n_landmarks']:,} landmarks; the others are weighted, by at most {row['largest_weight']:.2f}."
    )


def _gaps(run: Run) -> str:
    cells = run.tables["follow_ups"]
    spans = cells["last_frame"] - cells["first_frame"] + 1
    shares = (1 - cells["n_frames"].groupby(cells["fate"]).sum() / spans.groupby(cells["fate"]).sum()) * 100
    listed = ", ".join(f"{fate} {shares[fate]:.2f} %" for fate in FATES if fate in shares)
    return f"Frames without a detection between the first and last shown: {listed}."


def _split(run: Run) -> str:
    settings = run.parameters["splits"]
    by = "cell" if settings.scheme == "random_by_cell" else "group"
    return f"Scheme {settings.scheme}, by {by}, seed {settings.seed}. {_sizes(run)}"


def _of_members(run: Run, write: Callable[[Mapping[str, Any], Mapping[str, Any]], str]) -> str:
    """Write something of each member, given its model and itself; empty where no network was trained."""
    said = [
        f"{READINGS[reading]}, fold {member['fold']}: {write(model, member)}"
        for reading, model in run.models.items()
        for member in model.get("members", ())
        if member["n_epochs"]
    ]
    return f"{'; '.join(said)}." if said else ""


def _scaling(run: Run) -> str:
    def write(model: Mapping[str, Any], member: Mapping[str, Any]) -> str:
        if model["architecture"].get("encoder") == "features":
            columns = f"{len(member['columns'])} columns, each standardised"
            return f"{columns} by the shown frames of {member['n_train']:,} training cells, missing values marked"
        intensity = str(model["architecture"]["intensity"]).replace("_", " ")
        return f"intensity {intensity}, statistics of the pixels of {member['n_train']:,} training cells"

    return _of_members(run, write)


def _models(run: Run) -> str:
    said = []
    for reading, model in run.models.items():
        built, n_members = model["architecture"], sum(one["n_epochs"] > 0 for one in model.get("members", ()))
        if n_members:
            said.append(
                f"{READINGS[reading]}: {built['encoder']}, embedding {built['embedding_size']}, {built['n_layers']} "
                f"Transformer layers, {show_count(n_members, 'member')}, trained to {model['training'].get('monitor')}"
            )
    return f"{'; '.join(said)}.{_blend(run)}" if said else _blend(run).strip()


def _blend(run: Run) -> str:
    weights = run.models["clock"].get("blend_weights", {}).get("all", {}).get("parts", {})
    return f" Blend: {', '.join(f'{part} {weight:.2f}' for part, weight in weights.items())}." if weights else ""


def _selection(run: Run) -> str:
    def write(model: Mapping[str, Any], member: Mapping[str, Any]) -> str:
        score = name_metric(str(model["training"].get("monitor")))
        epochs = f"epoch {member['best_epoch'] + 1} of {member['n_epochs']}"
        return f"{epochs}, best {score} of {member['n_validation']:,} validation cells"

    chosen = _of_members(run, write)
    return f"{chosen}{_blend(run)}".strip()


def _training(run: Run) -> str:
    names = ("optimizer", "learning_rate", "weight_decay", "max_epochs", "patience_epochs", "seed")
    said = [
        f"{READINGS[reading]}: "
        + ", ".join(f"{name} {model['training'][name]}" for name in names if name in model["training"])
        for reading, model in run.models.items()
        if model.get("training")
    ]
    return f"Values in force: {'; '.join(said)}." if said else ""


def _intervals(run: Run) -> str:
    scores, metrics = run.parameters["scores"], run.tables["metrics"]
    n = int(metrics["n_groups"].max()) if len(metrics) else 0
    return (
        f"{show_percent(scores.confidence)} intervals, expanded percentiles of {scores.n_resamples:,} resamples of "
        f"whole groups ({n:,} with test cells), seed {scores.seed}; scores within doses beside the pooled ones."
    )


def _metrics(run: Run) -> str:
    names = dict.fromkeys(run.tables["metrics"]["metric"].str.removesuffix("_tuned"))
    return f"{list_words(name_metric(name) for name in names)}." if names else ""


def _model_files(run: Run) -> str:
    said = [
        f"{reading}_model: weights SHA-256 {model.get('file_digests', {}).get('weights.safetensors', 'not known')[:16]}"
        for reading, model in run.models.items()
        if model.get("members")
    ]
    return f"Folders, loaded by cellfate.Predictor.from_folder: {'; '.join(said)}." if said else ""


def _balance(run: Run) -> str:
    slopes = _of_leading(run, "observed_over_expected")
    balanced = f"training.balance: {run.parameters['training'].balance}. " if "training" in run.parameters else ""
    return f"{balanced}Observed over expected: {slopes or 'not scored'}."


def _output(run: Run) -> str:
    alarm, hours = run.parameters["alarm"], run.parameters["follow_up"].report_h
    return (
        f"Probability of {list_words(run.models['clock']['events'])} and of none, within "
        f"{list_words(write_hours(one) for one in hours)}. Alarm at {alarm.threshold:.2f}, from costs of "
        f"{alarm.cost_false:g} and {alarm.cost_miss:g} for {alarm.frames_on_end} frames on end."
    )


def _parts(run: Run) -> str:
    by_part = _split_cells(run).groupby("part", observed=True)
    said = [f"{part}: doses {count_values(rows['dose'])}; {count_fates(rows)}" for part, rows in by_part]
    return f"{'. '.join(said)} (cells, all folds)."


def _data_digest(run: Run) -> str:
    digests = {reading: model.get("data_digest", "") for reading, model in run.models.items()}
    return "; ".join(f"{READINGS[reading]}: data SHA-256 {digest}" for reading, digest in digests.items() if digest)


def _versions(run: Run) -> str:
    trained = {
        f"{name} {version}" for model in run.models.values() for name, version in model.get("versions", {}).items()
    }
    return f"Trained with {', '.join(sorted(trained))}." if trained else ""


def _flow(run: Run) -> str:
    opened, aside = len(run.tables["recordings"]), run.tables["recordings_set_aside"]["recording_id"].nunique()
    followed = run.tables["follow_ups"]
    hours = (followed["end_frame"] - followed["first_frame"]) * followed["frame_interval_min"] / 60
    return (
        f"{opened:,} recordings used, {aside:,} set aside; {len(run.tables['cells']):,} cells tracked, "
        f"{len(followed):,} followed ({count_fates(followed)}), for {hours.median():.1f} h (median); "
        f"{len(run.tables['landmarks'].drop_duplicates(CELL)):,} old enough to be asked."
    )


def _of_leading(run: Run, metric: str, condition: str = EVERYTHING) -> str:
    """Write a score of the leading predictor for each event within the headline horizon."""
    rows = run.tables["metrics"]
    rows = rows[(rows["within_h"] == run.parameters["follow_up"].headline_h) & (rows["condition"] == condition)]
    leading = choose_leading(rows["predictor"])
    rows = rows[(rows["predictor"] == leading) & (rows["metric"] == metric) & rows["outcome"].isin(EVENTS)]
    scores = zip(rows["outcome"], rows["estimate"], rows["low"], rows["high"], strict=True)
    return ", ".join(f"{outcome} {show_score(*score)}" for outcome, *score in scores)


def _performance(run: Run) -> str:
    rows = run.tables["metrics"]
    fates = rows[(rows["predictor"] == "classifier") & (rows["metric"] == "balanced_accuracy")]
    fates = fates[(fates["condition"] == EVERYTHING) & fates["within_h"].isna()]
    said = [
        f"Classifier, balanced accuracy {show_score(*one)}"
        for one in fates[["estimate", "low", "high"]].to_numpy(float)
    ]
    found = {metric: _of_leading(run, metric) for metric in ("auroc", "average_precision", "calibration_slope")}
    said += [f"{name_metric(metric)} {scores}" for metric, scores in found.items() if scores]
    hours = write_hours(run.parameters["follow_up"].headline_h)
    return f"{'; '.join(said)} (within {hours} unless of the classifier)." if said else ""


def _subgroups(run: Run) -> str:
    conditions = order_doses(set(run.tables["metrics"]["condition"]) - {EVERYTHING})
    scored = ((condition, _of_leading(run, "auroc", condition)) for condition in conditions)
    said = [f"{condition.replace('_', ' ')}: {scores}" for condition, scores in scored if scores]
    return f"AUROC by dose: {'; '.join(said)}." if said else ""


def _references(run: Run) -> str:
    rows = run.tables["comparisons"]
    rows = rows[rows["best_trivial"].astype(bool) & rows["primary"].astype(bool)]
    said = [
        f" {label_predictor(row['predictor'])} minus {name_predictor(row['reference'])}, {name_metric(row['metric'])}: "
        f"{show_difference(row['difference'], row['low'], row['high'])}."
        for row in rows.to_dict("records")
    ]
    settings = run.parameters["references"]
    names = dict.fromkeys((*settings.names_which_fate, *settings.names_within_hours))
    return f"References: {list_words(map(name_predictor, names))}.{''.join(said)}"


def _leakage(run: Run) -> str:
    rows = run.tables["leakage"].query("part == 'test'")
    worst = rows.groupby("shared", sort=False)["share"].max()
    said = [f"{what} {show_percent(share)}" for what, share in worst.items()]
    return f"Test cells that share with training or validation, in the worst fold: {', '.join(said)}." if said else ""


def _tests(run: Run) -> str:
    rows = run.tables["comparisons"]
    n = int(rows["p_corrected"].notna().sum()) if len(rows) else 0
    return f"{n:,} p values of paired differences, from the intervals' resamples, corrected by Holm. {_primary(run)}"


FILLERS: Final[dict[str, Callable[[Run], str]]] = {
    "primary": _primary,
    "recordings": _recordings,
    "eligible": _eligible,
    "treatments": _treatments,
    "preparation": _preparation,
    "checks": _checks,
    "outcome": _outcome,
    "inputs": _inputs,
    "sizes": _sizes,
    "missing": _missing,
    "gaps": _gaps,
    "split": _split,
    "scaling": _scaling,
    "models": _models,
    "selection": _selection,
    "training": _training,
    "intervals": _intervals,
    "metrics": _metrics,
    "model_files": _model_files,
    "balance": _balance,
    "output": _output,
    "parts": _parts,
    "data_digest": _data_digest,
    "versions": _versions,
    "flow": _flow,
    "performance": _performance,
    "subgroups": _subgroups,
    "references": _references,
    "leakage": _leakage,
    "tests": _tests,
}
"""What answers an item, by its name in checklist.csv; each returns nothing where the run does not know."""
