"""One row a recording: how much there is of everything, and how much was found."""

import pandas as pd

from cellfate.core.fates import FATES
from cellfate.core.tables import PreflightSummary

_COUNTS = (
    "n_frames",
    "n_frames_looked_at",
    "n_cells",
    "n_detections",
    *(f"n_{fate}" for fate in FATES),
    "n_gaps",
)


def summarise_recordings(
    recordings: pd.DataFrame, cells: pd.DataFrame, quality: pd.DataFrame, findings: pd.DataFrame
) -> pd.DataFrame:
    """Count frames, cells, fates and findings of each recording, in their order: table `PreflightSummary`.

    `recordings` are those that can be opened, `cells` is table `PreflightCells`; others are known by their findings
    only.
    """
    names = sorted({*recordings["recording_id"], *findings["recording_id"].dropna()})
    table = pd.DataFrame({"recording_id": pd.Series(names, dtype="str")})
    opened = recordings[["recording_id", "condition", "dose", "channels", "n_frames"]]
    looked_at = quality.groupby("recording_id")["frame"].nunique().rename("n_frames_looked_at")
    counts = opened.merge(_count_cells(cells), on="recording_id", how="left").merge(
        looked_at.reset_index(), on="recording_id", how="left"
    )
    counts = counts.assign(**{name: counts[name].fillna(0) for name in _COUNTS})
    table = table.merge(counts, on="recording_id", how="left")
    for severity in ("error", "warning"):
        found = findings[findings["severity"] == severity].groupby("recording_id")["n_cases"].sum()
        table[f"n_{severity}s"] = table["recording_id"].map(found).fillna(0)
    nothing = PreflightSummary.empty()
    return table[list(nothing)].astype(nothing.dtypes)


def _count_cells(cells: pd.DataFrame) -> pd.DataFrame:
    grouped = cells.assign(**{f"n_{fate}": cells["fate"] == fate for fate in FATES}).groupby("recording_id")
    return grouped.agg(
        n_cells=("cell_id", "size"),
        n_detections=("n_detections", "sum"),
        **{f"n_{fate}": (f"n_{fate}", "sum") for fate in FATES},
        n_gaps=("n_gaps", "sum"),
        median_track_frames=("n_frames", "median"),
    ).reset_index()
