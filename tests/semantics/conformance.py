"""The conformance cases for other products: as JSON files, and asked of an adapter (docs/conformance.md).

python -m tests.semantics.conformance export DIR
python -m tests.semantics.conformance run [--kind funnel] [--show] -- COMMAND...
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from expost.clock import from_micros, to_micros
from expost.query.duration import format_duration, parse_duration

from .cases import Case, day_of, kind_of, now_of, read_cases
from .figures import differences, expected_of
from .happening import Happening, read_story
from .sentences import items_of

VERSION = 1
"""Of the JSON; a later one may say more and takes nothing away."""

AGREES, DIFFERS, UNANSWERED = "agrees", "differs", "not answered"
TIMES = ("at", "recorded")


@dataclass(frozen=True)
class Verdict:
    """What became of one case: `said` is the adapter's reason, or what is not as it should be."""

    name: str
    verdict: str
    said: Any = None


def exported(name: str, case: Case) -> dict[str, Any]:
    """A case as JSON: everything that a product needs to load, ask and compare."""
    kind = kind_of(case)
    return {
        "version": VERSION,
        "case": name,
        "rule": case["rule"],
        "events": [event_of(each) for each in read_story(case["events"])],
        "site": case.get("site", {}),
        "question": {
            "kind": kind,
            "now": now_of(case).isoformat(),
            **({"as_of": _utc(case["as_of"])} if "as_of" in case else {}),
            **({"versions": case["versions"]} if "versions" in case else {}),
            **case.get("says", {}),
            **_asked(case[kind]),
        },
        "expected": expected_of(case),
    }


def event_of(happening: Happening) -> dict[str, Any]:
    """An event as JSON; what is not said is null, false or empty."""
    said: dict[str, Any] = {}
    for each in fields(Happening):
        value = getattr(happening, each.name)
        if each.name in TIMES:
            said[each.name] = from_micros(value).isoformat(timespec="microseconds")
        elif each.name == "columns":
            said |= {name: column for name, column in value.items() if column not in (None, [], "{}")}
        elif value != (None if each.default is MISSING else each.default) and value != {}:
            said[each.name] = value
    return said


def happening_of(event: Mapping[str, Any]) -> Happening:
    """The event again."""
    named = {each.name for each in fields(Happening)}
    columns = {"marks": [], "properties": "{}"} | {key: event[key] for key in event if key not in named}
    given: dict[str, Any] = {"device": None, "user": None} | {
        key: event[key] for key in event if key in named
    }
    for name in TIMES:
        given[name] = to_micros(datetime.fromisoformat(given[name]))
    if "group" in given:
        given["group"] = tuple(given["group"])
    return Happening(**given, columns=columns)


def _asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A question with days as dates and lengths of time in seconds."""
    said = dict(asked)
    for side in ("from", "to"):
        if len(said.get(side, "")) == len("02"):
            said[side] = str(day_of(said[side]))
    return _lengths(said, lambda text: parse_duration(text) / timedelta(seconds=1))


def case_of(given: Mapping[str, Any]) -> Case:
    """What a case as JSON asks, as a case is written, with `events` as they are."""
    asked = dict(given["question"])
    says = {name: asked.pop(name) for name in ("bots", "internal", "environment") if name in asked}
    moments = {name: _without_zone(asked.pop(name)) for name in ("now", "as_of") if name in asked}
    versions = {"versions": asked.pop("versions")} if "versions" in asked else {}
    kind = asked.pop("kind")
    written = _lengths(asked, lambda seconds: format_duration(timedelta(seconds=seconds)))
    return {"rule": given["rule"], "site": given["site"], "says": says, kind: written} | moments | versions


def _lengths(asked: Mapping[str, Any], say: Callable[[Any], Any]) -> dict[str, Any]:
    """A question with its lengths of time said in another way; those of cohorts are words of an address."""
    said = dict(asked)
    if "steps" in said and "within" in said:
        said["within"] = say(said["within"])
    if "gap" in said:
        said["gap"] = say(said["gap"])
    if "windows" in said:
        said["windows"] = {number: say(length) for number, length in said["windows"].items()}
    return said


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()


def _without_zone(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None).isoformat()


def asked_of(command: Sequence[str], cases: Mapping[str, Case]) -> Iterator[Verdict]:
    """Ask an adapter, which reads a case a line and writes an answer a line, and compare."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as adapter:
        assert adapter.stdin is not None
        assert adapter.stdout is not None
        for name, case in cases.items():
            question = {key: each for key, each in exported(name, case).items() if key != "expected"}
            adapter.stdin.write(json.dumps(question) + "\n")
            adapter.stdin.flush()
            line = adapter.stdout.readline()
            if not line:
                raise SystemExit(f"The adapter ended before it answered {name}.")
            yield _judged(name, case, json.loads(line))
        adapter.stdin.close()


def _judged(name: str, case: Case, answer: Mapping[str, Any]) -> Verdict:
    if "unanswered" in answer:
        return Verdict(name, UNANSWERED, answer["unanswered"])
    # Notes are words of this product. A figure that an adapter does not say is not held against it, but for the first.
    asked = {key: value for key, value in case.items() if key not in ("notes", "because")}
    first = next(iter(expected_of(asked)))
    found = {key: each for key, each in differences(asked, answer).items() if key == first or key in answer}
    return Verdict(name, DIFFERS if found else AGREES, found or None)


def table_of(verdicts: Iterable[Verdict]) -> list[str]:
    """How many cases of each item of docs/rules.md agree, differ, are not answered."""
    counts: dict[str, Counter[str]] = {}
    whole: Counter[str] = Counter()
    for each in verdicts:
        whole[each.verdict] += 1
        for item in items_of(each.name):
            counts.setdefault(item, Counter())[each.verdict] += 1
    columns = (AGREES, DIFFERS, UNANSWERED)
    rows = [*sorted(counts.items()), ("all", whole)]
    return [
        f"| rule | {' | '.join(columns)} |",
        f"|---|{'---:|' * len(columns)}",
        *(f"| {item} | {' | '.join(str(found[each]) for each in columns)} |" for item, found in rows),
    ]


def export(folder: Path) -> int:
    """Write each case into a file of its own, and say how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = read_cases()
    for name, case in cases.items():
        text = json.dumps(exported(name, case), indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return len(cases)


def main(words: Sequence[str], out: IO[str] = sys.stdout) -> None:
    """What is said above."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("export", help="every case as a JSON file").add_argument("folder", type=Path)
    run = commands.add_parser("run", help="ask an adapter, and compare")
    run.add_argument("--kind", help="only questions of this kind, such as funnel")
    run.add_argument("--show", action="store_true", help="each case that differs or is not answered")
    run.add_argument("adapter", nargs="+", help="the command that answers")
    given = parser.parse_args(words)
    if given.command == "export":
        print(f"{export(given.folder)} cases in {given.folder}", file=out)
        return
    cases = read_cases()
    chosen = {name: case for name, case in cases.items() if given.kind in (None, kind_of(case))}
    verdicts = list(asked_of(given.adapter, chosen))
    for each in verdicts:
        if given.show and each.verdict != AGREES:
            print(f"{each.name} {each.verdict}: {cases[each.name]['rule']}\n    {each.said}", file=out)
    print("\n".join(table_of(verdicts)), file=out)


if __name__ == "__main__":
    main(sys.argv[1:])
