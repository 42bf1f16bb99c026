"""Which worker gets which file of tests when several run them: files that drive a browser beside those that compute."""

from __future__ import annotations

from functools import cached_property

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FIRST_WITH_BROWSER = "tests/browser/test_chromium.py"
"""Its place in the collection tells the process that distributes, which knows names of tests alone, where those begin
that drive a browser: see `pytest_collection_modifyitems`."""

LONG = (
    "test_selectors_in_chromium",
    "test_snippet_hostile",
    "test_more_clicks",
    "test_snippet_privacy",
    "test_main_job",
    "test_losses",
    "test_definer",
    "test_demonstration",
    "test_suggestions_outlast",
    "test_definer_pages",
)
"""Files with a browser that take longest (`--durations` says so): begun last they would leave the others idle."""


def browser_order(stem: str) -> int:
    """Where a file that drives a browser stands among such files."""
    if FIRST_WITH_BROWSER.endswith(f"/{stem}.py"):
        return -1
    return LONG.index(stem) if stem in LONG else len(LONG)


class BrowsersBeside(LoadFileScheduling):  # type: ignore[misc]
    """Every other worker begins with the files that drive a browser, and keeps to them.

    Those mostly wait for timers of the snippet, and what the others compute fills the time. The others go on to
    browsers when nothing else is left. Nobody goes back: see `pytest_collection_modifyitems`.
    """

    @cached_property
    def _with_browser(self) -> set[str]:
        """The files from the mark on; none where it is not among what was asked for."""
        files = list(dict.fromkeys(map(self._split_scope, self.collection or ())))
        return set(files[files.index(FIRST_WITH_BROWSER) :]) if FIRST_WITH_BROWSER in files else set()

    def _bring_forward(self, node: WorkerController) -> bool:
        """Puts what the worker takes next at the head of the queue; whether there is something for it."""
        if not self.workqueue:
            return False
        drives = self._with_browser
        keeps_to_browsers = bool(drives) and int(node.gateway.id.removeprefix("gw")) % 2 == 1
        fitting = [file for file in self.workqueue if file in drives or not keeps_to_browsers]
        if fitting:
            self.workqueue.move_to_end(min(fitting, key=lambda file: file in drives), last=False)
        return bool(fitting)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._bring_forward(node):
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._bring_forward(node):
            super()._reschedule(node)
        elif not node.shutting_down:
            node.shutdown()
