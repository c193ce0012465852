"""What a report page is made of, and the page itself: one HTML file that opens without a network."""

from dataclasses import dataclass, field

import plotly.graph_objects as go

UNUSED_BUTTONS = ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendDataToCloud"]
"""Buttons over a figure that a reader has no use for."""


@dataclass(frozen=True)
class ReportTable:
    """A table as the page shows it: every cell is text already.

    Parameters
    ----------
    caption
        One line over the table.
    columns
        Column heads.
    rows
        Cells, row by row.
    left_out
        Number of further rows that are not shown.
    folded
        Whether the table is folded away behind its caption at first.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    folded: bool = False


@dataclass(frozen=True)
class ReportFigure:
    """A figure with how to read it and what it does not show."""

    name: str
    figure: go.Figure
    reads: str
    not_shown: str


@dataclass(frozen=True)
class ReportSection:
    """One section of the page.

    Parameters
    ----------
    anchor
        Fragment that the contents list points at.
    title
        Head of the section.
    reads, not_shown
        How to read the section, and what it does not show.
    tables, figures
        What is shown, in this order.
    """

    anchor: str
    title: str
    reads: str
    not_shown: str
    tables: tuple[ReportTable, ...] = ()
    figures: tuple[ReportFigure, ...] = ()


@dataclass(frozen=True)
class ReportScore:
    """A headline score: its name, its value and interval as text, and what chance would give."""

    name: str
    value: str
    interval: str
    chance: str


@dataclass(frozen=True)
class ReportPage:
    """The whole page: title, headline and sections."""

    title: str
    question: str
    scores: tuple[ReportScore, ...]
    sentences: tuple[str, ...]
    beside: ReportTable | None
    sections: tuple[ReportSection, ...] = field(default_factory=tuple)


def render_page(page: ReportPage) -> str:
    """Render a page as HTML with plotly.js in it once.

    Parameters
    ----------
    page
        The page. All its texts are escaped; figures are plotly's own HTML.

    Returns
    -------
    str
        A whole HTML document that needs no other file and no network.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("cellfate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plotly"] = lambda figure: Markup(figure_html(figure))
    template = environment.get_template("report.html.j2")
    return template.render(page=page, plotly_js=Markup(get_plotlyjs()))


def figure_html(figure: ReportFigure) -> str:
    """HTML of one figure without plotly.js; the same figure always gives the same text."""
    return str(
        figure.figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"figure-{figure.name}",
            default_width="100%",
            config={"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": UNUSED_BUTTONS},
        )
    )
