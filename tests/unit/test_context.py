"""What is wrong with the parameters is said in one sentence."""

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project

from cellfate.cohort.settings import FollowUpSettings
from cellfate.context import (
    PlainContext,
    check_groups,
    check_roots,
    explain_parameters,
    known_groups,
    list_inner_groups,
    read_groups,
)
from cellfate.core.errors import InputError
from cellfate.imaging import RecordingSettings
from cellfate.preflight import PreflightSettings
from cellfate.tracks import TrackSettings

GROUPS = {"recordings": RecordingSettings, "tracks": TrackSettings, "preflight": PreflightSettings | None}
RECORDINGS = {"layout": "vendor", "channels": None}


def explained(**parameters: object) -> str:
    """The sentence for these groups of parameters."""
    sentence = explain_parameters(parameters, GROUPS)
    assert "\n" not in sentence
    assert "errors.pydantic.dev" not in sentence
    return sentence


def test_good_parameters_have_no_sentence():
    assert explained(recordings=RECORDINGS, tracks={}, preflight=None) == ""


def test_a_misspelt_parameter_is_named_with_its_value():
    assert explained(preflight={"image_framse": 2}) == (
        "Parameter preflight.image_framse does not exist (its value here: 2); correct the parameter in conf or in "
        "--params."
    )


def test_every_parameter_out_of_range_is_named():
    sentence = explained(
        preflight={"image_frames": -1, "focus_frames": "many"}, recordings=RECORDINGS | {"pixel_size_um": 0}
    )
    assert "Parameter preflight.image_frames is -1: input should be greater than or equal to 1" in sentence
    assert "Parameter preflight.focus_frames is 'many': input should be a valid integer" in sentence
    assert "Parameter recordings.pixel_size_um is 0: input should be greater than 0" in sentence
    assert sentence.endswith("correct the parameters in conf or in --params.")


def test_a_nested_parameter_is_named_in_full():
    assert "Parameter tracks.columns.frame is 7:" in explained(tracks={"columns": {"frame": 7}})


def test_a_group_within_a_group_is_named_in_full():
    sentence = explain_parameters({"demo": {"preflight": {"focus_frames": 1}}}, {"demo.preflight": PreflightSettings})
    assert sentence.startswith("Parameter demo.preflight.focus_frames is 1:")
    sentence = explain_parameters({"demo.preflight": {"focus_frames": 1}}, {"demo.preflight": PreflightSettings})
    assert sentence.startswith("Parameter demo.preflight.focus_frames is 1:")


def test_parameters_that_contradict_each_other_keep_their_own_sentence():
    sentence = explained(tracks={"format": "btrack", "graph_file": "a.json"})
    words = "Parameter tracks: graph_file is 'a.json' but format is btrack, and graph_file is only for"
    assert sentence.startswith(words)
    assert sentence.endswith("correct the format; correct the parameter in conf or in --params.")


def test_an_empty_group_and_a_missing_parameter_are_named():
    assert explained(tracks=None).startswith("Parameter tracks is None, but a group of parameters was expected")
    assert explained(recordings={"channels": None}).startswith("Parameter recordings.layout is missing")


def test_one_word_in_place_of_a_list_is_shown_as_a_list():
    sentence = explain_parameters({"follow_up": {"questions": "which_fate"}}, {"follow_up": FollowUpSettings})
    assert sentence.startswith(
        "Parameter follow_up.questions is 'which_fate', but a list was expected, such as [which_fate]; correct"
    )


@pytest.mark.parametrize("path", [None, "", "  ", 2024])
def test_a_root_that_is_no_path_is_named(tmp_path, path):
    """Else a folder of the name None would be made."""
    configure_project("cellfate")
    for given in ({"parameters": {"data_root": path}}, {"parameters": {}, "globals": {"data_root": path}}):
        context = PlainContext(tmp_path, given, "base", "cellfate", hook_manager=None)
        with pytest.raises(InputError, match=r"data_root is .*, but expected is the path of a folder"):
            _ = context.params


