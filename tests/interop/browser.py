# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven by Selenium with Debian's chromium and chromium-driver."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """One page of a browser of its own, to be used as a context manager.

    ``asked`` are the addresses that the page wanted, ``complaints`` what the browser has logged about it.
    """

    def __init__(self, folder: Path) -> None:
        self._options = webdriver.ChromeOptions()
        # Both are named, so that Selenium looks for no browser of its own in the network.
        self._options.binary_location = shutil.which("chromium") or "chromium"
        self._driver_file = shutil.which("chromedriver") or "chromedriver"
        for argument in (*QUIET, f"--user-data-dir={folder / 'browser'}"):
            self._options.add_argument(argument)
        self._options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.asked: list[str] = []
        self.complaints: list[str] = []

    def __enter__(self) -> Browser:
        self._driver = webdriver.Chrome(options=self._options, service=Service(self._driver_file))
        # The browser's own start page wants files, too, which are no business of the page.
        self._driver.get("about:blank")
        self._read_logs()
        self.asked.clear()
        self.complaints.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.quit()

    def open(self, page: Path, width: int, height: int) -> None:
        """Show a page in a window of this size, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
        self._driver.get(page.as_uri())
        self._read_logs()

    def value(self, expression: str) -> Any:
        """Return the JSON value of a JavaScript expression in the page."""
        return self._driver.execute_script(f"return ({expression.strip().rstrip(';')})")

    def screenshot(self, path: Path) -> bytes:
        """Keep and return a picture of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return self._kept(path, shot)

    def printed(self, path: Path) -> bytes:
        """Keep and return the page as it is printed on A4."""
        printed = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=False)
        return self._kept(path, printed)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what the browser answers to a command of the Chrome DevTools Protocol."""
        return dict(self._driver.execute_cdp_cmd(method, parameters))

    def _read_logs(self) -> None:
        for entry in self._driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        self.complaints += [json.dumps(entry) for entry in self._driver.get_log("browser")]

    @staticmethod
    def _kept(path: Path, answer: dict[str, Any]) -> bytes:
        content = base64.b64decode(answer["data"])
        path.write_bytes(content)
        return content
