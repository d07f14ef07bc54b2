"""Makes the screenshots of the documentation from runs of experiments/quick.yaml.

python docs/screenshots.py [FOLDER]         # needs Chromium and its driver

FOLDER is where the spec was trained. Without it the spec is trained first, which takes about two minutes.
"""

import base64
import fcntl
import io
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "screenshots"
EXPERIMENT = "quick"
COLUMNS = 80
WIDTH = 1280
SCHEMES = {"light": "", "dark": "-dark"}
COMMAND = (sys.executable, "-m", "dropout_lab")
FLAGS = "--headless=new --no-sandbox --disable-gpu --hide-scrollbars --no-first-run"


def terminal_output(folder: Path, *arguments: str) -> str:
    """Return what a command prints on a terminal of `COLUMNS` columns, with its colors."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    printed = b""
    try:
        while block := os.read(ours, 65536):
            printed += block
    except OSError:  # Linux: the last writer has closed the terminal
        pass
    os.close(ours)
    if process.wait():
        raise SystemExit(f"dropout-lab {' '.join(arguments)} failed")
    return printed.decode().replace("\r\n", "\n")


def draw_terminal(folder: Path) -> None:
    arguments = ("compare", EXPERIMENT, "--metric", "acc", "--metric", "gap")
    shown = f"$ dropout-lab {' '.join(arguments)}\n{terminal_output(folder, *arguments)}"
    themes = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
    for scheme, suffix in SCHEMES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(Text.from_ansi(shown.rstrip()))
        svg = console.export_svg(title="", theme=themes[scheme], unique_id=f"terminal{suffix}")
        # Viewers have monospaced fonts: none is fetched.
        own = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
        (IMAGES / f"terminal{suffix}.svg").write_text(own, encoding="utf-8")


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield driver
        finally:
            driver.quit()


def show(driver: webdriver.Chrome, scheme: str, height: int) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    window = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)


def save(driver: webdriver.Chrome, name: str) -> None:
    """Save what is shown, with at most 256 colors."""
    shown = base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
    image = Image.open(io.BytesIO(shown)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{name}.png", optimize=True)


def draw_report(folder: Path, driver: webdriver.Chrome) -> None:
    command = [*COMMAND, "compare", EXPERIMENT, "--report", "report.html", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for scheme, suffix in SCHEMES.items():
        show(driver, scheme, 1000)
        driver.get((folder / "report.html").as_uri())
        save(driver, f"report{suffix}")


def draw_mlflow(folder: Path, driver: webdriver.Chrome) -> None:
    """Draw what `dropout-lab ui` opens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*COMMAND, "ui", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            address = next(word for line in server.stderr for word in line.split() if word.startswith("http"))
            wait_for(f"http://127.0.0.1:{port}/health")
            show(driver, "light", 720)
            driver.get(address)
            WebDriverWait(driver, 120).until(
                lambda one: "Group: dropout" in one.find_element(By.TAG_NAME, "body").text
            )
            for button in ("assistant.chat_panel.close", "experiment_page.shared_view.dismiss"):
                found = f'[data-component-id="mlflow.{button}"]'
                driver.execute_script(f"document.querySelector('{found}')?.click()")
            time.sleep(3)  # the table takes the free room
            save(driver, "mlflow")
        finally:
            server.send_signal(signal.SIGTERM)


def wait_for(address: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{address} does not answer")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as empty:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else empty).resolve()
        if len(sys.argv) == 1:
            spec = ROOT / "experiments" / f"{EXPERIMENT}.yaml"
            subprocess.run([*COMMAND, "run", str(spec)], cwd=folder, check=True)
        draw_terminal(folder)
        with chromium() as driver:
            draw_report(folder, driver)
            draw_mlflow(folder, driver)


if __name__ == "__main__":
    main()
