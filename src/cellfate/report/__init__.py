"""One HTML page from figures and tables: what was found, beside what it should be measured against."""

from cellfate.report.assemble import assemble_report
from cellfate.report.examples import build_film_strips, choose_examples
from cellfate.report.settings import ReportSettings

__all__ = ["ReportSettings", "assemble_report", "build_film_strips", "choose_examples"]
