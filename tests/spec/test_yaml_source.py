import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec.yaml_source import MAX_DEPTH, MAX_NODES, format_location, parse_yaml, printable


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-3", 1e-3),
        ("1E3", 1e3),
        (".5", 0.5),
        ("-2.", -2.0),
        ("0", 0),
        ("-17", -17),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-11-23", "2026-11-23"),
        ("=", "="),
        ("'1'", "1"),
    ],
)
def test_reads_plain_scalars_as_yaml_1_2_does(text, value):
    data = parse_yaml(f"key: {text}", "spec").data["key"]
    assert data == value
    assert type(data) is type(value)


def test_remembers_the_line_of_every_part():
    source = parse_yaml("a:\n  b: 1\n\n  c:\n    - x\n    - y: 2\nd: 3\n", "spec")
    assert source.data == {"a": {"b": 1, "c": ["x", {"y": 2}]}, "d": 3}
    assert source.line(("a",)) == 1
    assert source.line(("a", "b")) == 2
    assert source.line(("a", "c", 1, "y")) == 6
    assert source.line(("a", "c", 7, "z")) == 4
    assert source.line(("nowhere",)) == 1


def test_an_alias_is_expanded_to_a_copy():
    data = parse_yaml("a: &x {k: 1}\nb: *x\n", "spec").data
    assert data == {"a": {"k": 1}, "b": {"k": 1}}
    assert data["a"] is not data["b"]


@pytest.mark.parametrize(
    "text, told",
    [
        ("a: 1\nb: 2\na: 3\n", "s:3: [a] expected the key once, received it again (first in line 1)"),
        ("a:\n  b: 1\n  'b': 2\n", "s:3: [a.b] expected the key once"),
        ("a: [1, 2\n", "s:2: [YAML] expected valid YAML, received: "),
        ("a: 1\n--- \nb: 2\n", "s:2: [YAML] expected valid YAML"),
        ("a: 1\nb: *x\n", "s:2: [YAML] expected valid YAML, received: found undefined alias 'x'"),
        ("a: 1\nb: !!python/object:os.system x\n", "s:2: [YAML] expected valid YAML, received: could not"),
        ("a: 1\nb: \x07\n", "s:2: [YAML] expected text, received the control character U+0007"),
        ("? [1]\n: 2\n", "s:1: [spec] expected a name as key, received a collection"),
        ("a: !!int x\n", "s:1: [a] expected a value, received 'x'"),
        (f"a: {'9' * 5000}\n", "s:1: [a] expected a value, received '999"),
        ("\n" + "[" * (MAX_DEPTH + 1), f"s:2: [YAML] expected at most {MAX_DEPTH} levels of nesting"),
        ("\n- 1" * (MAX_NODES + 1), f"[YAML] expected at most {MAX_NODES:,} values, received more"),
        ("a: &a [*a]\n", "[YAML] expected at most 5,000 values and 20 levels once aliases are expanded"),
        ("x" * 70_000, "s: [YAML] expected at most 65,536 characters, received more"),
    ],
)
def test_refuses_with_the_place(text, told):
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, "s")
    assert told in caught.value.message
    assert len(caught.value.message) < 300


def test_an_alias_bomb_is_refused():
    levels = "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(15))
    with pytest.raises(SpecError, match="once aliases are expanded"):
        parse_yaml(f"a0: &a0 x\n{levels}", "spec")


def test_words_for_messages():
    assert format_location(("seeds", 2)) == "seeds[2]"
    assert format_location(("conditions", "a", "model")) == "conditions.a.model"
    assert format_location(()) == "spec"
    assert printable("\x1b[31mred\n") == "\\x1b[31mred\\x0a"
    assert len(printable("x" * 1000)) == 80
