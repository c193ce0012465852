"""Published figures of this method, computed again where that is possible, beside the same quantities of this study."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.attention_summary import summarise_effects
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS
from cellfate.core.predictors import CLASSIFIER
from cellfate.core.tables import EVERYTHING, Reproduction
from cellfate.core.words import list_words, name_feature, show_count, write_hours
from cellfate.statistics import scores

FloatArray = NDArray[np.float64]
Row = Mapping[Any, Any]
PAPER: Final = "arXiv:2603.16562"
FRAME_H: Final = 0.5
"""Hours of a published frame, if 20 of them are the 10 h of its abstract."""
TREATED: Final = ("Low", "Medium", "High")
"""Doses whose cells the published attention statistics pool."""
LENGTHS: Final = np.arange(50, 187)
"""Frames that a cell of the published attention statistics can have."""
_SINGLE: Final = 1e-6
"""The published scores are numbers of single precision."""
_WHOLE: Final = 1e-9
"""By how much a number of pairs may miss a whole one."""
_SCORES: Final = {"balanced_accuracy": scores.balanced_accuracy, "macro_f1": scores.macro_f1}
_BY_EVENT: Final = {"recall": scores.recall, "precision": scores.precision}
NO_TABLES: Final = "the published tables are not here (report.published_tables)"
_NO_COUNTS: Final = "it does not follow from counts of calls"


@dataclass(frozen=True)
class StudyTables:
    """Tables of the study that hold the same quantities, by their catalog names."""

    questions: pd.DataFrame
    metrics: pd.DataFrame
    masking_curves: pd.DataFrame
    attention_statistics: pd.DataFrame
    recordings: pd.DataFrame
    splits: pd.DataFrame


def read_published() -> pd.DataFrame:
    """Read the published figures: where each stands, its value, and the counts it follows from where they are known."""
    with files("cellfate.report").joinpath("published.csv").open("r", encoding="utf-8") as file:
        return pd.read_csv(file, dtype={"k_frames": "Int64"})


def reproduce(
    study: StudyTables,
    published_tables: str | None,
    follow_up: FollowUpSettings,
    statistics: AttentionStatisticsSettings,
) -> pd.DataFrame:
    """Hold every published figure against what follows from the published counts and tables, and against this study.

    Parameters
    ----------
    study
        Tables of the study.
    published_tables
        Folder of the published tables; None: not here.
    follow_up
        The guard, which the published study does not have.
    statistics
        Resamples behind the interval of a median.

    Returns
    -------
    pandas.DataFrame
        Table `Reproduction`.

    Raises
    ------
    InputError
        If the folder lacks a table.
    """
    folder = None if published_tables is None else Path(published_tables)
    rows = [
        {**row, **_recompute(row, folder), **_find_here(row, study, statistics), "source": f"{PAPER}, {row['file']}"}
        for row in read_published().to_dict("records")
    ]
    differs = {item: _say_differences(item, study, follow_up) for item in {str(row["item"]) for row in rows}}
    table = pd.DataFrame(rows).assign(differs=lambda t: t["item"].map(differs))
    n_published = table[[f"n_{event}" for event in EVENTS]].sum(axis=1).replace(0, np.nan).astype("Int64")
    table = table.assign(n_published=n_published)
    return Reproduction.validate(table[list(Reproduction.to_schema().columns)])


def _recompute(row: Row, folder: Path | None) -> dict[str, Any]:
    """Compute the figure from counts where they are known, else from the published tables; or say why not."""
    if not pd.isna(row["right_apoptosis"]):
        counts = [row[f"{what}_{event}"] for what in ("right", "n") for event in EVENTS]
        return {"recomputed": score_counts(row, *counts), "recomputed_from": "counts of calls"}
    if row["quantity"] == "log_loss":
        return {"recomputed": np.nan, "recomputed_from": _NO_COUNTS}
    if folder is None:
        return {"recomputed": np.nan, "recomputed_from": NO_TABLES}
    table = _read_table(folder, row["file"])
    if row["item"] == "T3":
        n_apoptosis, n_mitosis = int(row["n_apoptosis"]), int(row["n_mitosis"])
        right = find_counts(_at(table, row), n_apoptosis, n_mitosis)
        return {
            "recomputed": score_counts(row, *right, n_apoptosis, n_mitosis),
            "recomputed_from": "counts that give the published means",
        }
    if row["item"] == "T4":
        recalls = [_at(table, row)[f"Recall_class_{event.capitalize()}"] for event in EVENTS]
        return {"recomputed": float(np.mean(recalls)), "recomputed_from": "recalls of both fates"}
    return {"recomputed": _recompute_deltas(row, table, folder), "recomputed_from": "rows of cells"}


def score_counts(row: Row, right_apoptosis: float, right_mitosis: float, n_apoptosis: float, n_mitosis: float) -> float:
    """Compute a score (`quantity`, `outcome` of the row) from how many cells of each fate were called rightly."""
    confusion = np.array(
        [[[right_apoptosis, n_apoptosis - right_apoptosis], [n_mitosis - right_mitosis, right_mitosis]]], dtype=float
    )
    if row["quantity"] in _SCORES:
        return float(_SCORES[row["quantity"]](confusion)[0])
    return float(_BY_EVENT[row["quantity"]](confusion)[0, EVENTS.index(row["outcome"])])


def find_counts(published: Row, n_apoptosis: int, n_mitosis: int) -> tuple[int, int]:
    """Find the numbers of right calls that give the published mean recall and mean precision.

    Parameters
    ----------
    published
        `Recall` and `Precision`, means over both fates.
    n_apoptosis, n_mitosis
        Cells of each fate.

    Raises
    ------
    InputError
        If not exactly one pair of whole numbers does.
    """
    a, b = np.arange(n_apoptosis + 1.0)[:, None], np.arange(n_mitosis + 1.0)[None]
    recall = (a / n_apoptosis + b / n_mitosis) / 2
    called_a, called_b = a + n_mitosis - b, b + n_apoptosis - a
    precision = (a / np.maximum(called_a, 1) + b / np.maximum(called_b, 1)) / 2
    fits = (np.abs(recall - published["Recall"]) < _SINGLE) & (np.abs(precision - published["Precision"]) < _SINGLE)
    found = np.argwhere(fits)
    if len(found) != 1:
        raise InputError(
            f"{len(found)} pairs of counts give the published recall {published['Recall']} and precision "
            f"{published['Precision']}, but one was expected; put the published tables as they were into "
            "report.published_tables, or set it to null."
        )
    return int(found[0, 0]), int(found[0, 1])


def _recompute_deltas(row: Row, table: pd.DataFrame, folder: Path) -> float:
    deltas = table["Cliff's Delta"].to_numpy(float)
    if row["quantity"] == "median_delta":
        return float(np.median(deltas[table["Dosage"].isin(TREATED)]))
    if row["quantity"] == "whole_deltas":
        return float(are_whole(deltas[:, None], count_top_frames(LENGTHS), LENGTHS).any(axis=1).mean())
    other = _read_table(folder, str(row["file"]).replace("area", "equivalent_diameter_area"))["Cliff's Delta"]
    return float((deltas == other.to_numpy(float)).mean())


def count_top_frames(n_frames: Any) -> Any:
    """Frames at or above the 90th percentile, of so many frames without ties."""
    return (n_frames - 1) // 10 + 1


def are_whole(deltas: FloatArray, n_top: Any, n_frames: Any) -> NDArray[np.bool_]:
    """Whether Cliff's deltas are a whole number of pairs: delta times top frames times other frames."""
    pairs = deltas * n_top * (n_frames - n_top)
    return np.asarray(np.abs(pairs - np.round(pairs)) < _WHOLE)


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    path = folder / name
    if not path.is_file():
        raise InputError(f"{path} is missing, a published table; put it there, or set report.published_tables to null.")
    return pd.read_csv(path, sep=";")


