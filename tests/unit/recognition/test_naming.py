"""A name of a recording counts in the name of a file where it stands by itself."""

from cellfate.recognition.naming import fullest, match_files


def test_names_stand_by_themselves_and_the_longer_wins():
    files = ["t/A1.xml", "t/A10.xml", "A1_x.xml", "xA1.xml", "A1b.csv", "A1/tracks.csv", "A1 A1.h5"]
    assert match_files(files, ["A1"]) == {
        "t/{recording_id}.xml": {"A1": "t/A1.xml"},
        "t/A10.xml": {},
        "{recording_id}_x.xml": {"A1": "A1_x.xml"},
        "xA1.xml": {},
        "A1b.csv": {},
        "{recording_id}/tracks.csv": {"A1": "A1/tracks.csv"},
        "{recording_id} {recording_id}.h5": {"A1": "A1 A1.h5"},
    }
    matched = match_files(["s_1.xml", "s_1_2.xml"], ["s_1", "s_1_2"])
    assert matched == {"{recording_id}.xml": {"s_1": "s_1.xml", "s_1_2": "s_1_2.xml"}}


def test_names_with_signs_of_regular_expressions_are_plain_text():
    assert match_files(["a+(1).csv"], ["a+(1)"]) == {"{recording_id}.csv": {"a+(1)": "a+(1).csv"}}


def test_the_template_of_most_recordings_is_taken():
    matched = match_files(["a.csv", "b.csv", "a_old.csv", "fates.csv"], ["a", "b"])
    assert fullest(matched, matched) == ["{recording_id}.csv"]
    assert fullest([], matched) == []
