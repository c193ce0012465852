"""The answers say what the tables say, and no more than their intervals allow."""

import pandas as pd
import pytest

from cellfate.core.words import show_difference
from cellfate.report import headline
from tests.cases.report_tables import make_questions, report_case
from tests.cases.score_tables import FOLLOW_UP

NAN = float("nan")
ACCURACY = ("balanced_accuracy", "all")


def answer(case=None, **changed):
    tables = {**(case or report_case()).tables, **changed}
    return headline.write_answers(tables["questions"], tables["metrics"], tables["comparisons"], FOLLOW_UP)


def test_which_fate_is_answered_by_both_models_beside_the_best_references():
    which, _ = answer()
    ((caption, cards, verdict),) = which.lines
    assert which.question == "Which fate comes, given that one comes?"
    assert which.asked == (
        "Asked at the last frame shown of 12 test cells whose fate was seen (5 apoptosis and 7 mitosis). The end of a "
        "track and the 1 h before it are never shown."
    )
    assert caption == "Balanced accuracy; one call for all reaches 0.50"
    assert [(card.name, card.value, card.is_model) for card in cards] == [
        ("Classifier", "0.87", True),
        ("Fate clock (blend)", "0.85", True),
        ("Boosting taught the fate", "0.83", False),
        ("Dose", "0.71", False),
    ]
    assert cards[0].interval == "0.82 to 0.91"
    assert cards[0].note == ""
    assert cards[3].note == "classifier minus this +0.16 (0.05 to 0.23)"
    assert cards[3].sees == "no measurement"
    assert verdict == (
        "The classifier is better than boosting taught the fate and dose alone and not told apart from the "
        "blend of network and boosting."
    )


def test_what_happens_within_hours_is_answered_event_by_event():
    _, within = answer()
    assert within.question == "What happens within 5 h?"
    followed = "of these landmarks, 150 are followed by apoptosis and 300 are followed by mitosis within 5 h."
    assert f"1,200 landmarks of 18 test cells, censored ones weighed in; {followed}" in within.asked
    assert [line[0].split(":")[0] for line in within.lines] == ["Apoptosis within 5 h", "Mitosis within 5 h"]
    _, cards, verdict = within.lines[1]
    assert [card.name for card in cards] == ["Fate clock (blend)", "Boosting", "Track age and time"]
    assert verdict.endswith("one forecast for all 0.25.")


def test_the_verdict_is_honest_where_nothing_is_shown_to_be_better():
    which, within = answer(report_case(low=-0.02))
    assert "not told apart from the blend of network and boosting and boosting taught" in which.lines[0][2]
    assert "not told apart from boosting" in within.lines[1][2]
    turned = report_case().tables["comparisons"].assign(difference=-0.2, low=-0.3, high=-0.1)
    assert "The classifier is worse than" in answer(comparisons=turned)[0].lines[0][2]


def test_a_difference_without_an_interval_tells_nothing():
    vague = report_case().tables["comparisons"].assign(low=NAN, high=NAN)
    assert "cannot be said" in answer(comparisons=vague)[0].lines[0][2]
    assert headline.judge("blend", {"dose": None}, 20).startswith("Whether one is better")


def test_under_20_groups_with_the_outcome_nothing_is_called_better_or_worse_and_the_number_is_said():
    case = report_case()
    few = {name: case.tables[name].assign(n_event_groups=19) for name in ("metrics", "comparisons")}
    which, within = answer(case, **few)
    said = "Too few groups to tell predictors apart: 19 test groups hold {}, expected are at least 20."
    assert which.lines[0][2] == said.format("every outcome")
    assert within.lines[1][2].startswith(said.format("mitosis"))
    judged = [headline.judge("blend", {"dose": (0.2, 0.1, 0.3)}, n) for n in (19, 20)]
    assert [("better" in words, "19" in words) for words in judged] == [(False, True), (True, False)]


def test_an_interval_that_touches_zero_includes_it_and_a_bound_near_zero_is_not_written_as_zero():
    assert "not told apart from dose alone" in headline.judge("blend", {"dose": (0.1, 0.0, 0.2)}, 20)
    assert show_difference(-0.03, -0.05, -0.004) == "-0.030 (-0.050 to -0.004)"
    assert show_difference(NAN, NAN, NAN) == "not defined"