def test_a_key_within_a_list_ends_in_a_sentence(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "parameters.yml").write_text("follow_up: {report_h: [2.0]}")
    configure_project("cellfate")
    given = {"base_env": "base", "default_run_env": "base", "merge_strategy": {"parameters": "soft"}}
    loader = OmegaConfigLoader(str(tmp_path), runtime_params={"follow_up": {"report_h": {"0": 3.0}}}, **given)
    with pytest.raises(InputError, match="a list, not a group; give the whole list"):
        _ = PlainContext(tmp_path, loader, "base", "cellfate", hook_manager=None).params


def test_a_long_value_is_cut():
    assert len(explained(preflight={"image_frames": "x" * 5000})) < 250


def test_the_context_says_in_a_sentence_what_kedro_refuses(tmp_path):
    configure_project("cellfate")
    refused = {"parameters": {"preflight": {"focus_frames": 1}}}
    context = PlainContext(tmp_path, refused, "base", "cellfate", hook_manager=None)
    with pytest.raises(InputError, match=r"^Parameter preflight\.focus_frames is 1: .* to 3; correct the parameter in"):
        _ = context.params


def test_a_group_that_nothing_reads_is_named_with_the_nearest_known_name():
    configure_project("cellfate")
    known = known_groups()
    check_groups(["tracks", "data_root", "recordings_root", "_shared"], known)
    with pytest.raises(InputError, match="'trakcs' is read by no pipeline; correct its name: did you mean 'tracks'"):
        check_groups(["trakcs"], known)
    with pytest.raises(InputError, match=r"'recording_root'.*did you mean 'recordings_root'"):
        check_groups(["recording_root"], known)


def test_a_group_within_a_scenario_that_nothing_reads_is_named(tmp_path):
    configure_project("cellfate")
    given = {"parameters": {"p53_early": {"simulatoin": {"seed": 3}}}}
    with pytest.raises(InputError, match=r"'p53_early\.simulatoin' .* did you mean 'p53_early\.simulation'"):
        _ = PlainContext(tmp_path, given, "base", "cellfate", hook_manager=None).params
    whole = {"p53_early": {"simulation": {}}, "tracks": {"columns": {}}, "follow_up": {"guard_h": 1.0}}
    assert list_inner_groups(whole, read_groups()) == ["p53_early.simulation"]


def test_open_questions_are_listed_with_their_file_and_a_run_stops(tmp_path):
    for env in ("base", "mine"):
        (tmp_path / env).mkdir()
    (tmp_path / "base" / "parameters.yml").write_text("recordings: {layout: vendor, channels: [a]}\ntracks: {}")
    mine = tmp_path / "mine" / "parameters.yml"
    mine.write_text('recordings:\n  channels: ???\n  z: ???\ntracks:\n  fate_names: {died: apoptosis, blebs: "???"}\n')
    configure_project("cellfate")

    def params(**given):
        options = {"base_env": "base", "default_run_env": "local", "merge_strategy": {"parameters": "soft"}}
        loader = OmegaConfigLoader(str(tmp_path), env="mine", runtime_params=given, **options)
        return PlainContext(tmp_path, loader, "mine", "cellfate", hook_manager=None).params

    with pytest.raises(InputError) as caught:
        params()
    assert str(caught.value) == (
        f"{mine} leaves 3 questions open (recordings.channels, recordings.z, tracks.fate_names.blebs); put a value in "
        "the place of each ???, as the comment above it says."
    )
    with pytest.raises(InputError, match=r"leaves 1 question open \(recordings\.z\)"):
        params(recordings={"channels": ["b"]}, tracks={"fate_names": {"blebs": "apoptosis"}})
    mine.write_text("recordings: {channels: [b]}")
    assert params()["recordings"].channels == ("b",)


@pytest.mark.parametrize("name", ["", "..", "plate2", "inference/plate2", None, 2])
def test_the_folder_of_new_results_cannot_be_one_of_the_study(name):
    with pytest.raises(InputError, match=r"new_results is .*, but expected is the name of a folder"):
        check_roots({"new_results": name})
    check_roots({"new_results": "inference_plate2"})
    assert "new_results" in known_groups()
