"""What arrives and what does not, on a terminal: live events, flags, losses, rejected."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from expost.query.flag_list import FlagsAnswer
from expost.query.live import LiveAnswer, LiveEvent
from expost.query.losses import LossesAnswer, Tally
from expost.query.rejected import RejectedAnswer
from expost.table import NUMBER, WORD, minute, percent, table


def show_rejected(console: Console, answer: RejectedAnswer) -> None:
    """Print what was set aside."""
    if not answer.total:
        console.print("Nothing was rejected in the last seven days.")
        return
    columns = [("kind of reason", WORD), ("how many", NUMBER), ("latest", WORD)]
    table(console, columns, [(each.kind, each.count, minute(each.latest_at)) for each in answer.kinds])
    console.print()
    columns = [("arrived", WORD), ("reason", WORD), ("what it was", WORD)]
    rows = [(minute(each.received_at), each.reason, each.content[:200]) for each in answer.lines]
    table(console, columns, rows)


def show_losses(console: Console, answer: LossesAnswer) -> None:
    """Print what never arrived."""
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


def show_flags(console: Console, answer: FlagsAnswer) -> None:
    """Print the flags that exposures name."""
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


def show_live(console: Console, answer: LiveAnswer) -> None:
    """Print the latest events."""
    columns = [("time", WORD), ("event", WORD), ("label", WORD), ("path", WORD), ("who", WORD)]
    rows = [
        (event.time, event.name or event.type, event.label, event.path, _live_person(event))
        for event in answer.events
    ]
    table(console, columns, rows)


def _live_person(event: LiveEvent) -> str:
    return (event.who or "nobody") + (" (bot)" if event.is_bot else "")
