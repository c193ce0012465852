"""What tested cells share with cells that the model has seen, and whether that gives their fate away."""

import pandas as pd

from cellfate.core.tables import EVERYTHING, SHARED
from cellfate.core.words import (
    EMPTY,
    capitalise,
    name_dose,
    order_doses,
    show_count,
    show_number,
    show_p_value,
    show_percent,
)
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table

_NAMES = {"mother": "mother or daughter"}
_MEASURES = {"same_fate": "same fate (share of pairs)", "time_difference_h": "difference in time to the event (h)"}
ALIKE = 0.05
"""Sisters are called alike where chance makes them so alike in fewer than this share of permutations."""


def count_shared(leakage: pd.DataFrame) -> pd.DataFrame:
    """Count over all folds the tested cells that share something with cells seen before: n_known, n_shared, n_cells.

    Parameters
    ----------
    leakage
        Table `Leakage`.
    """
    tested = leakage[leakage["part"] == "test"]
    return tested.groupby("shared")[["n_known", "n_shared", "n_cells"]].sum().reindex(list(SHARED), fill_value=0)


def write_leakage(leakage: pd.DataFrame) -> str:
    """Say what stands on both sides of the split, the gravest first.

    Parameters
    ----------
    leakage
        Table `Leakage`.
    """
    counted = count_shared(leakage)
    shared = counted["n_shared"]
    n_cells = show_count(int(counted["n_cells"].max()), "test cell")
    if shared["group"] or shared["sister"] or shared["mother"] or shared["lineage"]:
        worst = next(name for name in ("sister", "mother", "lineage", "group") if shared[name])
        return (
            f"{int(shared[worst]):,} of {n_cells} share a {_NAMES.get(worst, worst)} with cells that trained or "
            "validated: the scores are too good by all that such cells have in common."
        )
    if shared["recording"]:
        return (
            f"{int(shared['recording']):,} of {n_cells} come from a recording that trained or validated too, none from "
            "a lineage that did: the scores say nothing of another recording."
        )
    return f"None of {n_cells} shares a recording, or anything else that tables know, with training or validation."


def tabulate_leakage(leakage: pd.DataFrame) -> ReportTable:
    """List how many test cells share what with training or validation, all folds together."""
    counted = count_shared(leakage)
    shares = counted["n_shared"] / counted["n_known"].where(counted["n_known"] > 0)
    frame = pd.DataFrame(
        {
            "the same": [_NAMES.get(name, name) for name in counted.index],
            "test cells that share it": [f"{row.n_shared:,}" if row.n_known else EMPTY for row in counted.itertuples()],
            "of cells of which it is known": counted["n_known"].to_list(),
            "share": [EMPTY if pd.isna(share) else show_percent(share) for share in shares],
        }
    )
    return as_report_table(frame, "What test cells share with cells that trained or validated")


def write_sisters(concordance: pd.DataFrame, leakage: pd.DataFrame) -> str:
    """Say whether sisters end more alike than cells of one recording, and whether the split takes care of it.

    Parameters
    ----------
    concordance, leakage
        Tables `SisterConcordance` and `Leakage`.
    """
    rows = concordance[concordance["condition"] == EVERYTHING].set_index("measure")
    same, hours = rows.loc["same_fate"], rows.loc["time_difference_h"]
    parted = bool(count_shared(leakage)["n_shared"]["sister"] > 0)
    if pd.isna(same["p_value"]) and pd.isna(hours["p_value"]):
        return f"Whether sisters end alike is not known: {same['reason']}."
    said, alike = [], False
    if pd.notna(same["p_value"]):
        said.append(
            f"Of {show_count(same['n_pairs'], 'pair')} of sisters that were both followed to an event, "
            f"{show_percent(same['observed'])} met the same fate; cells of one recording paired at random would in "
            f"{show_percent(same['expected'])} (p {show_p_value(same['p_value'])})."
        )
        alike |= bool(same["p_value"] < ALIKE)
    if pd.notna(hours["p_value"]):
        said.append(
            f"Of {show_count(hours['n_pairs'], 'pair')} that met one fate, the hours to it differ by "
            f"{show_number(hours['observed'], 1)} on average, by {show_number(hours['expected'], 1)} if paired at "
            f"random (p {show_p_value(hours['p_value'])})."
        )
        alike |= bool(hours["p_value"] < ALIKE)
    return " ".join([*said, _conclude(alike, parted)])


def _conclude(alike: bool, parted: bool) -> str:
    if alike and parted:
        return "Sisters are alike, and this split parts some: the scores are too good; split by lineage or recording."
    if alike:
        return "Sisters are alike, so it matters that no test cell has one in training or validation, as here."
    more = "" if parted else "; the split keeps them together all the same"
    return f"It is not shown that sisters are more alike than other cells of their recording{more}."


def tabulate_sisters(concordance: pd.DataFrame) -> ReportTable | None:
    """List both measures by dose; None: no pair of sisters was seen to end."""
    rows = concordance[concordance["n_pairs"] > 0]
    if rows.empty:
        return None
    places = {dose: place for place, dose in enumerate(order_doses(rows["condition"]))}
    rows = rows.assign(place=rows["condition"].map(places)).sort_values(["measure", "place"], kind="stable")
    frame = pd.DataFrame(
        {
            "measure": [capitalise(_MEASURES[measure]) for measure in rows["measure"]],
            "dose": [name_dose(dose) for dose in rows["condition"]],
            "sisters": [show_number(value) for value in rows["observed"]],
            "paired at random": [show_number(value) for value in rows["expected"]],
            "95 % of permutations": [
                EMPTY if pd.isna(low) else f"{show_number(low)} to {show_number(high)}"
                for low, high in zip(rows["null_low"], rows["null_high"], strict=True)
            ],
            "p": [EMPTY if pd.isna(p) else f"{p:.4f}" for p in rows["p_value"]],
            "pairs": rows["n_pairs"].to_list(),
            "not both seen": rows["n_unseen"].to_list(),
            "not defined because": rows["reason"].fillna("").to_list(),
        }
    )
    return as_report_table(frame, "Sisters against cells of their recording paired at random", folded=True)
