"""The frame of the page: the table of cells and the curves. Everything else stands in assets/page.html."""

from pathlib import Path
from typing import Any, Final

import dash_ag_grid
from dash import dcc, html

PAGE: Final = Path(__file__).with_name("assets") / "page.html"

_COLUMNS: Final[list[dict[str, Any]]] = [
    {"field": "recording", "headerName": "recording", "width": 82},
    {"field": "cell", "headerName": "cell", "width": 54, "filter": "agNumberColumnFilter"},
    {"field": "label", "headerName": "scored", "width": 78, "headerTooltip": "what you scored"},
    {"field": "fate", "headerName": "fate", "width": 76, "headerTooltip": "by the study's own evidence"},
    {"field": "forecast", "headerName": "forecast", "width": 84, "headerTooltip": "likeliest outcome"},
    {
        "field": "p_call",
        "headerName": "p",
        "width": 54,
        "headerTooltip": "its probability",
        "filter": "agNumberColumnFilter",
    },
    {
        "field": "open",
        "headerName": "open",
        "width": 64,
        "headerTooltip": "outcomes that the prediction set leaves open",
        "filter": "agNumberColumnFilter",
    },
    {"field": "condition", "headerName": "condition", "width": 110},
    {"field": "dose", "headerName": "dose", "width": 80},
    {
        "field": "findings",
        "headerName": "findings",
        "width": 84,
        "tooltipField": "found",
        "headerTooltip": "of the preflight",
        "filter": "agNumberColumnFilter",
    },
    {"field": "frames", "headerName": "frames", "width": 74, "filter": "agNumberColumnFilter"},
    {"field": "others", "headerName": "others", "width": 120, "headerTooltip": "what other scorers said"},
    {"field": "name", "headerName": "name", "width": 90},
]
_LOOK: Final = "{fontSize: 12, spacing: 4, cellHorizontalPadding: 7, rowHeight: 25}"


def build_layout() -> html.Div:
    """Build the two parts of the page that are components: an AG Grid of the cells, and a plotly graph.

    Their contents are set in the browser (assets/); no callback goes to the server.
    """
    grid = dash_ag_grid.AgGrid(
        id="cells",
        columnDefs=_COLUMNS,
        defaultColDef={"filter": True, "sortable": True, "resizable": True, "suppressHeaderMenuButton": False},
        rowData=[],
        getRowId="params.data.id",
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
            "animateRows": False,
            "theme": {"function": f"themeQuartz.withParams({_LOOK})"},
            "suppressCellFocus": False,
            "tooltipShowDelay": 300,
        },
        style={"height": "100%"},
    )
    graph = dcc.Graph(id="curves", config={"displayModeBar": False})
    return html.Div(
        [html.Div(grid, id="cells-box"), html.Div([graph, html.Div(id="now")], id="curves-box")], id="parts"
    )
