"""Every entry of the catalog names its layer, and every table of it a schema."""

from pathlib import Path

import pytest
import yaml

from cellfate.core import tables

CATALOG = Path(__file__).parents[3] / "conf" / "base" / "catalog"
ENTRIES = {
    name: entry for path in sorted(CATALOG.glob("*.yml")) for name, entry in yaml.safe_load(path.read_text()).items()
}


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_names_its_layer(name):
    assert ENTRIES[name]["metadata"]["kedro-viz"]["layer"]


@pytest.mark.parametrize("name", sorted(name for name, entry in ENTRIES.items() if entry["type"].startswith("pandas.")))
def test_a_table_is_checked_against_a_schema(name):
    room, schema = ENTRIES[name]["validator"].rsplit(".", 1)
    assert room == tables.__name__
    assert issubclass(getattr(tables, schema), tables.Table)
