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
        ("1_000", 1000),
        ("1__000", "1__000"),
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
        ("a: 1\nb: 2\na: 3\n", "s:3: [a] duplicate key (first on line 1)"),
        ("a:\n  b: 1\n  'b': 2\n", "s:3: [a.b] duplicate key (first on line 2)"),
        ("a: [1, 2\n", "s:2: invalid YAML: "),
        ("a: 1\n--- \nb: 2\n", "s:2: invalid YAML: "),
        ("a: 1\nb: *x\n", "s:2: invalid YAML: found undefined alias 'x'"),
        ("a: 1\nb: !!python/object:os.system x\n", "s:2: invalid YAML: could not"),
        ("a: 1\nb: \x07\n", "s:2: control character U+0007"),
        ("? [1]\n: 2\n", "s:1: [spec] a key that is a list or a mapping"),
        ("a: !!int x\n", "s:1: [a] invalid value: 'x'"),
        (f"a: {'9' * 5000}\n", "s:1: [a] invalid value: '999"),
        ("\n" + "[" * (MAX_DEPTH + 1), f"s:2: too many levels (allowed: {MAX_DEPTH})"),
        ("\n- 1" * (MAX_NODES + 1), f"too many values (allowed: {MAX_NODES:,})"),
        ("a: &a [*a]\n", "too large with all aliases expanded (allowed: 5,000 values and 20 levels)"),
        ("x" * 70_000, "s: value too long (allowed: 65,536 characters)"),
    ],
)
def test_refuses_with_the_place(text, told):
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, "s")
    assert told in caught.value.message
    assert len(caught.value.message) < 300


def test_an_alias_bomb_is_refused():
    levels = "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(15))
    with pytest.raises(SpecError, match="with all aliases expanded"):
        parse_yaml(f"a0: &a0 x\n{levels}", "spec")


MERGED = """
x-a: &a {k: 1, l: 1}
x-b: &b {l: 2, m: 2}
one: {<<: *a, l: 3}
last: {l: 3, <<: *a}
two: {<<: [*a, *b], n: 4}
chained: {<<: {<<: *b, k: 5}}
nested: {<<: {d: {k: 1}}, d: {l: 2}}
"""


def test_merge_keys_work_as_in_yaml_1_1():
    source = parse_yaml(MERGED, "spec")
    assert source.data["one"] == source.data["last"] == {"k": 1, "l": 3}
    assert source.data["two"] == {"k": 1, "l": 1, "m": 2, "n": 4}
    assert source.data["chained"] == {"l": 2, "m": 2, "k": 5}
    assert source.data["nested"] == {"d": {"l": 2}}
    assert source.line(("two", "m")) == 3
    assert source.line(("two", "n")) == 6


def test_a_character_that_json_escapes_as_two_is_one():
    assert parse_yaml('{"\\ud83d\\ude00": "\\ud83d\\ude00"}', "spec").data == {"\U0001f600": "\U0001f600"}
    for half in ('a: "\\ud83d"', '"\\ud83d": a'):
        with pytest.raises(SpecError, match="half of a surrogate pair"):
            parse_yaml(half, "spec")


def test_a_quoted_merge_key_is_a_key():
    assert parse_yaml("'<<': 1", "spec").data == {"<<": 1}


def test_words_for_messages():
    assert format_location(("seeds", 2)) == "seeds[2]"
    assert format_location(("conditions", "a", "model")) == "conditions.a.model"
    assert format_location(()) == "spec"
    assert printable("\x1b[31mred\n") == "\\x1b[31mred\\x0a"
    assert len(printable("x" * 1000)) == 80
