"""An adapter as an example: funnels by ClickHouse's `windowFunnel`, as its manual shows it (docs/conformance.md).

    python -m tests.semantics.conformance run --kind funnel -- python -m tests.semantics.window_funnel [MODE]

MODE is one of windowFunnel's, such as strict_increase; without one it is as it is by default.
"""

from __future__ import annotations

import fnmatch
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import chdb

Case = Mapping[str, Any]
Happened = tuple[str, int, dict[str, Any]]
"""Who, when and what."""

NOT_THERE = (
    "windows",
    "optional",
    "between",
    "ends",
    "removes",
    "several",
    "exposures_from",
    "split",
    "as_of",
    "cohort",
    "compare",
)
"""Words of a question for which windowFunnel has none."""


def answer(case: Case, mode: str) -> dict[str, Any]:
    """People per step, of all and by variation; or why the question cannot be put like this."""
    question = case["question"]
    missing = [word for word in NOT_THERE if word in question]
    if question["kind"] != "funnel" or missing or question.get("order") == "any":
        return {"unanswered": f"no {' or '.join(missing) or question.get('order') or question['kind']}"}
    if question.get("unit", "person") not in ("person", "device"):
        return {"unanswered": f"no unit {question['unit']}"}
    if any(event["type"] in ("merge", "undo") for event in case["events"]):
        return {"unanswered": "no merges"}
    order = "strict_order" if question.get("order") == "strict" else mode
    rows = list(rows_of(case))
    groups = {"total": rows}
    if "by" in question:
        groups |= by_variation(case, rows)
    return {
        "expect": {
            group: levels(each, question, order) for group, each in groups.items() if each or group == "total"
        }
    }


def rows_of(case: Case) -> Iterator[Happened]:
    """The events that count. Who is the user they name, else the first one of the device, else the device."""
    site, question = case["site"], case["question"]
    named = question.get("environment", site.get("environments", ["production"]))
    environments = [named] if isinstance(named, str) else named
    users: dict[str | None, str] = {}
    for event in sorted(case["events"], key=lambda each: each["at"]):
        if event.get("user"):
            users.setdefault(event.get("device"), event["user"])
    for event in case["events"]:
        is_other = (
            environments
            and "all" not in environments
            and event.get("environment", "production") not in environments
        )
        is_bot = event.get("is_bot") and not question.get("bots", site.get("count_bots", False))
        is_internal = event.get("is_internal") and not question.get(
            "internal", site.get("count_internal", False)
        )
        device = event.get("device")
        who = device if question.get("unit") == "device" else event.get("user") or users.get(device, device)
        if who is not None and not (is_other or is_bot or is_internal):
            yield who, micros(event["at"]), event


def by_variation(case: Case, rows: Sequence[Happened]) -> dict[str, list[Happened]]:
    """The events of each from the first exposure on, by its variation; of all others all."""
    exposed: dict[str, tuple[int, str]] = {}
    for who, at, event in sorted(rows, key=lambda row: row[1]):
        if event["type"] == "exposure" and event.get("flag") == case["question"]["by"]:
            exposed.setdefault(who, (at, event.get("variation", "")))
    groups: dict[str, list[Happened]] = {}
    for row in rows:
        since = exposed.get(row[0])
        if since is None:
            groups.setdefault("not exposed", []).append(row)
        elif row[1] >= since[0]:
            groups.setdefault(f"variation {since[1]}", []).append(row)
    return {
        group: found
        for group, found in groups.items()
        if any(does(case["question"]["steps"][0], event) for _, _, event in found)
    }


def levels(rows: Sequence[Happened], question: Mapping[str, Any], mode: str) -> list[int]:
    """How many reached each step."""
    steps, within = question["steps"], round(question["within"] * 1_000_000)
    low, high = (
        micros(f"{question[side]}T00:00+00:00") if side in question else None for side in ("from", "to")
    )
    values = [
        f"('{who}', {at}, {', '.join('1' if does(step, event) else '0' for step in steps)})"
        for who, at, event in rows
        if (low is None or at >= low)
        and (high is None or at < high)
        and any(does(step, event) for step in steps)
    ]
    if not values:
        return [0] * len(steps)
    columns = ", ".join(f"step_{number} UInt8" for number in range(1, len(steps) + 1))
    named = ", ".join(f"step_{number}" for number in range(1, len(steps) + 1))
    reached = ", ".join(f"countIf(level >= {number})" for number in range(1, len(steps) + 1))
    said = f"{within}, '{mode}'" if mode else f"{within}"
    found = chdb.query(
        f"select {reached} from (select who, windowFunnel({said})(at, {named}) as level "
        f"from values('who String, at UInt64, {columns}', {', '.join(values)}) group by who)",
        "JSONCompactEachRow",
    )
    return list(json.loads(str(found)))


def does(step: str, event: Mapping[str, Any]) -> bool:
    """Whether an event is one of a step: a name, `view:GLOB` or `type:NAME`."""
    kind, colon, rest = step.partition(":")
    if not colon:
        return event["type"] == "custom" and event.get("name") == step
    if kind == "type":
        return bool(event["type"] == rest)
    return event["type"] == "page_view" and fnmatch.fnmatchcase(
        event.get("path", ""), rest.replace("**", "*")
    )


def micros(text: str) -> int:
    """Microseconds since 1970."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def main() -> None:
    """Answer a case a line."""
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), mode)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
