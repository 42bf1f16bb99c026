"""Files of tests go to workers so that browsers wait while others compute."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.distribution import FIRST_WITH_BROWSER, BrowsersBeside

COMPUTING = ("tests/lake/test_a.py", "tests/query/test_b.py", "tests/state/test_c.py")
DRIVING = (FIRST_WITH_BROWSER, "tests/browser/test_d.py", "tests/ui/test_e.py")


class Worker:
    """A worker that notes what it is given."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.given += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


def files_of(workers: int, files: tuple[str, ...], pace: tuple[int, ...]) -> list[list[str]]:
    """Which files each worker runs in which order, where worker n does `pace[n]` tests a round."""
    tests = [f"{file}::test_{number}" for file in files for number in range(4)]
    options = SimpleNamespace(loadscopereorder=False)
    config: Any = SimpleNamespace(getvalue=lambda name: ["popen"] * workers, option=options)
    scheduler: Any = BrowsersBeside(config)
    nodes = [Worker(f"gw{number}") for number in range(workers)]
    done = [0] * workers
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    while any(done[place] < len(node.given) for place, node in enumerate(nodes)):
        for place, node in enumerate(nodes):
            for index in node.given[done[place] :][: pace[place]]:
                scheduler.mark_test_complete(node, index)
                done[place] += 1
    assert all(node.shutting_down for node in nodes)
    return [list(dict.fromkeys(tests[index].split("::")[0] for index in node.given)) for node in nodes]


@pytest.mark.parametrize("pace", [(1, 1), (5, 1), (1, 5)], ids=["even", "first is fast", "second is fast"])
def test_every_file_runs_once_and_nobody_goes_back_from_a_browser(pace: tuple[int, int]):
    first, second = files_of(2, COMPUTING + DRIVING, pace)
    assert sorted(first + second) == sorted(COMPUTING + DRIVING)
    assert second[0] == FIRST_WITH_BROWSER
    assert set(second) <= set(DRIVING)
    assert first[: len(COMPUTING)] == list(COMPUTING)


@pytest.mark.parametrize("files", [COMPUTING, DRIVING, DRIVING[1:]], ids=["none", "all", "without the mark"])
def test_of_one_kind_everybody_gets_some(files: tuple[str, ...]):
    runs = files_of(2, files, (1, 1))
    assert sorted(file for run in runs for file in run) == sorted(files)
    if files != COMPUTING:
        assert all(runs)


def test_one_worker_runs_all_of_them_in_order():
    assert files_of(1, COMPUTING + DRIVING, (1,)) == [[*COMPUTING, *DRIVING]]
