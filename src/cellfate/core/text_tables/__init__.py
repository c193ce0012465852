"""Tables that a person hands in: read from the file as it is, as text, so that a wrong field is named by file and line.

Comma, semicolon or tab; decimal point or comma; UTF-8, UTF-16 or Windows-1252; packed by gzip; the first sheet of an
Excel workbook (.xlsx); or Parquet: all of this is told from the file, never from its name.
"""

from cellfate.core.text_tables.numbers import (
    is_blank,
    optional_real_numbers,
    optional_whole_numbers,
    parse_numbers,
    real_numbers,
    whole_numbers,
)
from cellfate.core.text_tables.reading import (
    find_unread_sheets,
    read_first_lines,
    read_header,
    read_table,
    read_text_columns,
)
from cellfate.core.text_tables.system_files import is_system_file

__all__ = [
    "find_unread_sheets",
    "is_blank",
    "is_system_file",
    "optional_real_numbers",
    "optional_whole_numbers",
    "parse_numbers",
    "read_first_lines",
    "read_header",
    "read_table",
    "read_text_columns",
    "real_numbers",
    "whole_numbers",
]
