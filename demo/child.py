"""A program that the demo starts and ends: its lines are heard, and it never outlives the demo."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType


class ChildFailed(RuntimeError):
    """The program ended, or did not say what was waited for."""


@dataclass
class Child:
    """A running program; a context manager that ends it by SIGTERM, and by SIGKILL if that is not heard."""

    command: Sequence[str]
    patience: float = 10.0
    lines: queue.Queue[str] = field(default_factory=queue.Queue)
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Child:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C is for the demo, which then ends its children in order.
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # Enough to say what went wrong, and no more.
            self.said = [*self.said[-19:], line.rstrip()]
            self.lines.put(line)

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        """The first line from here on in which `pattern` is found."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                found = pattern.search(self.lines.get(timeout=0.1))
            except queue.Empty:
                if self.process.poll() is not None and self.lines.empty():
                    raise ChildFailed(
                        "\n".join(self.said) or f"It ended with {self.process.returncode}."
                    ) from None
                continue
            if found:
                return found
        raise ChildFailed(f"It was not ready within {seconds:.0f} s.\n" + "\n".join(self.said))
