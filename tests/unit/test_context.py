"""What is wrong with the parameters is said in one sentence."""

import pytest
from kedro.framework.project import configure_project
from kedro.validation import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator

from cellfate.cohort.settings import SampleSettings
from cellfate.context import check_groups, explain_parameters, known_groups
from cellfate.core.errors import InputError
from cellfate.training.settings import TrainingSettings

GROUPS = {"samples": SampleSettings, "training": TrainingSettings}


def explained(**parameters: object) -> str:
    """The sentence for groups of parameters that Kedro's own validator refuses."""
    validator = ParameterValidator({})
    with pytest.raises(ParameterValidationError) as caught:
        validator._apply_validation(parameters, {name: GROUPS[name] for name in parameters})
    sentence = explain_parameters(str(caught.value))
    assert "\n" not in sentence
    assert "errors.pydantic.dev" not in sentence
    return sentence


def test_a_misspelt_parameter_is_named_with_its_value():
    sentence = explained(samples={"kind": "landmark", "gaurd_h": 2})
    assert sentence == (
        "Parameter samples.gaurd_h does not exist (its value here: 2); correct the parameter in conf or in --params."
    )


def test_every_parameter_out_of_range_is_named():
    sentence = explained(samples={"kind": "landmark", "guard_h": -1, "min_frames": "many"}, training={"max_epochs": 0})
    assert "Parameter samples.guard_h is -1: input should be greater than or equal to 0" in sentence
    assert "Parameter samples.min_frames is 'many': input should be a valid integer" in sentence
    assert "Parameter training.max_epochs is 0: input should be greater than or equal to 1" in sentence
    assert sentence.endswith("correct the parameters in conf or in --params.")


def test_a_nested_parameter_is_named_in_full():
    assert "Parameter training.augmentation.blur_share is 7:" in explained(training={"augmentation": {"blur_share": 7}})


def test_parameters_that_contradict_each_other_keep_their_own_sentence():
    sentence = explained(samples={"kind": "whole_track", "events": ["mitosis"]})
    assert sentence.startswith("Parameter samples: kind is 'whole_track' but events lists only ['mitosis']")


def test_an_empty_group_and_a_missing_parameter_are_named():
    assert explained(samples=None).startswith("Parameter 'samples': value is None")
    assert explained(samples={}).startswith("Parameter samples.kind is missing")


def test_a_report_in_another_form_is_kept_as_it_is():
    assert explain_parameters("Something\n  else").startswith("Something else;")


def test_a_group_that_nothing_reads_is_named_with_the_nearest_known_name():
    configure_project("cellfate")
    known = known_groups()
    check_groups(["samples", "recordings_root", "_shared"], known)
    with pytest.raises(InputError, match="'sampels' is read by no pipeline; correct its name: did you mean 'samples'"):
        check_groups(["sampels"], known)
    with pytest.raises(InputError, match=r"'recording_root'.*did you mean 'recordings_root'"):
        check_groups(["recording_root"], known)
