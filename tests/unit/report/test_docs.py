"""The written documents agree with the code."""

import inspect
import re
from pathlib import Path

import pytest

from cellfate.core import tables

REPOSITORY = Path(__file__).parents[3]
SCHEMAS = {
    name: schema
    for name, schema in inspect.getmembers(tables, inspect.isclass)
    if issubclass(schema, tables.Table) and schema is not tables.Table
}


def read_dictionary() -> dict[str, list[str]]:
    """Columns listed in docs/data_dictionary.md, by schema."""
    text = (REPOSITORY / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_data_dictionary_lists_every_schema():
    assert sorted(read_dictionary()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_data_dictionary_lists_the_columns_in_order(name):
    assert read_dictionary()[name] == list(SCHEMAS[name].to_schema().columns)


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("docs/**/*.md")) + sorted(REPOSITORY.glob("*.md")), ids=str)
def test_links_between_documents_point_at_files(path):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    for target in targets:
        if not target.startswith(("http:", "https:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}, which does not exist"
