"""Answers on a terminal: one table each, its notes below. In a pipe the command line prints JSON instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from expost.query.answer import Answer
from expost.query.cohort_size import CohortAnswer
from expost.query.difference import DifferenceAnswer
from expost.query.explanation import CountsOf, ExplanationAnswer
from expost.query.flag_list import FlagsAnswer
from expost.query.funnel import FunnelAnswer, FunnelStep
from expost.query.lifecycle import LifecycleAnswer
from expost.query.live import LiveAnswer, LiveEvent
from expost.query.losses import LossesAnswer, Tally
from expost.query.paths import PathsAnswer
from expost.query.person import PeopleAnswer
from expost.query.preview import PreviewAnswer, SampleElement
from expost.query.rejected import RejectedAnswer
from expost.query.retention import Cohort, PooledPeriod, Retention, RetentionAnswer
from expost.query.sandbox import RowsAnswer
from expost.query.stickiness import StickinessAnswer
from expost.query.suggested import SuggestionsAnswer
from expost.query.trend import TrendAnswer
from expost.query.unnamed import UnnamedAnswer

BAR_WIDTH = 24
SHORTEST = 10
"""Columns that words keep however narrow the terminal is."""
WIDE_ENOUGH = 100
"""Columns of a terminal from which on a funnel has bars: in a narrower one they would take the room of its names."""
NUMBER, WORD = "right", "left"


def terminal_console() -> Console:
    """Standard output, with nothing coloured but what we say: rich would colour every number it finds."""
    return Console(highlight=False, soft_wrap=True)


def show(console: Console, answer: Answer) -> None:
    """Print an answer and what a reader must know about it."""
    shown = SHOWN.get(type(answer))
    if shown is None:
        console.print_json(data=answer.to_json())
    else:
        shown(console, answer)
    _show_basis(console, answer)


def table(
    console: Console, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], title: str = ""
) -> None:
    """Print rows under (name, "left" or "right") columns; text from the data is never read as markup."""
    drawn = Table(
        title=escape(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        padding=(0, 2, 0, 0),
    )
    cells = [[cell(value) for value in row] for row in rows]
    for place, (name, side) in enumerate(columns):
        is_number = side == NUMBER
        # Words may break into lines; a number that is cut short would be another number.
        longest = max(map(len, [name, *(row[place] for row in cells)]))
        least = longest if is_number else min(longest, SHORTEST)
        justify: Literal["right", "left"] = "right" if is_number else "left"
        drawn.add_column(name, justify=justify, no_wrap=is_number, min_width=least, overflow="fold")
    for row in cells:
        drawn.add_row(*map(escape, row))
    console.print(drawn)


def cell(value: Any) -> str:
    """A value as a table shows it: grouped integers, minutes for times, `–` for nothing, no control characters.

    >>> cell(1234567), cell(None), cell("a\\x1b[31mb")
    ('1,234,567', '–', 'a�[31mb')
    """
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            # A captured text with an escape sequence must not colour, move or clear the reader's terminal.
            return "".join(c if c.isprintable() else "�" for c in str(value))


def percent(share: float | None) -> str:
    """A share between 0 and 1 with one decimal.

    >>> percent(0.1234), percent(None)
    ('12.3 %', '–')
    """
    return "–" if share is None else f"{share * 100:.1f} %"


def duration(milliseconds: float | None) -> str:
    """A length of time in its two largest units.

    >>> duration(93_784_000), duration(1_500), duration(None)
    ('1 d 2 h', '1.5 s', '–')
    """
    if milliseconds is None:
        return "–"
    seconds = milliseconds / 1_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    for size, name, smaller, smaller_name in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{int(whole)} {name} {int(rest // smaller)} {smaller_name}"
    raise AssertionError(seconds)


def _group_name(kind: str, value: str | None) -> str:
    return value if kind in ("variation", "value") and value is not None else kind


def _show_difference(console: Console, answer: DifferenceAnswer) -> None:
    versions = [(answer.old, answer.old_meaning), (answer.new, answer.new_meaning)]
    table(console, [("version in effect", NUMBER), ("meaning", WORD)], versions, title=answer.name)
    console.print()
    said = {
        "only_old": f"only {answer.old}",
        "only_new": f"only {answer.new}",
        "both": "both",
        "unknown": "unknown",
    }
    table(
        console,
        [("matched by", WORD), ("events", NUMBER), ("people", NUMBER)],
        [(said[each.side], each.events, each.people) for each in answer.sides],
    )
    if answer.samples:
        console.print()
        columns = [(name, WORD) for name in ("matched by", "time", "type", "what", "page", "element")]
        rows = [
            (said[each.side], each.time, each.type, each.said, each.path, each.chain)
            for each in answer.samples
        ]
        table(console, columns, rows)


def show_parts(console: Console, parts: Iterable[PreviewAnswer]) -> None:
    """Print a preview as it comes: the count first."""
    for part in parts:
        if not part.is_whole:
            _show_count(console, part)
        else:
            _show_rest(console, part)
            _show_basis(console, part)


def _show_preview(console: Console, answer: PreviewAnswer) -> None:
    _show_count(console, answer)
    _show_rest(console, answer)


def _show_count(console: Console, answer: PreviewAnswer) -> None:
    share = f" ({percent(answer.unknown_share)})" if answer.unknown else ""
    rows = [
        ("events", answer.events),
        ("people", answer.people),
        ("unknown", f"{answer.unknown:,}{share}"),
        ("first seen", answer.first_seen),
        ("last seen", answer.last_seen),
        (f"the last {len(answer.days)} days", sparkline([day.events for day in answer.days])),
    ]
    table(console, [(answer.name, WORD), ("", NUMBER)], rows)
    for reason in answer.unknown_reasons:
        console.print(f"unknown: {escape(cell(reason.says))} ({reason.events:,})", style="dim")


def sparkline(values: Sequence[int], most: int = 45) -> str:
    """A row of bars, neighbours drawn together until there are at most so many; the lowest is for nothing at all.

    >>> sparkline([0, 1, 5, 9])
    '▁▂▅█'
    """
    together = -(-len(values) // most)
    sums = [sum(values[place : place + together]) for place in range(0, len(values), together)]
    greatest = max(sums, default=0)
    return "".join("▁▂▃▄▅▆▇█"[-(-each * 7 // greatest) if greatest else 0] for each in sums)


def _show_rest(console: Console, answer: PreviewAnswer) -> None:
    for name, found, distinct in (
        ("text", answer.texts, answer.distinct_texts),
        ("page", answer.pages, answer.distinct_pages),
    ):
        if found:
            console.print()
            table(
                console,
                [(f"{name} ({distinct:,} distinct)", WORD), ("events", NUMBER)],
                [(c.value, c.events) for c in found],
            )
    if answer.samples:
        console.print()
        rows_of_samples = [(_chain_text(sample), sample.events) for sample in answer.samples]
        table(console, [("element, what matched in brackets", WORD), ("events", NUMBER)], rows_of_samples)
    if answer.overlaps:
        console.print()
        columns = [
            ("also matches", WORD),
            ("events of both", NUMBER),
            ("of these", NUMBER),
            ("of its own", NUMBER),
        ]
        shared = [
            (each.name, each.events, percent(each.share), percent(each.share_of_other))
            for each in answer.overlaps
        ]
        table(console, columns, shared)


def _chain_text(sample: SampleElement) -> str:
    names = (
        f"[{level.descriptor}]" if level.is_match else level.descriptor for level in reversed(sample.chain)
    )
    return " › ".join(names)


def _show_funnel(console: Console, answer: FunnelAnswer) -> None:
    columns = [("step", WORD), ("people", NUMBER), ("of all", NUMBER), ("of previous", NUMBER),
               ("window over", NUMBER), ("median time", NUMBER)]  # fmt: skip
    if console.width >= WIDE_ENOUGH:
        columns.append(("", WORD))
    groups = [("Everyone" if answer.groups else "", answer.steps)]
    groups += [(_group_name(group.kind, group.value), group.steps) for group in answer.groups]
    for place, (title, steps) in enumerate(groups):
        if place:
            console.print()
        table(console, columns, [_funnel_row(step)[: len(columns)] for step in steps], title)
    if answer.incomplete_people:
        console.print(
            f"\n{answer.incomplete_people:,} people entered so lately that their window is not over; "
            "the column 'window over' leaves them out."
        )
    _show_several(console, answer.several_variations)
    if answer.periods:
        console.print()
        _show_periods(console, answer)
    if answer.compared is not None:
        asked = answer.compared.question
        console.print(f"\nThe period before, from {asked.start} until {asked.end}:\n")
        _show_funnel(console, answer.compared)


def _show_periods(console: Console, answer: FunnelAnswer) -> None:
    columns = [("entered", WORD), *((step.name, NUMBER) for step in answer.steps)]
    if answer.groups:
        columns.insert(0, ("group", WORD))
    rows = []
    for each in answer.periods:
        name = "Everyone" if each.kind == "total" else _group_name(each.kind, each.value)
        rows.append([*([name] if answer.groups else []), each.start, *each.people])
    table(console, columns, rows)


def _funnel_row(step: FunnelStep) -> tuple[Any, ...]:
    bar = "█" * round((step.share or 0) * BAR_WIDTH)
    return (step.name, step.people, percent(step.share), percent(step.share_of_previous),
            percent(step.complete_share), duration(step.median_ms), bar)  # fmt: skip


def _show_retention(console: Console, answer: RetentionAnswer) -> None:
    assert isinstance(answer.question, Retention)
    _show_cohorts(console, answer.period, answer.cohorts, answer.pooled, "Everyone" if answer.groups else "")
    for group in answer.groups:
        console.print()
        _show_cohorts(
            console, answer.period, group.cohorts, group.pooled, _group_name(group.kind, group.value)
        )
    console.print(f"\n* {_unfinished(answer.question)}")
    _show_several(console, answer.several_variations)


def _unfinished(question: Retention) -> str:
    """What a cell is that is not complete."""
    if question.mode == "on_or_after":
        return "counted as observed until now: it can still grow."
    if question.rolling:
        return "not everybody's period is over; those alone count for whom it is."
    return "this period is not over, and is left out of 'all'."


def _show_cohorts(
    console: Console, period: str, cohorts: Sequence[Cohort], pooled: Sequence[PooledPeriod], title: str
) -> None:
    width = max((len(cohort.periods) for cohort in cohorts), default=len(pooled))
    longest = max((cohort.periods for cohort in cohorts), key=len, default=())
    heads = [
        str(each.period) if each.last == each.period else f"{each.period}–{each.last}" for each in longest
    ]
    heads = heads or [str(each.period) for each in pooled]
    columns = [(f"{period} of", WORD), ("people", NUMBER), *((head, NUMBER) for head in heads)]
    rows: list[list[Any]] = []
    for cohort in cohorts:
        cells = [f"{each.people:,}{'' if each.complete else '*'}" for each in cohort.periods]
        rows.append([cohort.start, cohort.size, *cells, *[""] * (width - len(cells))])
    shares = [percent(each.share) for each in pooled][:width]
    if pooled:
        rows.append(["all", sum(cohort.size for cohort in cohorts), *shares, *[""] * (width - len(shares))])
    table(console, columns, rows, title)


def _show_trend(console: Console, answer: TrendAnswer) -> None:
    columns = [(answer.period, WORD), ("events", NUMBER), ("people", NUMBER)]
    has_measure = answer.measure not in ("events", "people")
    if has_measure:
        columns.append((answer.measure, NUMBER))
    groups = [("Everyone" if answer.groups else "", answer.points)]
    groups += [(_group_name(group.kind, group.value), group.points) for group in answer.groups]
    for place, (title, points) in enumerate(groups):
        if place:
            console.print()
        rows = [(f"{point.start:%Y-%m-%d}" + (f" {point.start:%H:%M}" if answer.period == "hour" else ""),
                 point.events, point.people, *([point.value] if has_measure else [])) for point in points]  # fmt: skip
        table(console, columns, rows, title)
    console.print(f"\n{answer.events:,} events by {answer.people:,} people.")
    if has_measure:
        console.print(f"Over the whole range: {escape(cell(answer.measure))} is {cell(answer.value)}.")
    _show_several(console, answer.several_variations)
    if answer.compared is not None:
        asked = answer.compared.question
        console.print(f"\nThe period before, from {asked.start} until {asked.end}:\n")
        _show_trend(console, answer.compared)


def _show_several(console: Console, share: float | None) -> None:
    if share:
        console.print(f"{percent(share)} of the exposed people saw several variations.")


def _show_rejected(console: Console, answer: RejectedAnswer) -> None:
    if not answer.total:
        console.print("Nothing was rejected in the last seven days.")
        return
    columns = [("kind of reason", WORD), ("how many", NUMBER), ("latest", WORD)]
    table(console, columns, [(each.kind, each.count, _minute(each.latest_at)) for each in answer.kinds])
    console.print()
    columns = [("arrived", WORD), ("reason", WORD), ("what it was", WORD)]
    rows = [(_minute(each.received_at), each.reason, each.content[:200]) for each in answer.lines]
    table(console, columns, rows)


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "unknown"


def _show_stickiness(console: Console, answer: StickinessAnswer) -> None:
    groups = [("Everyone" if answer.groups else "", answer.people)]
    groups += [(_group_name(each.kind, each.value), each.people) for each in answer.groups]
    columns = [(f"{answer.period}s", NUMBER), ("people", NUMBER), ("of all", NUMBER), ("at least", NUMBER)]
    for place, (title, people) in enumerate(groups):
        if place:
            console.print()
        everyone = sum(people)
        shares = [percent(each / everyone if everyone else None) for each in people]
        rows = [
            (number, each, shares[number - 1], sum(people[number - 1 :]))
            for number, each in enumerate(people, 1)
        ]
        table(console, columns, rows, title)
    if answer.periods is not None:
        console.print(f"\nThe range has {answer.periods:,} {answer.period}s so far.")


def _show_lifecycle(console: Console, answer: LifecycleAnswer) -> None:
    columns = [
        (f"{answer.period} of", WORD),
        *((name, NUMBER) for name in ("new", "returning", "resurrecting", "dormant")),
    ]
    rows = [
        (
            each.start,
            each.new,
            each.returning,
            each.resurrecting,
            f"{each.dormant:,}{'' if each.complete else '*'}",
        )
        for each in answer.periods
    ]
    table(console, columns, rows)
    console.print("\n* this period is not over: the dormant may still come.")


def _show_paths(console: Console, answer: PathsAnswer) -> None:
    columns = [
        ("step", NUMBER),
        ("from", WORD),
        ("to", WORD),
        ("sessions", NUMBER),
        ("of all", NUMBER),
        ("people", NUMBER),
    ]
    ends = {
        "end": "(ended)" if answer.direction == "after" else "(began)",
        "other": "(other)",
        "other ends": "(other ends)",
    }
    rows = [
        (
            edge.step,
            answer.anchor if edge.step == 1 and edge.kind in ("step", "end") else edge.source,
            ends.get(edge.kind, edge.target),
            edge.sessions,
            percent(edge.sessions / answer.sessions),
            edge.people,
        )
        for edge in answer.edges
    ]
    table(console, columns, rows)
    console.print(
        f"\n{answer.sessions:,} sessions of {answer.people:,} people have {escape(cell(answer.anchor))}."
    )


def _show_people(console: Console, answer: PeopleAnswer) -> None:
    columns = [("who", WORD), ("person_id", WORD), ("events that decided", WORD)]
    rows = [
        (each.name, each.person_id, ", ".join(f"{event.step} {cell(event.time)}" for event in each.events))
        for each in answer.people
    ]
    table(console, columns, rows)
    console.print(f"\n{answer.total:,} in all; {len(answer.people):,} are shown.")


def _show_explanation(console: Console, answer: ExplanationAnswer) -> None:
    columns = [
        ("rule", WORD),
        ("if it were", WORD),
        ("group", WORD),
        *((name, NUMBER) for name in answer.columns),
    ]
    rows = [
        (rule, setting, _group_name(group.kind, group.value), *_with_difference(group))
        for rule, setting, groups in (
            ("in force", "", answer.groups),
            *((each.rule, each.setting, each.groups) for each in answer.others),
        )
        for group in groups
    ]
    table(console, columns, rows)
    console.print()
    for rule, says in answer.in_force.items():
        console.print(f"{rule}: {says}")
    if answer.tied_events:
        console.print(
            f"{answer.tied_events:,} events of {answer.tied_people:,} share their moment with another one of theirs."
        )


def _with_difference(group: CountsOf) -> list[str]:
    differences = group.difference or (0,) * len(group.people)
    return [f"{n:,} ({by:+,})" if by else f"{n:,}" for n, by in zip(group.people, differences, strict=True)]


def _show_cohort(console: Console, answer: CohortAnswer) -> None:
    version = "" if answer.version is None else f" (version {answer.version})"
    console.print(f"{escape(cell(answer.name))}{version}: {escape(cell(answer.meaning))}")
    console.print(f"{answer.people:,} of {answer.everyone:,} people.")


def _show_losses(console: Console, answer: LossesAnswer) -> None:
    columns = [(answer.by, WORD), ("sent", NUMBER), ("here", NUMBER), ("missing", NUMBER), ("of sent", NUMBER),
               ("pages", NUMBER), ("all missing", NUMBER), ("known", WORD)]  # fmt: skip
    if not answer.total.pages:
        console.print("No page has been numbered: none is here that the snippet sent.")
        return
    table(console, columns, [_losses_row(each) for each in answer.groups])
    more = answer.distinct - len(answer.groups)
    if answer.by != "day" and more > 0:
        console.print(f"and {more:,} more, which miss no more than the last of these")
    console.print(f"\n{losses_in_words(answer.total)}")


def _losses_row(tally: Tally) -> tuple[Any, ...]:
    name = tally.value or "pages of which nothing arrived"
    known = "exact" if tally.is_exact else "at least"
    return (name, tally.expected, tally.received, tally.missing, percent(tally.share), tally.pages,
            tally.missing_pages, known)  # fmt: skip


def losses_in_words(total: Tally) -> str:
    """What is missing, in one sentence.

    >>> losses_in_words(Tally(None, 200, 199, 1, 10, 0, 9))
    'At least 1 of 200 events (0.5 %) never arrived; 9 of 10 pages are known exactly.'
    """
    missing = f"{total.missing:,}" if total.is_exact else f"At least {total.missing:,}"
    known = "all" if total.is_exact else f"{total.exact_pages:,} of {total.pages:,}"
    events = f"{total.expected:,} events ({percent(total.share)})"
    return f"{missing} of {events} never arrived; {known} pages are known exactly."


def _show_suggestions(console: Console, answer: SuggestionsAnswer) -> None:
    console.print(escape(cell(f"{answer.element}: {answer.events:,} events in 90 days")))
    console.print()
    table(
        console,
        [("selector", WORD), ("text", WORD), ("score", NUMBER), ("why", WORD)],
        [(each.selector, each.text, each.score, each.reason) for each in answer.suggestions],
    )
    for each in answer.avoided:
        console.print(escape(cell(f"Avoided: {each.token} {each.why}.")))


def _show_unnamed(console: Console, answer: UnnamedAnswer) -> None:
    if not answer.groups:
        console.print("Every interaction that is counted has a name.")
        return
    table(
        console,
        [("people", NUMBER), ("events", NUMBER), ("last seen", NUMBER), ("name", WORD), ("on", WORD), ("text", WORD)],
        [(each.people, each.events, each.last_seen, each.name, f"{each.kind} {each.selector}", each.text)
         for each in answer.groups],
    )  # fmt: skip
    if answer.more:
        console.print(f"and {answer.more:,} more, each of no more people than the last of these")
    console.print(f"\n{answer.events:,} events of {answer.people:,} people have no name.")
    if answer.unknown:
        console.print(
            f"{answer.unknown:,} of them a definition might match: what would decide was cut, masked or never kept."
        )


def _show_flags(console: Console, answer: FlagsAnswer) -> None:
    columns = [
        ("flag", WORD),
        ("variation", WORD),
        ("people", NUMBER),
        ("exposures", NUMBER),
        ("last seen", NUMBER),
    ]
    rows = [
        (flag.key, variation.value, variation.people, variation.exposures, variation.last_seen)
        for flag in answer.flags
        for variation in flag.variations
    ]
    if rows:
        table(console, columns, rows)
    elif answer.basis.left_out:
        console.print("No exposure is counted.")
    else:
        console.print(
            "No exposure has arrived. Report one with: expost('exposure', {flag: 'KEY', variation: 'NAME'})"
        )


def _show_live(console: Console, answer: LiveAnswer) -> None:
    columns = [("time", WORD), ("event", WORD), ("label", WORD), ("path", WORD), ("who", WORD)]
    rows = [
        (event.time, event.name or event.type, event.label, event.path, _live_person(event))
        for event in answer.events
    ]
    table(console, columns, rows)


def _live_person(event: LiveEvent) -> str:
    return (event.who or "nobody") + (" (bot)" if event.is_bot else "")


def _show_rows(console: Console, answer: RowsAnswer) -> None:
    numeric = [
        all(isinstance(row[place], int | float | None) for row in answer.values)
        for place in range(len(answer.columns))
    ]
    columns = [
        (name, NUMBER if is_number else WORD) for name, is_number in zip(answer.columns, numeric, strict=True)
    ]
    # As they are: some of these numbers are ids, which somebody copies into the next query.
    whole = [[str(value) if type(value) is int else value for value in row] for row in answer.values]
    table(console, columns, whole)
    console.print(
        f"\n{len(answer.values):,} rows{', cut there: ask for fewer or raise --limit' if answer.is_cut else ''}."
    )


def _show_basis(console: Console, answer: Answer) -> None:
    for definition in answer.basis.definitions:
        if definition.unknown:
            console.print(
                f"{definition.unknown:,} more events might match {escape(cell(definition.name))}: "
                "what would decide was cut, masked or never kept."
            )
    for left_out in answer.basis.left_out:
        if left_out.events:
            because = f", because {left_out.because}" if left_out.because else ""
            console.print(
                f"Left out: {left_out.events:,} events ({percent(left_out.share)}) · "
                f"{left_out.reason}{escape(cell(because))}."
            )
    for note in answer.notes:
        console.print(escape(cell(note)), style="dim")


SHOWN: dict[type[Answer], Callable[[Console, Any], None]] = {
    DifferenceAnswer: _show_difference,
    PreviewAnswer: _show_preview,
    FunnelAnswer: _show_funnel,
    RetentionAnswer: _show_retention,
    TrendAnswer: _show_trend,
    CohortAnswer: _show_cohort,
    PeopleAnswer: _show_people,
    ExplanationAnswer: _show_explanation,
    PathsAnswer: _show_paths,
    StickinessAnswer: _show_stickiness,
    LifecycleAnswer: _show_lifecycle,
    LossesAnswer: _show_losses,
    RejectedAnswer: _show_rejected,
    SuggestionsAnswer: _show_suggestions,
    UnnamedAnswer: _show_unnamed,
    FlagsAnswer: _show_flags,
    LiveAnswer: _show_live,
    RowsAnswer: _show_rows,
}
