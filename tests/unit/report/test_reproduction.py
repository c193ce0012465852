"""Published figures follow from the published counts and tables; those of the study are read from its own tables."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core.errors import InputError
from cellfate.report.page import ReportPart
from cellfate.report.published import tabulate_reproduction
from cellfate.report.reproduction import (
    NO_TABLES,
    StudyTables,
    are_whole,
    count_top_frames,
    find_counts,
    read_published,
    reproduce,
)
from tests.cases.report_tables import make_questions, report_case
from tests.cases.score_tables import FOLLOW_UP

STATISTICS = AttentionStatisticsSettings(n_bootstrap=100)


def attention_statistics():
    """Three cells of low dose and one control; p53 is higher in 3 of 10 x 20 pairs more, 5 more, 8 more."""
    rows = [
        ("a", "Low", 0.3, 3, 18),
        ("b", "Low", 0.5, 3, 18),
        ("c", "High", 0.8, 3, 18),
        ("d", "Control", -1.0, 3, 18),
    ]
    names = ["landmark_id", "dose", "cliffs_delta", "n_top", "n_other"]
    table = pd.DataFrame(rows, columns=names).assign(outcome="mitosis", feature="intensity_p53")
    return table.assign(group_id=table["landmark_id"], cliffs_delta=np.round(table["cliffs_delta"] * 54) / 54)


def study(**changed):
    tables = report_case().tables
    names = ("questions", "metrics", "masking_curves", "recordings", "splits")
    given = {name: tables[name] for name in names} | {"attention_statistics": attention_statistics()}
    return StudyTables(**(given | changed))


def make(folder=None, **changed):
    return reproduce(study(**changed), folder, FOLLOW_UP, STATISTICS)


def pick(table, item, quantity, outcome="all", **keys):
    rows = table[(table["item"] == item) & (table["quantity"] == quantity) & (table["outcome"] == outcome)]
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


def test_scores_follow_from_counts_in_every_published_digit():
    table = make()
    first = table[(table["item"] == "T1") & (table["quantity"] != "log_loss")]
    assert len(first) == 6
    assert first["recomputed"].round(5).tolist() == first["published"].tolist()
    second = table[table["item"] == "T2"]
    whole = second["quantity"].isin(["balanced_accuracy", "macro_f1"])
    assert second.loc[whole, "recomputed"].round(4).tolist() == second.loc[whole, "published"].tolist()
    assert second.loc[~whole, "recomputed"].round(3).tolist() == second.loc[~whole, "published"].tolist()
    assert second["recomputed_from"].eq("counts of calls").all()


def test_what_needs_the_tables_is_empty_without_them_and_says_so():
    table = make()
    rest = table[table["item"].isin(["T3", "T4", "T5", "T6"])]
    assert rest["recomputed"].isna().all()
    assert rest["recomputed_from"].eq(NO_TABLES).all()
    assert any(NO_TABLES in said for said in tabulate_reproduction(table).sentences)


def test_the_same_quantity_is_read_from_the_tables_of_the_study_and_changes_with_them():
    metrics = report_case().tables["metrics"]
    is_it = metrics["predictor"].eq("classifier") & metrics["metric"].eq("balanced_accuracy")
    is_it &= metrics["within_h"].isna() & metrics["condition"].eq("all")
    changed = make(metrics=metrics.assign(estimate=metrics["estimate"].mask(is_it, 0.61)))
    assert pick(make(), "T1", "balanced_accuracy")["here"] == pytest.approx(0.87)
    assert pick(changed, "T1", "balanced_accuracy")["here"] == 0.61
    assert pick(changed, "T1", "balanced_accuracy")["published"] == 0.93945


def test_shortened_tracks_are_those_of_the_shrinking_cohort_at_the_same_frames():
    curves = report_case().tables["masking_curves"]
    curves = curves.assign(estimate=curves["estimate"].mask(curves["cohort"] == "fixed", 0.99))
    table = make(masking_curves=curves)
    row = pick(table, "T2", "balanced_accuracy", k_frames=10)
    at = curves.query("experiment == 'remove_last' and cohort == 'shrinking' and k_frames == 10")
    assert row["here"] == at.loc[at["metric"] == "balanced_accuracy", "estimate"].item()
    missing = pick(table, "T3", "balanced_accuracy", k_frames=100)
    assert np.isnan(missing["here"])
    assert missing["reason"] == "100 is not in masking.keep_last_frames"


def test_medians_are_over_the_published_doses():
    row = pick(make(), "T5", "median_delta", "mitosis", feature="intensity_p53")
    assert row["here"] == pytest.approx(27 / 54)  # of .3, .5 and .8; the control is not among them
    assert row["n_cells"] == 3
    controls = attention_statistics().assign(dose="Control")
    all_doses = pick(make(attention_statistics=controls), "T5", "median_delta", "mitosis", feature="intensity_p53")
    assert all_doses["n_cells"] == 4
    assert "all doses, there of Low, Medium and High" in all_doses["differs"]
    assert pick(make(), "T5", "median_delta", "apoptosis", feature="area")["reason"] == "area is not compared here"


def test_deltas_are_whole_numbers_of_pairs_only_with_the_right_number_of_top_frames():
    assert count_top_frames(np.array([2, 11, 21, 100])).tolist() == [1, 2, 3, 10]
    assert are_whole(np.array([5 / 54, 5.5 / 54]), 3, 21).tolist() == [True, False]
    assert pick(make(), "T6", "whole_deltas")["here"] == 1
    one_more = attention_statistics().assign(n_top=[4, 3, 3, 3])  # ties: more than a tenth
    assert pick(make(attention_statistics=one_more), "T6", "whole_deltas")["here"] == 0.75


def test_differences_are_those_of_the_run():
    here = pick(make(), "T1", "macro_f1")["differs"]
    assert "the last 1 h before the end is never shown here" in here
    assert "split by group here" in here
    assert "of 6 recordings" in here
    splits = report_case().tables["splits"].assign(scheme="random_by_cell")
    open_end = FOLLOW_UP.model_copy(update={"guard_h": 0.0})
    alike = pick(reproduce(study(splits=splits), None, open_end, STATISTICS), "T1", "macro_f1")["differs"]
    assert alike == "the cells are others, of 6 recordings"


def test_a_study_that_does_not_ask_says_why_and_shows_no_table():
    table = make(questions=make_questions(which=False))
    assert table["here"].isna().all()
    assert table["reason"].eq("not asked: all 12 cells end in mitosis.").all()
    assert tabulate_reproduction(table) == ReportPart()


def test_the_chapter_is_short_and_folded():
    part = tabulate_reproduction(make())
    assert all(table.folded for table in part.tables)
    assert part.tables[0].rows[0][:3] == ("Balanced accuracy", "0.93945", "0.93945")
    assert part.tables[1].rows[0][0] == "Last 0 frames removed"


def test_counts_that_fit_no_whole_cells_are_refused():
    right = pd.Series({"Recall": (401 / 439 + 1593 / 1650) / 2, "Precision": (401 / 458 + 1593 / 1631) / 2})
    assert find_counts(right, 439, 1650) == (401, 1593)
    with pytest.raises(InputError, match=r"0 pairs of counts give .* set it to null"):
        find_counts(right + 1e-4, 439, 1650)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"kept_last_n_full_test_set.csv is missing.*set report.published_tables to null"
    ):
        make(str(tmp_path))


@pytest.mark.real
def test_published_tables_give_every_figure(real_data):
    table = make(str(real_data / "published_tables"))
    decimals = {"T1": 5, "T2": 4, "T3": 3, "T4": 4, "T5": 3, "T6": 1}
    whole = table["quantity"] == "whole_deltas"
    assert table.loc[whole, "recomputed"].item() == pytest.approx(
        0.9595, abs=1e-4
    )  # the one that does not hold in full
    known = table[(table["quantity"] != "log_loss") & ~whole]
    for row in known.to_dict("records"):
        digits = 3 if row["quantity"] == "recall" and row["item"] == "T2" else decimals[row["item"]]
        assert round(row["recomputed"], digits) == pytest.approx(row["published"], abs=1e-9), row
    folder = real_data / "published_tables" / "statistics"
    for row in read_published().query("item == 'T5'").to_dict("records"):
        cells = pd.read_csv(folder.parent / row["file"], sep=";")
        assert cells["Dosage"].isin(["Low", "Medium", "High"]).sum() == row[f"n_{row['outcome']}"]
