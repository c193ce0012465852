"""The node that writes forecasts back, through the catalog's own entries."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from cellfate.pipelines.inference.nodes import export_tracks
from cellfate.settings import CONFIG_LOADER_ARGS
from tests.cases.track_formats import FAMILY, FORMATS, gather, write_csv

CONF = Path(__file__).parents[3] / "conf"
FATES = pd.DataFrame(
    [("a", "01", 3, 5, "apoptosis", 0.8, 0.2)],
    columns=["sample_id", "recording_id", "cell_id", "last_frame", "call", "p_apoptosis", "p_mitosis"],
)


@pytest.mark.parametrize(("kind", "n_rows"), [("whole_track", 3), ("landmark", 2)])
def test_forecasts_are_saved_and_loaded(tmp_path: Path, kind: str, n_rows: int) -> None:
    write_csv(tmp_path, FAMILY)
    detections, cells, _ = gather(tmp_path, format="csv", **FORMATS[-1].settings)
    model = SimpleNamespace(config=SimpleNamespace(samples=SimpleNamespace(kind=kind)))
    tables = export_tracks(detections, cells, FATES, model)
    loader = OmegaConfigLoader(conf_source=str(CONF), env="test", **CONFIG_LOADER_ARGS)
    entries = {name: loader["catalog"][name] for name in ("track_forecasts", "track_graphs")}
    for entry in entries.values():
        entry["filepath"] = str(tmp_path / Path(entry["filepath"]).name)
        entry.pop("validator", None)
    catalog = DataCatalog.from_config(entries)
    for name, table in zip(entries, tables, strict=True):
        catalog.save(name, table)
        loaded = catalog.load(name)
        assert len(loaded) == sum(len(cell.centres) for cell in FAMILY)
        assert loaded["call"].notna().sum() == n_rows
        assert set(loaded["recording_id"]) == {"01"}
