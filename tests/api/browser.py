"""A headless Chromium, driven over its debugging pipe: no driver, no library."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deadlines import PATIENCE_S

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)


class Browser:
    """One page."""

    def __init__(self, profile: Path, *, width: int, height: int) -> None:
        assert CHROMIUM is not None
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        self._number = 0
        self._buffer = b""
        self.complaints: list[str] = []

        # The debugging pipe is at numbers 3 and 4 in the child, whatever is there in this process.
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-proxy-server",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
            f"--window-size={width},{height}",
            "about:blank",
        ]
        plumbed = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", plumbed, "bash", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_browser, from_browser),
        )
        for number in (to_browser, from_browser):
            os.close(number)
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attach = {"targetId": page["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def resize(self, width: int, height: int, *, is_phone: bool = False) -> None:
        """Give the page another size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def prefer(self, scheme: str) -> None:
        """Dark or light."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str, *, token: str | None = None) -> None:
        """Go to a page, with a token in its session."""
        if token is not None:
            source = f"sessionStorage.setItem('aerostat-token', {json.dumps(token)})"
            self.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        done = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, script: str, what: str) -> Any:
        """Wait until an expression is true in the page."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not (value := self.run(script)):
            assert time.monotonic() < give_up_s, (
                f"{what}: not within {PATIENCE_S} s\n{self.complaints}\n"
                f"{self.run('document.body.innerText.slice(0, 600)')}"
            )
            time.sleep(0.1)
        return value

    def picture(self, path: Path) -> None:
        """What it looks like."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the debugging protocol."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        give_up_s = time.monotonic() + PATIENCE_S
        while True:
            answer = self._next(give_up_s)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _next(self, give_up_s: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select(
                [self._read], [], [], max(0.0, give_up_s - time.monotonic())
            )
            assert ready, "the browser does not answer"
            self._buffer += os.read(self._read, 1 << 20)
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning"}:
            self.complaints.append(json.dumps(parameters["args"])[:300])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for number in (self._write, self._read):
            with contextlib.suppress(OSError):
                os.close(number)


@contextlib.contextmanager
def browser(profile: Path, *, width: int = 1360, height: int = 900) -> Iterator[Browser]:
    """A browser for the length of a block."""
    one = Browser(profile, width=width, height=height)
    try:
        yield one
    finally:
        one.close()
