"""What made a report: versions of the packages that the result can depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

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
