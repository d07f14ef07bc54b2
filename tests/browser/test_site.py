"""The documentation site as a reader's browser shows it."""

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    "page, width, scheme",
    [
        ("index.html", 1280, "light"),
        ("verdicts.html", 390, "dark"),
        ("reference/spec.html", 1280, "dark"),
        ("reference/python.html", 1280, "light"),
    ],
)
def test_a_page_is_accessible_and_asks_no_other_host(chromium, address, axe, show, page, width, scheme):
    show(width, scheme)
    chromium.get_log("performance")
    chromium.get(address + page)
    body = "return document.body.getAttribute('data-md-color-scheme')"
    expected = "slate" if scheme == "dark" else "default"
    WebDriverWait(chromium, 30).until(lambda driver: driver.execute_script(body) == expected)

    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    requested = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert address + page in requested
    assert [url for url in requested if not url.startswith((address, "data:", "chrome:"))] == []
    assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    assert axe.violations(chromium) == []
