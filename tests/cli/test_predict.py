"""`dropout-lab predict` prints classes and probabilities, and says what it converted."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from dropout_lab.cli import app as command_line

WEIGHTS_OF_BRIGHTNESS = [[-1.0, 1.0]] * 16


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model that tells bright images (class 1) from dark ones, and images."""
    import keras

    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential(layers)
    model.layers[-1].set_weights([np.array(WEIGHTS_OF_BRIGHTNESS), np.array([8.0, -8.0])])
    monkeypatch.chdir(tmp_path)
    model.save("bright.keras")
    Path("images").mkdir()
    PIL.Image.new("L", (4, 4), 250).save("images/bright.png")
    PIL.Image.new("RGB", (8, 8), (5, 5, 5)).save("images/dark.png")
    return tmp_path


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dropout-lab", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


def test_classes_are_printed_and_conversions_are_told(folder, monkeypatch, capfd):
    assert run(monkeypatch, "bright.keras", "images", "--color", "never") == 0
    printed, told = capfd.readouterr()
    rows = [line.split() for line in printed.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["images/bright.png", "1"], ["images/dark.png", "0"]]
    assert all(float(row[2].removesuffix("%")) > 99 for row in rows)
    assert "images/dark.png: converted color to grayscale, resized 8x8 to 4x4" in told
    assert "pixels of 0 to 255 are divided by 255" in told

    assert run(monkeypatch, "bright.keras", "images/dark.png", "-o", "out.json", "--quiet") == 0
    printed, told = capfd.readouterr()
    assert printed == told == ""
    (row,) = json.loads(Path("out.json").read_text())["predictions"]
    assert (row["image"], row["class"], row["label"]) == ("images/dark.png", "0", 0)
    assert row["probability"] == max(row["probabilities"])

    assert run(monkeypatch, "bright.keras", "images/dark.png", "--mc-samples", "2", "--color", "never") == 0
    printed, told = capfd.readouterr()
    assert printed.splitlines()[0].split() == [
        "image",
        "class",
        "probability",
        "predictive",
        "entropy",
        "mutual",
        "information",
    ]
    assert printed.splitlines()[-1].split()[-1] == "0.000"
    assert "has no dropout" in told

    for arguments, words in (
        (["bright.keras", "images/drak.png"], "file not found (did you mean 'dark.png'?)"),
        (["bright.keras", "images", "--scale", "units"], "units"),
        (["brigth.keras", "images"], "did you mean 'bright.keras'?"),
        (["images/dark.png", "images"], "images/dark.png: no model"),
    ):
        assert run(monkeypatch, *arguments) in (1, 2)
        printed, told = capfd.readouterr()
        assert printed == ""
        assert words in told
        assert "Traceback" not in told


@pytest.mark.slow
def test_the_command_starts_by_itself(folder):
    done = subprocess.run(
        [sys.executable, "-m", "dropout_lab", "predict", "bright.keras", "images/bright.png"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].split()[:2] == ["images/bright.png", "1"]
    assert [line for line in done.stderr.splitlines() if "does not record its scaling" not in line] == []
