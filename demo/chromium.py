"""A headless Chromium driven over its debugging pipe: real visitors with nothing to install but the browser."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Only the shop is visited. Chromium otherwise asks for updates and field trials at every start.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4.
INTO_PIPES = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""

# `>>>` goes into the open shadow root of what was found so far.
FIND = """(at) => {
  let place = document;
  for (const part of at.split(' >>> ')) place = (place.shadowRoot ?? place).querySelector(part) ?? null;
  return place;
}"""
PLACE = """async (at) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (const until = performance.now() + 3000; performance.now() < until; await frame()) {
    const place = (FIND)(at);
    if (!place) continue;
    place.scrollIntoView({ block: 'center', behavior: 'instant' });
    // Layout settles before the mouse goes there.
    await frame();
    const { left, top, width, height } = place.getClientRects()[0] ?? {};
    if (width > 0 && height > 0) return [left + width / 2, top + height / 2];
  }
  return null;
}""".replace("FIND", FIND)


def find_chromium() -> Path | None:
    """Where Chromium is: the variable CHROMIUM, or the usual names on the path."""
    names = (os.environ["CHROMIUM"],) if "CHROMIUM" in os.environ else NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


class ChromiumFailed(RuntimeError):
    """The browser ended, did not answer in time, or refused a command."""


@dataclass
class Chromium:
    """A running headless browser; a context manager that ends it."""

    path: Path
    timeout: float = 30.0
    _process: subprocess.Popen[bytes] = field(init=False, repr=False)
    _profile: TemporaryDirectory[str] = field(init=False, repr=False)
    _buffer: bytes = field(init=False, default=b"", repr=False)
    _last: int = field(init=False, default=0, repr=False)
    _told: list[dict[str, Any]] = field(init=False, default_factory=list, repr=False)

    def __enter__(self) -> Chromium:
        self._profile = TemporaryDirectory(prefix="expost-chromium-")
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        flags = (*FLAGS, f"--user-data-dir={self._profile.name}", "about:blank")
        self._process = subprocess.Popen(
            [sys.executable, "-c", INTO_PIPES, str(commands), str(answers), str(self.path), *flags],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the demo, which then ends its own browser.
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        # Without its pipe Chromium ends by itself, with all its processes.
        os.close(self._write)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        shutil.rmtree(self._profile.name, ignore_errors=True)
        self._profile.cleanup()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of one command of the DevTools protocol."""
        self._last += 1
        number = self._last
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise ChromiumFailed("Chromium ended.") from None
        answer = self.wait(lambda told: told.get("id") == number)
        if "error" in answer:
            raise ChromiumFailed(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, wanted: Any) -> dict[str, Any]:
        """The first message, told already or to come, for which `wanted` is true. It is told once."""
        until = time.monotonic() + self.timeout
        while True:
            for place, told in enumerate(self._told):
                if wanted(told):
                    return self._told.pop(place)
            left = until - time.monotonic()
            if left <= 0 or not self._can_be_read(left):
                raise ChromiumFailed(f"Chromium did not answer within {self.timeout:.0f} s.")
            self._receive()

    def forget(self, method: str, session: str) -> None:
        """Drop what was told under `method`, so that a later `wait` is for what is still to come."""
        self._told = [
            told for told in self._told if (told.get("method"), told.get("sessionId")) != (method, session)
        ]

    def _can_be_read(self, seconds: float) -> bool:
        # Not `select`, which knows no descriptor beyond 1,023.
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def _receive(self) -> None:
        received = os.read(self._read, 1 << 20)
        if not received:
            raise ChromiumFailed("Chromium ended.")
        *messages, self._buffer = (self._buffer + received).split(b"\0")
        self._told += map(json.loads, messages)

    def open_tab(self, width: int = 1280, height: int = 800) -> Tab:
        """A tab with storage of its own, as another person's browser has."""
        context = self.call("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        target = self.call(
            "Target.createTarget", url="about:blank", browserContextId=context, width=width, height=height
        )
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable", session)
        return Tab(self, session, context, target["targetId"])


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of a browser, used as a hand would: by mouse and keyboard."""

    chromium: Chromium
    session: str
    context: str
    target: str

    def go(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        self.chromium.forget("Page.loadEventFired", self.session)
        self._call("Page.navigate", url=url)
        self.wait_for_load()

    def wait_for_load(self) -> None:
        """Wait for the load event that comes next, or that came after the last `expect_load`."""
        self.chromium.wait(
            lambda told: (told.get("method"), told.get("sessionId")) == ("Page.loadEventFired", self.session)
        )

    def expect_load(self) -> None:
        """From here on a load event counts for `wait_for_load`."""
        self.chromium.forget("Page.loadEventFired", self.session)

    def value_of(self, expression: str) -> Any:
        """What a script in the page answers; promises are awaited."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise ChromiumFailed(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def run_first(self, script: str) -> None:
        """Run `script` in every document before its own scripts."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def click(self, at: str) -> None:
        """Move the mouse to the middle of the element and press it."""
        place = self.value_of(f"({PLACE})({json.dumps(at)})")
        if place is None:
            raise ChromiumFailed(f"Nothing to click at {at!r}.")
        spot = {"x": place[0], "y": place[1]}
        self._call("Input.dispatchMouseEvent", type="mouseMoved", **spot)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)

    def focus(self, at: str) -> None:
        """Put the keyboard's focus there, and mark what stands in a field so that typing replaces it."""
        self.value_of(
            f"(() => {{ const place = ({FIND})({json.dumps(at)}); place.focus(); place.select?.(); }})()"
        )

    def type_text(self, text: str) -> None:
        """Type letter by letter."""
        for letter in text:
            self._call("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
            self._call("Input.dispatchKeyEvent", type="keyUp", key=letter)

    def press_tab(self) -> None:
        """Leave a field by the tabulator key."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def close(self) -> None:
        """Close it as a person does: the page is told, and what it still has to send goes out."""
        self.value_of("void 0")
        self.chromium.call("Target.closeTarget", targetId=self.target)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.chromium.call(method, self.session, **parameters)
