"""What a report page is made of, and the page itself: one HTML file that opens without a network."""

from dataclasses import dataclass

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
    """A figure with how to read it and what it does not show; either may be empty."""

    name: str
    figure: go.Figure
    reads: str = ""
    not_shown: str = ""


@dataclass(frozen=True)
class ReportPart:
    """What a section says of one question or one reading.

    Parameters
    ----------
    title
        Head of the part; empty: it has none.
    sentences
        What was found.
    tables, figures
        What is shown, in this order.
    folded
        Words behind which the figures are folded away at first; empty: they are shown.
    """

    title: str = ""
    sentences: tuple[str, ...] = ()
    tables: tuple[ReportTable, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    folded: str = ""


@dataclass(frozen=True)
class ReportSection:
    """One section of the page: the fragment that the contents point at, its head, what to know first, its parts."""

    anchor: str
    title: str
    reads: str
    parts: tuple[ReportPart, ...] = ()


@dataclass(frozen=True)
class ReportScore:
    """A headline score of one predictor.

    Parameters
    ----------
    name, sees
        The predictor, and what it makes its forecast from.
    value, interval
        The score, as text.
    note
        The paired difference to the model, as text; empty: it is the model's own score.
    is_model
        Whether the score is of a model, not of a reference.
    """

    name: str
    sees: str
    value: str
    interval: str
    note: str = ""
    is_model: bool = False


@dataclass(frozen=True)
class ReportAnswer:
    """A question and its answer: what was asked, then scores line by line, each with a caption and what it means.

    Parameters
    ----------
    question, asked
        The question, and of what it was asked or why it was not.
    lines
        Caption, scores beside each other, and a sentence on what their differences show.
    caveats
        What to know of the models before relying on the scores.
    """

    question: str
    asked: str
    lines: tuple[tuple[str, tuple[ReportScore, ...], str], ...] = ()
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportPage:
    """The whole page: the primary result, the answers with what was counted and one picture, then the sections.

    Links are words and the file they lead to, beside the page.
    """

    title: str
    primary: str = ""
    answers: tuple[ReportAnswer, ...] = ()
    counted: str = ""
    opening: ReportFigure | None = None
    sections: tuple[ReportSection, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def render_page(page: ReportPage) -> str:
    """Render a page as HTML; where it has figures, with plotly.js in it once.

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
    drawn = page.opening or any(part.figures for section in page.sections for part in section.parts)
    return template.render(page=page, plotly_js=Markup(get_plotlyjs()) if drawn else "")


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
