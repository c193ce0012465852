"""A run that lacks what an earlier pipeline makes says so before anything runs."""

from pathlib import Path

import pytest
from kedro.framework.project import configure_project
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node

from cellfate.core.errors import InputError
from cellfate.hooks import ResultPathsHook
from cellfate.made_from import check_presence

SCORING = Pipeline([node(len, "recordings", "scores", name="count_recordings")])


def catalog_of(folder: Path) -> DataCatalog:
    """A catalog of one table."""
    return DataCatalog.from_config(
        {"recordings": {"type": "json.JSONDataset", "filepath": str(folder / "recordings.json")}}
    )


def test_a_missing_table_is_named_with_the_pipeline_that_makes_it(tmp_path):
    configure_project("cellfate")
    words = r"'recordings' is not in .*recordings\.json.*first run pipeline data_processing"
    with pytest.raises(InputError, match=words):
        check_presence(SCORING, catalog_of(tmp_path))


def test_of_what_is_never_saved_the_whole_pipeline_is_asked_for():
    configure_project("cellfate")
    boosting = Pipeline([node(len, "clock_networks", "clock_model", name="boost_clock")])
    with pytest.raises(InputError, match=r"'clock_networks' is never saved.*run the whole pipeline model_training"):
        check_presence(boosting, DataCatalog())


def test_a_table_that_is_there_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "recordings.json").write_text("not looked at")
    catalog, reads = catalog_of(tmp_path), []
    monkeypatch.setattr(DataCatalog, "load", lambda *arguments: reads.append(arguments))
    check_presence(SCORING, catalog)
    assert reads == []


def test_a_finished_run_says_where_its_report_is(tmp_path, caplog):
    entry = {"type": "json.JSONDataset", "filepath": str(tmp_path / "report.html")}
    reporting = Pipeline([node(len, "recordings", "report", name="assemble_report")])
    with caplog.at_level("INFO", logger="cellfate"):
        ResultPathsHook().after_pipeline_run(reporting, DataCatalog.from_config({"report": entry}))
        ResultPathsHook().after_pipeline_run(SCORING, catalog_of(tmp_path))
    assert [record.getMessage() for record in caplog.records] == [f"The report is {tmp_path / 'report.html'}"]


def test_a_finished_run_says_where_the_forecasts_beside_the_tracks_are(tmp_path, caplog):
    kind = "cellfate.datasets.track_files.TrackFilesDataset"
    catalog = DataCatalog.from_config({"track_forecasts": {"type": kind, "filepath": str(tmp_path / "tracks")}})
    with caplog.at_level("INFO", logger="cellfate"):
        ResultPathsHook().after_pipeline_run(
            Pipeline([node(len, "recordings", "track_forecasts", name="join")]), catalog
        )
    assert [record.getMessage() for record in caplog.records] == [f"The track forecasts are {tmp_path / 'tracks'}"]
