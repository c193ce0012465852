"""One HTML page from figures and tables: what was found, beside what it should be measured against."""

from cellfate.report.assemble import assemble_report
from cellfate.report.clock_examples import build_clock_strips, choose_clock_examples
from cellfate.report.clock_page import assemble_clock_report
from cellfate.report.examples import build_film_strips, choose_examples
from cellfate.report.settings import ReportSettings

__all__ = [
    "ReportSettings",
    "assemble_clock_report",
    "assemble_report",
    "build_clock_strips",
    "build_film_strips",
    "choose_clock_examples",
    "choose_examples",
]
