import numpy as np
import pandas as pd
import pytest

from cellfate.report.examples import build_film_strips, choose_examples
from cellfate.report.settings import ReportSettings
from cellfate.report.strip_panels import ExplanationTables
from tests.cases.report_tables import report_case


class OneCellStore:
    """Stands in for a crop store: frames 0..7 without frame 4, each filled with its frame number."""

    channels = ("p53",)

    def read(self, recording_id, cell_id, first_frame=None, last_frame=None):
        from cellfate.crops.store import CellSequence

        numbers = np.array([n for n in range(8) if n != 4 and first_frame <= n <= last_frame], dtype=np.int64)
        frames = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 1, 6, 6)).astype(np.uint16)
        zeros = np.zeros(len(numbers), dtype=np.int64)
        return CellSequence(
            frames, None, np.ones((len(numbers), 6, 6), dtype=bool), numbers, zeros, zeros, "r0", 1, ("p53",), 30.0
        )


def test_examples_are_the_extremes_of_each_kind():
    case = report_case()
    # samples r6:1, r6:2, r7:1, ... have p(apoptosis) .9 .2 .6 .4 .3 .7; odd cells end in mitosis, even in apoptosis
    chosen = choose_examples(case.tables["predictions"], case.tables["samples"], case.tables["attention"])
    by_kind = {(row.kind, row.outcome): (row.sample_id, round(row.p_true, 2)) for row in chosen.itertuples()}
    assert by_kind == {
        ("right and sure", "apoptosis"): ("r8:2", 0.7),
        ("right and sure", "mitosis"): ("r8:1", 0.7),
        ("wrong and unsure", "apoptosis"): ("r7:2", 0.4),
        ("wrong and unsure", "mitosis"): ("r7:1", 0.4),
        ("wrong and sure", "apoptosis"): ("r6:2", 0.2),
        ("wrong and sure", "mitosis"): ("r6:1", 0.1),
    }


def test_no_test_sample_gives_no_example():
    case = report_case()
    assert choose_examples(case.tables["predictions"].head(0), case.tables["samples"], case.tables["attention"]).empty


def test_only_samples_whose_attention_was_read_are_examples():
    tables = report_case().tables
    read = tables["attention"].query("sample_id in ['r6:2', 'r7:1']")
    assert set(choose_examples(tables["predictions"], tables["samples"], read)["sample_id"]) == {"r6:2", "r7:1"}


@pytest.fixture
def example():
    return pd.DataFrame(
        {
            "sample_id": ["s"],
            "recording_id": ["r0"],
            "cell_id": [1],
            "dose": ["Low"],
            "first_frame": [0],
            "last_frame": [7],
            "outcome": ["mitosis"],
            "lead_time_h": [1.5],
            "frame_interval_min": [30.0],
            "p_true": [0.93],
            "kind": ["right and sure"],
        }
    )


def explained(attention=(), shapley=(), features=(), relevance=None):
    return ExplanationTables(
        attention=pd.DataFrame(attention, columns=["sample_id", "frame", "attention"]),
        shapley=pd.DataFrame(
            shapley, columns=["sample_id", "window_first_frame", "window_last_frame", "channel", "value"]
        ),
        frame_features=pd.DataFrame(features, columns=["recording_id", "cell_id", "frame", "intensity_p53", "area"]),
        relevance=relevance or {},
    )


def test_drawn_frames_are_evenly_spaced_end_at_the_last_and_leave_gaps_open(example):
    relevance = np.arange(7, dtype=np.float32)[:, None, None, None] * np.ones((1, 1, 6, 6), np.float32)
    tables = explained(attention=[("s", 7, 0.6), ("s", 0, 0.3)], relevance={"s": relevance})
    (strip,) = build_film_strips(OneCellStore(), example, tables, ReportSettings(frames_per_strip=8))
    assert strip.frames_tchw[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert strip.relevance_tchw[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert strip.hours_t.tolist() == [-3.5, -3.0, -2.5, -2.0, -1.0, -0.5, 0.0]
    (attention,) = strip.panels[0].curves
    assert attention.hours.tolist() == [-3.5, 0.0]
    assert attention.values.tolist() == [0.3, 0.6]
    assert attention.threshold == pytest.approx(0.45)
    (coarse,) = build_film_strips(OneCellStore(), example, tables, ReportSettings(frames_per_strip=3))
    assert coarse.frames_tchw[:, 0, 0, 0].tolist() == [1, 7]
    assert coarse.relevance_tchw[:, 0, 0, 0].tolist() == [1, 6]
    assert coarse.step_h == 1.5


def test_shapley_values_are_steps_a_window_and_reporters_have_one_scale_for_all_cells(example):
    others = [("r0", 2, frame, 100.0 * frame, 1.0) for frame in range(21)]  # 0..2000: 5 % at 100, 95 % at 1900
    tables = explained(
        shapley=[("s", 4, 7, "p53", 2.0), ("s", 0, 3, "p53", -1.0), ("t", 0, 7, "p53", 9.0)],
        features=[*others, ("r0", 1, 7, 1000.0, 1.0), ("r0", 1, 8, 0.0, 1.0)],
    )
    (strip,) = build_film_strips(OneCellStore(), example, tables, ReportSettings())
    (steps,), (reporter,) = (panel.curves for panel in strip.panels[1:])
    assert steps.hours.tolist() == [-3.75, -1.75, -1.75, 0.25]
    assert steps.values.tolist() == [-1.0, -1.0, 2.0, 2.0]
    low, high = tables.frame_features["intensity_p53"].quantile([0.05, 0.95])
    assert reporter.hours.tolist() == [0.0]
    assert reporter.values.tolist() == pytest.approx([(1000 - low) / (high - low)])


def test_title_says_cell_outcome_lead_time_and_probability(example):
    (strip,) = build_film_strips(OneCellStore(), example, explained(), ReportSettings())
    assert "mitosis 1.5 h after the last frame used" in strip.title
    assert "0.93" in strip.title
    assert "recording r0, cell 1, dose Low" in strip.title
    assert strip.relevance_tchw is None
    assert strip.panels[0].curves[0].values.size == 0
    assert "none" in strip.panels[1].title
