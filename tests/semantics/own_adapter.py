"""Expost as an adapter: it answers the cases from their JSON alone (docs/conformance.md).

python -m tests.semantics.conformance run -- python -m tests.semantics.own_adapter
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from .cases import question_of, site_of, week_start_of
from .conformance import case_of, happening_of
from .engine import answer_of
from .figures import Figures, figures_of


def answer(given: Mapping[str, Any]) -> Figures:
    """Every figure."""
    case = case_of(given)
    story = [happening_of(event) for event in given["events"]]
    return figures_of(answer_of(story, question_of(case), site_of(case), week_start=week_start_of(case)))


def main() -> None:
    """Answer a case a line."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
