"""Values are written with what explains them and what they were taken from, and read back."""

from omegaconf import OmegaConf

from cellfate.recognition.proposals import Proposal, ask, found
from cellfate.recognition.yaml_lines import read_comments, write_values

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
"""


def write(*values: Proposal) -> str:
    return write_values(values, read_comments(TEXT))


def test_a_value_is_explained_and_says_what_it_is_from():
    written = write(found("one.b", ["x", "5", "a b: c"], "the files"))
    assert written == "\n".join(
        [
            "",
            "one:",
            "  # What b is,",
            "  # in two lines.",
            "  b: [x, '5', 'a b: c']  # found: the files",
            "",
        ]
    )


def test_groups_and_keys_stand_in_the_order_of_what_explains_them():
    new = found("one.new", {"k": "???"}, "x")
    written = write(
        found("three.z", None, "y"), found("two.c", 7, "w"), new, found("one.b", 2, "v"), found("one.a", 1, "u")
    )
    read = OmegaConf.to_container(OmegaConf.create(written), resolve=False)
    assert read == {"one": {"a": 1, "b": 2, "new": {"k": "???"}}, "two": {"c": 7}, "three": {"z": None}}
    assert [line for line in written.splitlines() if line.endswith(":")] == ["one:", "two:", "three:"]
    assert "  # What a is.\n  a: 1  # found: u\n  # What b is," in written
    assert "\n\n# About two.\ntwo:\n  c: 7" in written
    assert "Head" not in written


def test_keys_without_a_group():
    written = write_values([found("root", "data", "a name")], read_comments("# Head.\n\n# Where.\nroot: old\n"))
    assert written.strip() == "# Where.\nroot: data  # found: a name"


def test_a_question_stands_above_the_missing_value():
    written = write(ask("one.a", "Seen: " + "many words " * 20))
    lines = written.splitlines()
    place = lines.index("  a: ???")
    assert lines[2] == "  # What a is."
    assert lines[3].startswith("  # QUESTION: Seen: many words")
    assert all(line.startswith("  #   ") for line in lines[4:place])
    assert max(map(len, lines)) <= 120
    assert OmegaConf.is_missing(OmegaConf.create(written).one, "a")


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
        written = write(found("one.a", value, "x"))
        assert OmegaConf.to_container(OmegaConf.create(written))["one"]["a"] == value, value


def test_what_a_long_value_is_from_stands_above_it():
    written = write(found("one.a", ["many values"] * 8, "the files " * 4))
    lines = written.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  a: ["))
    assert lines[place - 1].startswith("  # found: the files")
    assert "#" not in lines[place]