def test_a_difference_is_found_from_either_side():
    compared = report_case().tables["comparisons"]
    compared = compared[compared["within_h"].isna()]
    forth = headline.find_difference(compared, ACCURACY, "classifier", "blend")
    only_back = compared[compared["predictor"] == "blend"]
    back = headline.find_difference(only_back, ACCURACY, "classifier", "blend")
    assert forth == pytest.approx((0.02, -0.09, 0.09))
    assert back == pytest.approx((0.02, -0.05, 0.13))
    assert headline.find_difference(compared, ACCURACY, "classifier", "mine") is None


def test_the_best_reference_is_chosen_for_each_score_and_never_is_the_truth():
    metrics = report_case().tables["metrics"]
    truth = metrics[metrics["predictor"] == "network"].assign(predictor="truth", estimate=1.0)
    is_dose = (metrics["predictor"] == "dose") & (metrics["outcome"] == "mitosis") & metrics["within_h"].notna()
    changed = pd.concat([metrics.assign(estimate=metrics["estimate"].mask(is_dose, 0.79)), truth])
    _, within = answer(metrics=changed)
    assert [cards[-1].name for _, cards, _ in within.lines] == ["Track age and time", "Dose"]


def test_without_a_blend_the_clock_answers_by_its_network():
    metrics = report_case().tables["metrics"]
    _, within = answer(metrics=metrics[metrics["predictor"] != "blend"])
    assert within.lines[0][1][0].name == "Fate clock (network)"


def test_a_score_without_interval_says_so():
    metrics = report_case().tables["metrics"].assign(low=NAN, high=NAN)
    assert answer(metrics=metrics)[0].lines[0][1][0].interval == "no interval: few groups"


def test_what_was_not_asked_or_not_scored_is_said():
    empty = report_case().tables["metrics"].head(0)
    which, within = answer(questions=make_questions(within=False), metrics=empty)
    assert which.asked.startswith("Not scored: no landmark of the test part has a known answer.")
    assert within.asked == "Not asked: no cell ends in an event."
    assert which.lines == within.lines == ()


def test_what_is_counted_is_said_once_and_few_groups_are_warned_of():
    tables = report_case().tables
    words = headline.write_counted(*counted(tables), "recording", 0.95)
    assert words.startswith("36 cells of 6 recordings were followed, 18 of 3 recordings to test models that were not")
    assert "; 18 of these grew old enough (min_frames) to be asked. A landmark" in words
    assert "with only 3 recordings they are rough." in words
    many = tables["follow_ups"].assign(group_id=[str(n) for n in range(36)])
    assert "rough" not in headline.write_counted(*counted({**tables, "follow_ups": many}), "group", 0.95)


def counted(tables):
    return [tables[name] for name in ("follow_ups", "landmarks", "splits")]


def test_test_cells_too_young_to_be_asked_are_counted_with_the_fates_that_go_with_them():
    tables = report_case().tables
    young = tables["follow_ups"].query("recording_id == 'r3' and fate == 'mitosis'")["cell_id"]
    is_young = (tables["landmarks"]["recording_id"] == "r3") & tables["landmarks"]["cell_id"].isin(young)
    words = headline.write_counted(*counted({**tables, "landmarks": tables["landmarks"][~is_young]}), "group", 0.95)
    assert "; 16 of these grew old enough" in words
    assert "no score knows of the 2 others (2 mitosis)." in words


def test_the_primary_result_is_said_first_and_few_groups_with_it():
    tables = report_case().tables
    words = headline.write_primary(tables["metrics"], tables["comparisons"])
    assert words.startswith(
        "Primary result, named in scores.primary: AUROC of apoptosis within 5 h, the blend of network"
    )
    assert "; minus track age and time" in words
    assert "p = 0.010. All else" in words
    few = tables["comparisons"].assign(n_event_groups=8)
    words = headline.write_primary(tables["metrics"], few)
    assert "Too few groups to tell predictors apart: 8 test" in words
    assert ", p " not in words
    assert headline.write_primary(tables["metrics"], few.assign(primary=False)) == ""