def _at(table: pd.DataFrame, row: Row) -> Row:
    return dict(table[table["Truncation"] == row["k_frames"]].iloc[0])


def _find_here(row: Row, study: StudyTables, settings: AttentionStatisticsSettings) -> dict[str, Any]:
    """Find the same quantity of this study with interval and cells; or say why there is none."""
    asked = study.questions[study.questions["question"] == "which_fate"]
    if not asked["asked"].astype(bool).any():
        return _none(str(asked["remark"].iloc[0]) if len(asked) else "which fate comes is not asked here")
    if row["item"] == "T5":
        return _find_delta(row, study, settings)
    if row["item"] == "T6":
        return _find_structure(row, study.attention_statistics)
    table = study.metrics if row["item"] == "T1" else study.masking_curves
    found = table[(table["metric"] == row["quantity"]) & (table["outcome"] == row["outcome"])]
    if row["item"] == "T1":
        found = found[
            (found["predictor"] == CLASSIFIER) & found["within_h"].isna() & (found["condition"] == EVERYTHING)
        ]
        return _take(found, f"no test cell tells of {row['outcome']}")
    found = found[(found["experiment"] == row["experiment"]) & (found["cohort"] == "shrinking")]
    return _take(
        found[found["k_frames"] == row["k_frames"]],
        f"{row['k_frames']} is not in masking.{row['experiment']}_frames",
    )


