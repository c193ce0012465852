"""One HTML page from figures and tables: what was found, beside what it should be measured against."""

from cellfate.report.assemble import assemble_report
from cellfate.report.settings import ReportSettings
from cellfate.report.strips import StripTables, build_film_strips, choose_examples, choose_opening, draw_examples

__all__ = [
    "ReportSettings",
    "StripTables",
    "assemble_report",
    "build_film_strips",
    "choose_examples",
    "choose_opening",
    "draw_examples",
]
