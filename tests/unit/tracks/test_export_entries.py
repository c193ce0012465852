"""Tracks with forecasts, saved and loaded through the catalog's own entries."""

from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from cellfate.settings import CONFIG_LOADER_ARGS
from cellfate.tracks.exporting import join_forecasts
from tests.cases.track_formats import FAMILY, FORMATS, gather, write_csv
from tests.unit.tracks.test_exporting import WHICH, WITHIN

CONF = Path(__file__).parents[3] / "conf"


@pytest.mark.parametrize(("forecasts", "n_rows"), [(WHICH, 4 + 3), (WITHIN, 5 + 2)])
def test_forecasts_are_saved_and_loaded(tmp_path: Path, forecasts, n_rows: int) -> None:
    write_csv(tmp_path, FAMILY)
    detections, cells, _ = gather(tmp_path, format="csv", **FORMATS[-1].settings)
    table = join_forecasts(detections, cells, forecasts)
    loader = OmegaConfigLoader(conf_source=str(CONF), env="test", **CONFIG_LOADER_ARGS)
    entries = {name: loader["catalog"][name] for name in ("track_forecasts", "track_graphs")}
    for entry in entries.values():
        entry["filepath"] = str(tmp_path / Path(entry["filepath"]).name)
        entry.pop("validator", None)
    catalog = DataCatalog.from_config(entries)
    for name in entries:
        catalog.save(name, table)
        loaded = catalog.load(name)
        assert len(loaded) == sum(len(cell.centres) for cell in FAMILY)
        assert loaded["call"].notna().sum() == n_rows
        assert set(loaded["recording_id"]) == {"01"}
