import numpy as np
import pandas as pd
import pytest

from cellfate.report.examples import build_film_strips, choose_examples
from cellfate.report.settings import ReportSettings
from tests.cases.report_tables import report_case


class OneCellStore:
    """Stands in for a crop store: frames 0..7 without frame 4, each filled with its frame number."""

    channels = ("p53",)

    def read(self, recording_id, cell_id, first_frame=None, last_frame=None):
        from cellfate.sequences.store import CellSequence

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


def test_drawn_frames_are_evenly_spaced_end_at_the_last_and_leave_gaps_open(example):
    attention = pd.DataFrame({"sample_id": "s", "frame": [7, 0], "attention": [0.6, 0.3]})
    (strip,) = build_film_strips(OneCellStore(), example, attention, ReportSettings(frames_per_strip=8))
    assert strip.frames_tchw[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert strip.hours_t.tolist() == [-3.5, -3.0, -2.5, -2.0, -1.0, -0.5, 0.0]
    assert strip.attention_hours.tolist() == [-3.5, 0.0]
    assert strip.attention.tolist() == [0.3, 0.6]
    (coarse,) = build_film_strips(OneCellStore(), example, attention, ReportSettings(frames_per_strip=3))
    assert coarse.frames_tchw[:, 0, 0, 0].tolist() == [1, 7]
    assert coarse.step_h == 1.5


def test_title_says_cell_outcome_lead_time_and_probability(example):
    (strip,) = build_film_strips(
        OneCellStore(), example, pd.DataFrame(columns=["sample_id", "frame", "attention"]), ReportSettings()
    )
    assert "mitosis 1.5 h after the last frame used" in strip.title
    assert "0.93" in strip.title
    assert "recording r0, cell 1, dose Low" in strip.title
    assert strip.attention.size == 0
