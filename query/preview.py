"""The past of a definition, before or after it is saved."""

from __future__ import annotations

from datetime import date, timedelta

from .answer import Counted, Day, PreviewAnswer, SampleElement
from .chain import chains, with_subject
from .question import Preview
from .reading import Reading, at, match

LISTED = 20
COLUMNS = ("element_id", "placement_id", "label", "text", "path")
UNKNOWN_RULE = (
    "Unknown events might match: a value that the definition needs was cut, masked or not captured. "
    "Numbers count only events that surely match."
)


def preview(reading: Reading, question: Preview) -> PreviewAnswer:
    """Counts, people, unknown, first and last, days, texts, pages and sample elements."""
    definition = reading.definition(question.definition)
    bounds = (reading.start, reading.end) if reading.has_range else None
    matched = match(reading, [definition], keep=COLUMNS, bounds=bounds, has_positions=False)
    today = reading.calendar.day(reading.now)
    first_day = today - timedelta(days=question.days - 1)
    rows = reading.run("preview.sql", {"first_day": first_day, "texts": LISTED})
    facts = {fact: [row[1:] for row in rows if row[0] == fact] for fact in ("all", "day", "text", "page")}
    [(_, events, people, first, last)] = facts["all"]
    per_day = {date.fromisoformat(day): count for day, count, *_ in facts["day"]}
    shown = max([today, *per_day])
    texts = sorted((Counted(*row[:2]) for row in facts["text"]), key=lambda each: (-each.events, each.value))
    pages = sorted((Counted(*row[:2]) for row in facts["page"]), key=lambda each: (-each.events, each.value))
    samples = reading.run("samples.sql", {"samples": question.samples} | dict(matched.compiled[0].parameters),
                          matches=matched.compiled[0])  # fmt: skip
    by_placement = chains(reading, "samples")
    unknown = matched.definitions[0].unknown
    return PreviewAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=matched.left_out,
            notes=[*matched.notes, *([UNKNOWN_RULE] if unknown else [])],
        ),
        name=definition.name,
        events=events,
        people=people,
        unknown=unknown,
        first_seen=at(first),
        last_seen=at(last),
        days=tuple(
            Day(day, per_day.get(day, 0))
            for day in (first_day + timedelta(days=past) for past in range((shown - first_day).days + 1))
        ),
        texts=tuple(texts),
        pages=tuple(pages),
        distinct_texts=facts["text"][0][2] if facts["text"] else 0,
        distinct_pages=facts["page"][0][2] if facts["page"] else 0,
        samples=tuple(
            SampleElement(str(element), count, with_subject(by_placement.get(placement, ()), distance))
            for element, placement, count, distance in samples
        ),
    )
