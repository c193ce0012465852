"""Addresses of cells on the local page of `cellfate review`, for reports and tables."""

from typing import Final
from urllib.parse import quote

REVIEW_PORT: Final = 8060
"""Port at which the page is where no other is asked for."""


def link_cell(recording_id: str, cell_id: int) -> str:
    """Address at which the page shows a cell, while it runs.

    Examples
    --------
    >>> link_cell("well A1", 3)
    'http://127.0.0.1:8060/#well%20A1/3'
    """
    return f"http://127.0.0.1:{REVIEW_PORT}/#{quote(recording_id, safe='')}/{cell_id}"
