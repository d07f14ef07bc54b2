"""`promote`: MLflow serves the promoted model, offline."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.data.fashion_mnist import read_source


@contextmanager
def served(uri: str, folder: Path, port: int) -> Iterator[str]:
    """Serve a model as a user does, with the environment activated and no package registry in reach."""
    address = f"http://127.0.0.1:{port}"
    bin_folder = Path(sys.executable).parent
    command = ["mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port)]
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(1800):
            try:
                urllib.request.urlopen(f"{address}/ping", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "serve.log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.slow
def test_mlflow_serves_the_champion(
    trained: Any, subset: Path, make_port: Callable[[], int], tmp_path: Path, monkeypatch: Any
) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(trained.folder, folder)
    monkeypatch.chdir(folder)
    promotion = dl.promote("half-seed0", name="clothes")
    images = read_source(subset).test_inputs[:3]
    body = json.dumps({"inputs": (images / 255).tolist()})
    with served(promotion.uri, folder, make_port()) as address:
        answered = subprocess.run(
            ["curl", "-sS", f"{address}/invocations", "-H", "Content-Type: application/json", "-d", "@-"],
            input=body,
            capture_output=True,
            text=True,
            check=True,
        )
    found = np.array(json.loads(answered.stdout)["predictions"])
    np.testing.assert_allclose(found, dl.predict("clothes@champion", images).probs, atol=1e-5)
