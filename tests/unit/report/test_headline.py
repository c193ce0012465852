import pandas as pd
import pytest

from cellfate.report import headline
from tests.cases.report_tables import report_case

NAN = float("nan")
FATES = ("apoptosis", "mitosis")
RARE = ("mitosis", "none")


def difference(value: float, low: float, high: float) -> pd.Series:
    return pd.Series({"difference": value, "low": low, "high": high})


@pytest.mark.parametrize(
    ("row", "side", "amount", "verdict"),
    [
        (difference(0.16, 0.09, 0.23), "higher", "0.16 (paired difference 0.09 to 0.23)", "excludes zero."),
        (difference(-0.1, -0.2, -0.01), "lower", "0.10 (paired difference -0.20 to -0.01)", "excludes zero."),
        (
            difference(0.03, -0.02, 0.08),
            "higher",
            "0.03 (paired difference -0.02 to 0.08)",
            "includes zero, so these data",
        ),
    ],
)
def test_difference_in_words(row, side, amount, verdict):
    words = headline.judge_difference(row)
    assert words.startswith(f"The model is {side} by {amount}: the interval {verdict}")


def test_a_bound_near_zero_is_not_written_as_zero():
    assert "(paired difference -0.050 to -0.004): the interval excludes zero" in headline.judge_difference(
        difference(-0.03, -0.05, -0.004)
    )


def test_an_interval_that_touches_zero_includes_it():
    assert "includes zero" in headline.judge_difference(difference(0.1, 0.0, 0.2))


def test_undefined_difference_is_said_to_be_undefined():
    assert "not defined" in headline.judge_difference(difference(0.1, NAN, NAN))


def test_headline_names_the_best_baseline_without_images():
    case = report_case()
    sentences = headline.write_headline(case.tables["metrics"], case.tables["comparisons"], FATES, "recording", 0.95)
    assert sentences[0].startswith(
        "Tested on 6 cells (3 apoptosis and 3 mitosis) of 3 recordings that the scored model was not trained on"
    )
    assert "With only 3 recordings the intervals are rough" in sentences[0]
    assert sentences[1].startswith(
        "The best predictor that sees no image, dose alone, reaches balanced accuracy 0.71 (0.66 to 0.75). "
        "The model is higher by 0.16 (paired difference 0.05 to 0.23): the interval excludes zero."
    )
    handcrafted = sentences[1].partition("Gradient boosting on handcrafted features reaches balanced accuracy 0.83")
    assert "includes zero" in handcrafted[2]
    assert len(sentences) == 2


def test_headline_is_honest_where_the_difference_includes_zero():
    case = report_case(low=-0.02)
    sentences = headline.write_headline(case.tables["metrics"], case.tables["comparisons"], FATES, "recording", 0.95)
    assert "includes zero, so these data do not show that the model is better or worse" in sentences[1]


def test_rare_outcome_is_scored_by_ranking():
    assert headline.headline_metrics(RARE) == ("auroc", "average_precision")
    scores = headline.write_scores(report_case(RARE).tables["metrics"], RARE, 0.95, 0.1)
    assert [score.name for score in scores] == ["AUROC", "Average precision"]
    assert [score.chance for score in scores] == ["no knowledge would give 0.50", "no knowledge would give 0.10"]
    assert scores[0].interval == "95 % interval 0.82 to 0.91"


def test_average_precision_is_that_of_the_positive_outcome():
    metrics = report_case(RARE).tables["metrics"]
    of_positive = (metrics["metric"] == "average_precision") & (metrics["outcome"] == "mitosis")
    marked = metrics.assign(estimate=metrics["estimate"].where(~of_positive, 0.123))
    row = headline.find_score(marked, "cellfate", "average_precision", RARE)
    assert row is not None
    assert row["estimate"] == 0.123


def test_a_score_without_interval_says_so():
    metrics = report_case().tables["metrics"].assign(low=NAN, high=NAN)
    assert headline.write_scores(metrics, FATES, 0.95, 0.5)[0].interval == "no interval: too few groups or cells"
    first = headline.write_headline(metrics, report_case().tables["comparisons"], FATES, "recording", 0.95)[0]
    assert "rough" not in first


def test_nothing_scored_is_said():
    case = report_case()
    empty = case.tables["metrics"].head(0)
    assert headline.write_scores(empty, FATES, 0.95, NAN) == ()
    assert "was not scored" in headline.write_headline(empty, case.tables["comparisons"], FATES, "recording", 0.95)[0]


def test_question_states_guard_and_horizon():
    assert "within the next 5.0 h" in headline.ask_question(RARE, {"guard_h": 1.0, "horizon_h": 5.0})
    assert headline.ask_question(FATES, {"guard_h": 1.0}).startswith("From its track up to 1.0 h before the event")
