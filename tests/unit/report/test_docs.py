"""The written documents agree with the code."""

import inspect
import re
from pathlib import Path

import pytest
import yaml

from cellfate.core import tables

REPOSITORY = Path(__file__).parents[3]
SCHEMAS = {
    name: schema
    for name, schema in inspect.getmembers(tables, inspect.isclass)
    if issubclass(schema, tables.Table) and schema is not tables.Table
}


def read_sections() -> dict[str, str]:
    """Text under each schema in docs/data_dictionary.md."""
    text = (REPOSITORY / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def read_columns(section: str) -> list[str]:
    """Columns that a section lists: all that stand in the first field of a row."""
    fields = re.findall(r"^\| (`.+?) \|", section, flags=re.MULTILINE)
    return [name for field in fields for name in re.findall(r"`(\w+)`", field)]


def list_catalog() -> dict[str, str]:
    """Schema of every table in the catalog, by its name outside inference and scenarios."""
    catalog = yaml.safe_load((REPOSITORY / "conf" / "base" / "catalog.yml").read_text(encoding="utf-8"))
    tabled = {name: entry["validator"] for name, entry in catalog.items() if "validator" in entry}
    plain = {re.sub(r"^(\{scenario\}|pixels)\.", "", name): schema.rsplit(".")[-1] for name, schema in tabled.items()}
    return {name: schema for name, schema in plain.items() if name.removeprefix("new_") not in {*plain} - {name}}


def test_data_dictionary_lists_every_schema():
    assert sorted(read_sections()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_data_dictionary_lists_the_columns_in_order(name):
    assert read_columns(read_sections()[name]) == list(SCHEMAS[name].to_schema().columns)


def test_data_dictionary_lists_the_tables_of_the_catalog_and_no_others():
    named = {
        name: schema
        for schema, section in read_sections().items()
        for sentence in re.findall(r"Catalog:([^.]+)\.", section)
        for name in re.findall(r"`([\w{}]+)`", sentence)
    }
    assert named == list_catalog()


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("docs/**/*.md")) + sorted(REPOSITORY.glob("*.md")), ids=str)
def test_links_between_documents_point_at_files(path):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    for target in targets:
        if not target.startswith(("http:", "https:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}, which does not exist"
