"""Values are put into a template by key; comments stay, and the result reads back."""

from omegaconf import OmegaConf

from cellfate.recognition.proposals import ask, found
from cellfate.recognition.template import fill_template

TEXT = """\
# Head.

one:
  # What a is.
  a: 1
  # What b is,
  # in two lines.
  b: [1, 2]  # old

# About two.
two:
  c: {x: 1}
  d:
    e: 5
"""


def test_a_value_keeps_its_comment_and_says_what_it_is_from():
    filled = fill_template(TEXT, [found("one.b", ["x", "5", "a b: c"], "the files")])
    assert "  # in two lines.\n  b: [x, '5', 'a b: c']  # found: the files\n\n# About two." in filled
    assert filled.replace("  b: [x, '5', 'a b: c']  # found: the files", "  b: [1, 2]  # old") == TEXT
    assert OmegaConf.to_container(OmegaConf.create(filled))["one"]["b"] == ["x", "5", "a b: c"]


def test_a_question_stands_above_the_missing_value():
    filled = fill_template(TEXT, [ask("one.a", "Seen: " + "many words " * 20)])
    lines = filled.splitlines()
    place = lines.index("  a: ???")
    assert lines[3] == "  # What a is."
    assert lines[4].startswith("  # QUESTION: Seen: many words")
    assert all(line.startswith("  #   ") for line in lines[5:place])
    assert max(map(len, lines)) <= 120
    assert OmegaConf.is_missing(OmegaConf.create(filled).one, "a")


def test_a_key_that_is_dropped_takes_its_comment_along():
    filled = fill_template(TEXT, [], ["one.b", "two.d"])
    assert "two lines" not in filled
    assert OmegaConf.to_container(OmegaConf.create(filled)) == {"one": {"a": 1}, "two": {"c": {"x": 1}}}
    assert "# About two." in filled


def test_a_key_that_the_template_lacks_is_added_to_its_group():
    filled = fill_template(
        TEXT, [found("one.new", {"k": "???"}, "x"), found("three.z", None, "y"), found("two.d", 7, "w")]
    )
    read = OmegaConf.to_container(OmegaConf.create(filled), resolve=False)
    assert read == {
        "one": {"a": 1, "b": [1, 2], "new": {"k": "???"}},
        "two": {"c": {"x": 1}, "d": 7},
        "three": {"z": None},
    }
    assert filled.index("new:") < filled.index("# About two.")


def test_values_read_back_as_they_were():
    values = [
        "plain",
        "null",
        "yes",
        "007",
        "1e3",
        "it's",
        r"(?P<time>\d+)\.tif",
        "#x",
        "a: b",
        "",
        "ä µm",
        "{x}.csv",
        "*.tif",
    ]
    values += [None, True, 3, 2.5, 1e-7, [1, "a,b"], {"a b": "c", "x": None}]
    for value in values:
        filled = fill_template(TEXT, [found("one.a", value, "x")])
        assert OmegaConf.to_container(OmegaConf.create(filled))["one"]["a"] == value, value


def test_what_a_long_value_is_from_stands_above_it():
    filled = fill_template(TEXT, [found("one.a", ["many values"] * 8, "the files " * 4)])
    lines = filled.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  a: ["))
    assert lines[place - 1].startswith("  # found: the files")
    assert "#" not in lines[place]
