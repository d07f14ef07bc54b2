"""A headless Chromium that keeps a log of its requests."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, CHROMEDRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,1000"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile."""
    if not (CHROMIUM.exists() and CHROMEDRIVER.exists()):
        pytest.skip("chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots: DROPOUT_LAB_SCREENSHOTS, else pytest's own of this session."""
    folder = Path(os.environ.get("DROPOUT_LAB_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def show(chromium: webdriver.Chrome) -> Callable[[int, str], None]:
    """Make the browser that of a reader: width of the window in pixels, and ``light`` or ``dark``."""

    def set_window(width: int, scheme: str) -> None:
        chromium.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    return set_window


@dataclass(frozen=True)
class Axe:
    """axe-core, Deque's accessibility checker."""

    source: str

    def violations(self, chromium: webdriver.Chrome) -> list[tuple[str, str, str]]:
        """Return the serious violations of the page shown: rule, element and explanation."""
        chromium.set_script_timeout(300)  # a long page takes a busy machine more than the default of 30 s
        chromium.execute_script(self.source)
        found = chromium.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        assert len(found["passes"]) > 15
        return [
            (violation["id"], node["html"][:200], node["failureSummary"])
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Axe:
    """The checker, from the npm registry."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, so that axe-core cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(
        ["npm", "pack", "axe-core", "--silent"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    if packed.returncode:
        pytest.skip(f"npm cannot get axe-core: {packed.stderr.strip()[:200]}")
    shutil.unpack_archive(next(folder.glob("axe-core-*.tgz")), folder, format="gztar", filter="data")
    return Axe((folder / "package" / "axe.min.js").read_text(encoding="utf-8"))
