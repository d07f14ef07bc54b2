"""Whatever is wrong with a spec, the message names the place, and nothing is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dropout_lab.cli import app
from dropout_lab.errors import SpecError
from dropout_lab.spec import load_spec

BASE = "name: a\n"


def _value_cases() -> dict[str, tuple[bytes, str]]:
    """Every field with every kind of value that it cannot have."""
    numbers = ["true", "x", "'1'", "[1]", "{a: 1}", ".nan", ".inf", "-.inf", "-1"]
    integers = [*numbers, "1.5", "1e3", "0", "010", "99999999999999999999"]
    fields = {
        "model.dropout": [*numbers, "1", "1.0", "1e9", "{conv1: 1}", "{conv3: 0.1}", "[0.1, 0.1, 0.1]"],
        "model.dropout.dense": [*numbers, "1"],
        "model.dropout_position": ["before", "1", "true", "[]", "null"],
        "model.filters": ["32", "[32]", "[32, 64, 128]", "[0, 1]", "[a, b]", "[1.5, 2]", "{}", "[2000, 1]"],
        "model.hidden_units": integers,
        "training.epochs": [*integers, "10001"],
        "training.batch_size": [*integers, "60001"],
        "training.learning_rate": [*numbers, "0", "101"],
        "training.optimizer": ["Adam", "1", "[adam]", "null", "''"],
        "training.engine": ["slow", "true"],
        "training.precision": ["float16", "32"],
        "device": ["tpu", "'gpu:'", "gpu:-1", "GPU", "cpu:0", "0", "[cpu]", "'gpu:1 '", "null"],
        "data.folder": ["''", "1", "[a]", "{}"],
        "data.validation": [
            "true",
            "0",
            "0.0",
            "1.0",
            "1.5",
            "-1",
            "train",
            ".nan",
            "[0.1]",
            "null",
        ],
        "data.dataset": ["''", "1", "[a]", "mnst", "null", "a b"],
        "data.arguments": ["1", "a", "[1]", "null"],
        "data.image_size": [*integers, "[1]", "[1, 2, 3]", "[0, 1]", "5000"],
        "data.color_mode": ["RGB", "1", "null"],
        "data.test_split": [*numbers, "0", "1"],
        "data.test_seed": ["-1", "2147483648", "1.0", "true", "a", "null"],
        "data.scale": ["min-max", "1", "null"],
        "data.split_seed": ["-1", "2147483648", "1.0", "true", "a", "null"],
        "data.num_train": ["9", "1.5", "true", "all"],
        "data.num_test": ["9", "1.5", "true"],
        "name": [
            "''",
            "null",
            "1",
            "../x",
            "/x",
            "-x",
            "'a '",
            "a/b",
            "'a\\b'",
            '"a\\x1b[31m"',
            "é",
            "a" * 101,
        ],
        "experiment": ["''", "a/b", "'<script>'", "[a]"],
        "description": ["1", "[a]", "x" * 5001],
        "seeds": [
            "0",
            "-1",
            "1001",
            "true",
            "1.5",
            "a",
            "[]",
            "[-1]",
            "[1.0]",
            "[true]",
            "[0, 0]",
            "{a: 1}",
            "null",
        ],
        "conditions": ["[]", "1", "a", "{a/b: {}}", "{'': {}}", "{a: 1}", "{a: null}", "{a: {seeds: 3}}"],
        "claims": ["{}", "1", "[1]", "[{}]", "[{metric: A}]"],
    }
    return {
        f"{field}: {value[:20]}": (_nested(field, value), f"[{field}")
        for field, values in fields.items()
        for value in values
    }


def _nested(field: str, value: str) -> bytes:
    *parents, last = field.split(".")
    text = "" if field == "name" else BASE
    for depth, parent in enumerate(parents):
        text += f"{'  ' * depth}{parent}:\n"
    return f"{text}{'  ' * len(parents)}{last}: {value}\n".encode()


def _claim(**changes: str) -> bytes:
    claim = {"metric": "test_loss", "condition": "b", "reference": "a", "expected": "lower"} | changes
    lines = "".join(f"    {key}: {value}\n" for key, value in claim.items() if value)
    return f"{BASE}conditions: {{a: {{}}, b: {{}}}}\nclaims:\n  -\n{lines}".encode()


_BOMB = "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9))

_MERGE_BOMB = "".join(f"x-{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}]}}\n" for i in range(9))

_OTHER_CASES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "[spec] empty file"),
    "a comment alone": (b"# nothing\n", "[spec] empty file"),
    "null": (b"null\n", "[spec] empty file"),
    "spaces": (b"   \n\n  ", "[spec] empty file"),
    "a list": (b"- name: a\n", "[spec] invalid value: a list"),
    "a word": (b"baseline\n", "[spec] invalid value: 'baseline'"),
    "a number": (b"42\n", "[spec] invalid value: 42"),
    "no name": (b"description: x\n", "[name] missing required key"),
    "unknown key": (
        b"name: a\nepochs: 3\n",
        ":2: [epochs] unknown key 'epochs' (did you mean 'training.epochs'?)",
    ),
    "unknown key, nearly right": (b"name: a\nseed: 3\n", "did you mean 'seeds'?"),
    "unknown nested key": (b"name: a\nmodel: {drop_out: 0.1}\n", "did you mean 'dropout'?"),
    "unknown optimizer": (b"name: a\ntraining: {optimizer: adm}\n", "did you mean 'adam'?"),
    "unknown key in a condition": (b"name: a\nconditions:\n  b: {modl: 1}\n", ":3: [conditions.b.modl]"),
    "condition called as a field": (
        b"name: a\nconditions: {model: {dropout: 2, x: 1}}\n",
        "[conditions.model.x]",
    ),
    "section that is a number": (
        b"name: a\ntraining: 3\n",
        "[training] invalid value: 3 (allowed: a mapping with epochs, ",
    ),
    "section that is empty": (
        b"name: a\ntraining:\n",
        "[training] invalid value: none (allowed: a mapping with epochs, ",
    ),
    "section that is a list": (b"name: a\ndata: [1]\n", "[data] invalid value: a list"),
    "merge of a number": (b"name: a\n<<: 3\n", ":2: [<<] not a mapping or a list of mappings"),
    "merge of a list of numbers": (b"name: a\n<<: [3]\n", ":2: [<<] not a mapping or a list of mappings"),
    "merge of nothing": (b"name: a\n<<:\n", ":2: [<<] not a mapping or a list of mappings"),
    "quoted merge key": (b"x-a: &a {}\nname: a\n'<<': *a\n", ":3: [<<] unknown key '<<'"),
    "merge key twice": (b"x-a: &a {}\nname: a\n<<: *a\n<<: *a\n", ":4: [<<] duplicate key (first on line 3)"),
    "key twice beside a merge": (
        b"x-a: &a {seeds: 1}\n<<: *a\nname: a\nname: b\n",
        ":4: [name] duplicate key (first on line 3)",
    ),
    "wrong value in a merged mapping": (
        b"x-a: &a {epochs: 0}\nname: a\ntraining:\n  <<: *a\n",
        ":1: [training.epochs] invalid value: 0",
    ),
    "merge of itself": (b"x-a: &a {<<: *a}\nname: a\n", "with all aliases expanded"),
    "merge bomb": (f"name: a\nx-0: &a0 {{a: 1}}\n{_MERGE_BOMB}".encode(), "with all aliases expanded"),
    "extension in a section": (b"name: a\ntraining: {x-a: 1}\n", "unknown key 'x-a'"),
    "conditions all commented out": (
        b"name: a\nconditions:\n  # a: {}\n",
        ":2: [conditions] no conditions: list at least one, or remove the key",
    ),
    "condition commented out": (
        b"name: a\nconditions:\n  b:\n  # model: {}\n",
        ":3: [conditions.b] empty condition: write `b: {}`",
    ),
    "conditions that differ in case": (
        b"name: a\nconditions: {b: {}, B: {}}\n",
        "condition 'B' differs from 'b' only in case",
    ),
    "condition named in another script": (
        "name: a\nconditions: {ドロップ: {}}\n".encode(),
        "[conditions.ドロップ] invalid name: 'ドロップ' (allowed: 1 to 100 of A-Z a-z 0-9 space",
    ),
    "claim without metric": (_claim(metric=""), "[claims[0].metric] missing required key"),
    "claim of no condition": (
        _claim(condition="c"),
        "[claims[0].condition] unknown condition: 'c' (allowed: a, b)",
    ),
    "claim against no condition": (
        _claim(reference="baselin"),
        "[claims[0].reference] unknown condition: 'baselin' (allowed: a, b)",
    ),
    "claim against itself": (_claim(reference="b"), "[claims[0].reference] the condition itself: 'b'"),
    "claim of a direction": (
        _claim(expected="less"),
        "[claims[0].expected] invalid value: 'less' (allowed: lower, higher",
    ),
    "claim of a negative margin": (
        _claim(margin="-0.1"),
        "[claims[0].margin] invalid value: -0.1 (allowed: a number at least 0)",
    ),
    "claim of equality": (
        _claim(expected="equivalent"),
        "[claims[0].margin] invalid value: 0 (allowed: a number above 0)",
    ),
    "claim with another key": (
        _claim(by="0.1"),
        "[claims[0].by] unknown key 'by' (allowed: metric, condition",
    ),
    "101 conditions": (
        BASE.encode() + b"conditions:\n" + b"".join(b"  c%d: {}\n" % i for i in range(101)),
        "[conditions] invalid length: 101 (allowed: a mapping of at most 100 names)",
    ),
    "key twice": (b"name: a\nname: b\n", ":2: [name] duplicate key (first on line 1)"),
    "nested key twice": (
        b"name: a\ntraining: {epochs: 1, epochs: 2}\n",
        "[training.epochs] duplicate key (first on line 2)",
    ),
    "condition twice": (
        b"name: a\nconditions:\n  b: {}\n  b: {}\n",
        ":4: [conditions.b] duplicate key (first on line 3)",
    ),
    "alias bomb": (f"name: a\na0: &a0 x\n{_BOMB}".encode(), "with all aliases expanded"),
    "alias of itself": (b"name: a\nconditions: &a {b: *a}\n", "with all aliases expanded"),
    "alias of nothing": (b"name: *b\n", "invalid YAML: "),
    "python object": (b"name: !!python/object/apply:os.system ['true']\n", "[name] "),
    "python name": (b"name: !!python/name:os.system\n", "invalid YAML: "),
    "unknown tag": (b"name: !spec a\n", "invalid YAML: "),
    "unclosed list": (b"name: a\nseeds: [1, 2\n", "invalid YAML: "),
    "unclosed text": (b'name: "a\n', "invalid YAML: "),
    "tab": (b"name: a\nmodel:\n\tdropout: 0\n", ":3: invalid YAML: "),
    "wrong indentation": (b"name: a\n  model: x\n", ":2: invalid YAML: "),
    "two documents": (b"name: a\n---\nname: b\n", "invalid YAML: "),
    "JSON cut off": (b'{"name": "a", "seeds": [', "invalid YAML: "),
    "XML": (b"<?xml version='1.0'?>\n<name>a</name>\n", 'invalid value: "<?xml'),
    "Python": (b"import os\nos.system('true')\n", 'invalid value: "import os'),
    "NUL": (b"name: a\0b\n", ":1: control character U+0000"),
    "escape sequence": (
        b"name: a\n\x1b[31m\n",
        ":2: control character U+001B",
    ),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", ":1: not UTF-8 text: byte 0x8b"),
    "Latin-1": (
        "name: a\ndescription: é\n".encode("latin-1"),
        ":2: not UTF-8 text: byte 0xe9",
    ),
    "UTF-16": ("name: a\n".encode("utf-16"), "not UTF-8 text"),
    "too large": (b"name: a\n" + b"#" * 70_000, "file too large (allowed: 65,536 bytes)"),
    "too many values": (b"name: a\nseeds: [" + b"1," * 6_000 + b"]", "too many values (allowed: 5,000)"),
    "too many seeds": (b"name: a\nseeds: [" + b"1," * 1_001 + b"]", "[seeds] invalid length: 1001"),
    "deep lists": (b"name: " + b"[" * 500, "too many levels (allowed: 20)"),
    "deep keys": (b"name:" + b" {a:" * 500, "too many levels (allowed: 20)"),
    "a list as key": (b"[a, b]: 1\n", "a key that is a list or a mapping"),
    "a number of 5,000 digits": (b"name: a\nseeds: " + b"9" * 5_000, "[seeds] invalid value: "),
    "a year": (b"name: 2026\n", "[name] invalid value: 2026"),
}

MALFORMED = _value_cases() | _OTHER_CASES


def test_there_are_more_than_200_cases():
    assert len(MALFORMED) >= 200


@pytest.mark.parametrize("raw, told", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_spec_ends_with_exit_2_and_its_place(raw, told, tmp_path, monkeypatch, capsys):
    path = tmp_path / "spec.yaml"
    path.write_bytes(raw)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["dropout-lab", "run", str(path)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    output = capsys.readouterr()
    assert ended.value.code == 2
    assert output.out == ""
    assert told in output.err
    for line in output.err.removeprefix("Error: ").splitlines():
        assert line.startswith(f"{path}:")
        assert len(line) < len(str(path)) + 400
    assert "Traceback" not in output.err
    assert list(tmp_path.iterdir()) == [path]


def _unreadable(path: Path) -> Path:
    path.write_text("name: a\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    return path


PATHS = {
    "nothing there": lambda folder: folder / "none.yaml",
    "a folder": lambda folder: folder,
    "under a file": lambda folder: Path(__file__) / "spec.yaml",
    "a name too long": lambda folder: folder / ("x" * 300),
    "endless": lambda folder: Path("/dev/zero"),
    "unreadable": lambda folder: _unreadable(folder / "closed.yaml"),
    "a link to itself": lambda folder: _link_to_itself(folder / "link.yaml"),
    "a name with escapes": lambda folder: folder / "\x1b[31mred\x1b[0m.yaml",
}


def _link_to_itself(path: Path) -> Path:
    path.symlink_to(path)
    return path


@pytest.mark.parametrize("make", PATHS.values(), ids=PATHS.keys())
def test_a_path_that_is_no_readable_file_is_named(make, tmp_path):
    with pytest.raises(SpecError, match=r"file not found|cannot read|file too large") as caught:
        load_spec(make(tmp_path))
    assert caught.value.message.isprintable()


def test_a_long_path_is_told_whole(tmp_path):
    path = tmp_path / ("x" * 200) / "none.yaml"
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(path) in caught.value.message


def test_a_path_with_a_nul_is_named():
    with pytest.raises(SpecError, match=r"a\\x00b: cannot read: "):
        load_spec(Path("a\0b"))


def test_all_problems_of_a_file_are_told_at_once_in_its_order(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("name: a\ndevice: tpu\ntraining:\n  epochs: 0\n  batch: 1\nmodel: {dropout: 1}\n")
    with pytest.raises(SpecError) as caught:
        load_spec(path, ["data.num_test=1"])
    assert [problem.partition("] ")[0] + "] " for problem in caught.value.problems] == [
        "--set data.num_test=1: [data.num_test] ",
        f"{path}:2: [device] ",
        f"{path}:4: [training.epochs] ",
        f"{path}:5: [training.batch] ",
        f"{path}:6: [model.dropout] ",
    ]


def test_a_process_of_its_own_ends_the_same_way(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("name: a\ntraining: {epochs: many}\n")
    result = subprocess.run(
        [sys.executable, "-m", "dropout_lab", "run", str(path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"Error: {path}:2: [training.epochs] invalid value: 'many' (text) "
        "(allowed: an integer from 1 to 10,000)\n"
    )
