"""A cluster and a command that do not use the same token: the command ends soon, and says what to do."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("ray_host"),
    pytest.mark.skipif(
        " " in sys.executable, reason="`ray start --head` ends in a path with a space (Ray 2.60)"
    ),
]

SECONDS = 120
"""Ray tries to connect for 20 s."""


@contextmanager
def cluster(make_port: Callable[[], int], **environment: str) -> Iterator[str]:
    """Start a cluster of one node with environment variables, and yield its address."""
    port = make_port()
    options = ("--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats", "--block")
    place = ("--node-ip-address=127.0.0.1", f"--port={port}", f"--ray-client-server-port={make_port()}")
    # Clusters of earlier tests leave variables in their process.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", *place, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**inherited, "RAY_worker_niceness": "0", **environment},
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ray runtime started" in line:
                break
        else:
            pytest.fail("".join(lines))
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def home(folder: Path, token: str = "") -> str:
    """Return a home folder, with a file of the token if one is given."""
    (folder / ".ray").mkdir(parents=True)
    if token:
        (folder / ".ray" / "auth_token").write_text(token)
    return str(folder)


def test_a_token_on_a_cluster_without_one_is_refused_before_a_run_starts(
    lab: Path, command: Callable[..., subprocess.Popen[str]], make_port: Callable[[], int], tmp_path: Path
) -> None:
    with cluster(make_port, HOME=home(tmp_path / "without"), RAY_AUTH_MODE="disabled") as address:
        process = command(
            *("run", "tiny.yaml", "--executor", "ray", "--address", address),
            HOME=home(tmp_path / "with", "a" * 64),
            RAY_AUTH_MODE="token",
        )
        try:
            _, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 2
    assert err.startswith("Error: This command uses a token, but the Ray cluster was started without one.\n")
    assert "set RAY_AUTH_MODE=disabled here" in err


def test_a_missing_or_another_token_is_refused_with_the_remedy(
    lab: Path, command: Callable[..., subprocess.Popen[str]], make_port: Callable[[], int], tmp_path: Path
) -> None:
    owner = home(tmp_path / "owner", "a" * 64)
    without = {"HOME": home(tmp_path / "none"), "RAY_AUTH_MODE": "disabled"}
    another = {"HOME": home(tmp_path / "another", "b" * 64), "RAY_AUTH_MODE": "token"}
    with cluster(make_port, HOME=owner, RAY_AUTH_MODE="token") as address:
        arguments = ("run", "tiny.yaml", "--executor", "ray", "--address", address)
        for environment in (without, another):
            process = command(*arguments, **environment)
            try:
                _, err = process.communicate(timeout=SECONDS)
            finally:
                process.kill()
            assert process.returncode == 2
            assert err.startswith("Error: No connection to the Ray cluster: Failed to connect"), err
            assert "requires the same one here: set RAY_AUTH_MODE=token, and copy ~/.ray/auth_token" in err
            assert "Traceback" not in err
        same = command(*arguments, HOME=owner, RAY_AUTH_MODE="token")
        _, err = same.communicate(timeout=SECONDS)
        assert same.returncode == 0, err
