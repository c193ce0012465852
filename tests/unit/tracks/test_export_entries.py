"""Tracks with forecasts, saved and loaded through the catalog's own entries."""

from pathlib import Path

import pandas as pd
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from cellfate.core.tables import TrackForecasts
from cellfate.settings import CONFIG_LOADER_ARGS
from cellfate.tracks.exporting import join_forecasts
from tests.cases.track_formats import FAMILY, FORMATS, gather, write_csv
from tests.unit.tracks.test_exporting import WHICH, WITHIN

CONF = Path(__file__).parents[3] / "conf"


def test_forecasts_are_saved_and_loaded(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    detections, cells, _ = gather(tmp_path, format="csv", **FORMATS[-1].settings)
    table = join_forecasts(detections, cells, pd.concat([WHICH, WITHIN]))
    loader = OmegaConfigLoader(conf_source=str(CONF), env="test", **CONFIG_LOADER_ARGS)
    entry = loader["catalog"]["track_forecasts"] | {"filepath": str(tmp_path / "tracks")}
    entry.pop("validator")  # of kedro's session
    catalog = DataCatalog.from_config({"track_forecasts": entry})
    catalog.save("track_forecasts", table)
    pd.testing.assert_frame_equal(TrackForecasts.validate(catalog.load("track_forecasts")), table, check_dtype=False)
