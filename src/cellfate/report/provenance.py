"""What made a report: versions of the packages that the result can depend on, and tables of one run."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import CELL

PACKAGES = (
    "cellfate",
    "torch",
    "lightning",
    "monai",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "shap",
    "pandas",
    "pandera",
    "zarr",
    "tifffile",
    "plotly",
    "kedro",
)
"""Packages whose version can change a number of the report."""


def list_versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """List the version of Python and of each package; "not installed" where it is missing."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def check_one_run(splits: pd.DataFrame, forecasts: pd.DataFrame, explained: Mapping[str, pd.DataFrame]) -> None:
    """Check that forecasts and explanations are of the splits that the report counts.

    Parameters
    ----------
    splits, forecasts
        Tables of the same names: every cell must stand in the part for which it was forecast.
    explained
        By catalog name, tables of explained landmarks: their cells must test in their fold.

    Raises
    ------
    InputError
        If they are not: the splits were made anew, and what follows from them was not.
    """
    tested = {name: table.assign(part="test") for name, table in explained.items()}
    for name, table in {"forecasts": forecasts, **tested}.items():
        keys = table[[*CELL, "fold", "part"]].drop_duplicates()
        joined = keys.merge(splits, how="left", on=[*CELL, "fold", "part"], indicator="found")
        foreign = joined[joined["found"] == "left_only"]
        if len(foreign):
            first = foreign.iloc[0]
            raise InputError(
                f"{len(foreign)} of {len(keys)} cells of {name!r} are not in the part of the splits that they are in "
                f"there, such as cell {first['cell_id']} of recording {first['recording_id']!r} in {first['part']} of "
                f"fold {first['fold']}, expected tables of one run; run model_training, evaluation and explainability "
                "again before reporting."
            )
