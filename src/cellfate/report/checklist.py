"""Reporting checklists: answered from the run where it knows the answer; a person answers the rest."""

from importlib.resources import files
from typing import Final

import pandas as pd

from cellfate.core.tables import Checklist
from cellfate.core.words import capitalise
from cellfate.report.checklist_answers import FILLERS, Run
from cellfate.report.page import ReportPage, ReportPart, ReportSection, ReportTable, render_page

TO_ANSWER: Final = "to be answered by a person"
TO_COMPLETE: Final = "from the run; to be completed by a person"
FROM_RUN: Final = "from the run"
CHECKLIST_LINKS: Final = (("Reporting checklists", "checklist.html"),)
"""Where the page stands beside the report."""
_SOURCES: Final = {
    "TRIPOD+AI": "Collins and others, BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378",
    "REFORMS": "Kapoor and others, Science Advances 2024;10:eadk3452, doi 10.1126/sciadv.adk3452",
}
_HOW: Final = (
    "Copy checklist.csv under another name before you fill it in: the next run of reporting writes it anew. Questions "
    "are put in our words; the wording that a journal wants is in the source."
)


def fill_checklist(run: Run) -> pd.DataFrame:
    """Answer the items of TRIPOD+AI (2024) and REFORMS (2024) that the run can answer.

    Returns
    -------
    pandas.DataFrame
        Table `Checklist`; where the run knows nothing, `answer` is empty and `status` says that a person has to answer.
    """
    with files("cellfate.report").joinpath("checklist.csv").open("r", encoding="utf-8") as file:
        items = pd.read_csv(file, dtype=str, keep_default_na=False)
    answers = {name: FILLERS[name](run) for name in sorted({*items["filler"]} - {""})}
    items = items.assign(answer=items["filler"].map(answers).fillna("").astype(str), where_reported="")
    known, person = items["answer"] != "", items["needs_person"] == "yes"
    status = pd.Series(TO_ANSWER, index=items.index).mask(known & person, TO_COMPLETE).mask(known & ~person, FROM_RUN)
    return Checklist.validate(items.assign(status=status)[list(Checklist.to_schema().columns)])


def write_checklist_page(checklist: pd.DataFrame) -> str:
    """Write the checklist as one HTML page, for reading and printing.

    Parameters
    ----------
    checklist
        Table `Checklist`.
    """
    counts = checklist["status"].value_counts()
    said = ", ".join(f"{counts.get(status, 0)} {status}" for status in (FROM_RUN, TO_COMPLETE, TO_ANSWER))
    sections = tuple(
        ReportSection(
            f"checklist{place}", name, f"{_SOURCES[name]}.", (ReportPart(tables=(_tabulate(checklist, name),)),)
        )
        for place, name in enumerate(_SOURCES)
    )
    links = (("The table to fill in", "checklist.csv"), ("The report", "report.html"))
    said = f"{len(checklist)} items: {said}. {_HOW}"
    return render_page(ReportPage("Reporting checklists", primary=said, sections=sections, links=links))


def _tabulate(checklist: pd.DataFrame, guideline: str) -> ReportTable:
    rows = checklist[checklist["guideline"] == guideline][["item", "asks", "answer", "status"]].fillna("")
    texts = tuple((item, asks, answer, capitalise(status)) for item, asks, answer, status in rows.to_numpy().tolist())
    return ReportTable(f"{guideline}, {len(rows)} items", ("Item", "What it asks", "Answer", "Status"), texts)