def _take(found: pd.DataFrame, absent: str) -> dict[str, Any]:
    if found.empty:
        return _none(absent)
    score = found.iloc[0]
    if pd.isna(score["estimate"]):
        reason = score.get("reason")
        return _none("a fate is absent among these cells" if reason is None or pd.isna(reason) else str(reason))
    n = {"n_cells": score["n_landmarks"], "n_groups": score["n_groups"]}
    return {"here": score["estimate"], "low": score["low"], "high": score["high"], **n, "reason": None}


def _none(reason: str) -> dict[str, Any]:
    return {"here": np.nan, "low": np.nan, "high": np.nan, "n_cells": 0, "n_groups": 0, "reason": reason}


def _find_delta(row: Row, study: StudyTables, settings: AttentionStatisticsSettings) -> dict[str, Any]:
    cells = study.attention_statistics
    of_feature = cells[cells["feature"] == row["feature"]]
    if of_feature.empty:
        return _none(f"{name_feature(row['feature'])} is not compared here")
    pooled = choose_treated(of_feature)
    pooled = pooled[(pooled["outcome"] == row["outcome"]) & pooled["cliffs_delta"].notna()]
    if pooled.empty:
        return _none(f"no cell with {row['outcome']} is compared")
    one = summarise_effects(pooled.assign(dose=EVERYTHING), settings).iloc[0]
    values = {"here": one["median_delta"], "low": one["low"], "high": one["high"]}
    return {**values, "n_cells": len(pooled), "n_groups": _count_groups(pooled), "reason": None}


def choose_treated(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells of the published doses where there are some, else all."""
    treated = cells[cells["dose"].isin(TREATED)]
    return treated if len(treated) else cells


def _find_structure(row: Row, cells: pd.DataFrame) -> dict[str, Any]:
    """Whether deltas have the published structure here."""
    if row["quantity"] == "identical_deltas":
        both = cells.pivot_table(index="landmark_id", columns="feature", values="cliffs_delta")
        if not {"area", "equivalent_diameter"} <= {*both}:
            return _none(
                "equivalent diameter is not compared: its order is that of area (attention_statistics.features)"
            )
        same = _share(np.isclose(both["area"], both["equivalent_diameter"], atol=_WHOLE))
        return same | {"n_groups": _count_groups(cells)}
    n_frames = cells["n_top"] + cells["n_other"]
    known = cells[(n_frames == n_frames.groupby(cells["landmark_id"]).transform("max")) & cells["cliffs_delta"].notna()]
    if known.empty:
        return _none("no cell is compared")
    n_frames, n_top, deltas = (known["n_top"] + known["n_other"], known["n_top"], known["cliffs_delta"])
    holds = (n_top == count_top_frames(n_frames)) & are_whole(deltas.to_numpy(float), n_top, n_frames)
    return _share(holds.to_numpy()) | {"n_cells": known["landmark_id"].nunique(), "n_groups": _count_groups(known)}


def _count_groups(cells: pd.DataFrame) -> int:
    return int(cells["group_id" if "group_id" in cells else "landmark_id"].nunique())


def _share(holds_n: NDArray[Any]) -> dict[str, Any]:
    return _none("") | {"here": float(holds_n.mean()), "n_cells": len(holds_n), "reason": None}


def _say_differences(item: str, study: StudyTables, follow_up: FollowUpSettings) -> str:
    """Say what differs between the published cells and those of this study, and what that does."""
    interval_h = float(study.recordings["frame_interval_min"].median()) / 60
    schemes = set(study.splits["scheme"])
    said = [f"the cells are others, of {show_count(len(study.recordings), 'recording')}"]
    if item in ("T1", "T2", "T3", "T4") and "random_by_cell" not in schemes:
        said.append("cells are split by group here, at random there, so that cells of one recording train and test")
    if follow_up.guard_h and item != "T6":
        said.append(
            f"the last {write_hours(follow_up.guard_h)} before the end is never shown here, there every frame is"
        )
    if item in ("T2", "T3", "T4") and abs(interval_h - FRAME_H) > _SINGLE:
        said.append(f"a frame is {write_hours(interval_h)}, there about {write_hours(FRAME_H)}")
    if item == "T4":
        said.append("the second test set has as many cells of each fate; here it is the same test part")
    if item == "T5":
        treated = study.attention_statistics["dose"].isin(TREATED).any()
        said.append(
            "attention here is of test cells, right or wrong, there of cells called rightly in at least 50 frames"
        )
        said += [] if treated else [f"attention here is of all doses, there of {list_words(TREATED)}"]
    return "; ".join(said)
