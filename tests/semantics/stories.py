"""Random stories: full of ties, shared devices, daily ids, groups, traits and several variations."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.semantics.happening import Happening, moment, read_story

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
WHATS = (
    "A",
    "B",
    "C",
    "view:/a",
    "view:/b",
    "exposure:f=red",
    "exposure:f=blue",
    "identify:u1",
    "identify:u2",
    "group:company=g1",
    "group:company=g2",
)
SERVER_WHATS = (*WHATS[:7], *WHATS[9:])
USERS = ("u1", "u2", "u3", "u4")
STEPS = ("A", "B", "C", "view:/a", "view:/**", "type:custom")
# Around the day on which Berlin's clocks went forward.
FIRST = moment("2026-03-28T20:00")
MINUTE, HOUR = 60_000_000, 3_600_000_000

agreement = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def stories(draw: st.DrawFn, *, grain: int = 10 * MINUTE, span: int = 12, most: int = 12) -> list[Happening]:
    """Few instants, so that ties are common; pages are shared by the events of one device."""
    daily = draw(st.frozensets(st.sampled_from(("d1", "d2", "d3"))))
    story = []
    for number in range(draw(st.integers(1, most))):
        device = draw(st.sampled_from(("d1", "d2", "d3", "server")))
        what = draw(st.sampled_from(SERVER_WHATS if device == "server" else WHATS))
        page = draw(st.sampled_from(("p1", "p2")))
        extra = (
            f" user={draw(st.sampled_from(('u1', 'u2')))}" if device == "server" else f" page={page}-{device}"
        )
        extra += draw(st.sampled_from(("", "", "", "", "", " bot=", " environment=staging")))
        extra += draw(st.sampled_from(("", " p.plan='\"pro\"'", " p.plan=3")))
        if what.startswith("identify"):
            extra += draw(st.sampled_from(("", " t.plan='\"free\"'", " t.plan='\"pro\"'")))
        extra += f" id={draw(st.sampled_from('xyz'))}{number:02}"
        [happening] = read_story([f"{device} 2026-01-01T00:00 {what}{extra}"])
        at = FIRST + grain * draw(st.integers(0, span))
        sequence = 0 if device == "server" else draw(st.integers(1, 5)) * 100 + number
        known = at + grain * draw(st.sampled_from((0, 0, 0, 3)))
        moved = replace(happening, at=at, recorded=known, page_seq=sequence, is_daily=device in daily)
        story.append(moved)
    return story


@st.composite
def edges(draw: st.DrawFn, story: list[Happening], most: int = 5) -> list[Happening]:
    """What editors say of the people of a story, now and then: merges, undos of whatever edge, undos of undos."""
    said: list[Happening] = []
    undoable = [each.event_id for each in story if each.type == "identify" and each.device]
    for number in range(draw(st.integers(0, most))):
        one, other, is_undo = draw(st.tuples(st.sampled_from(USERS), st.sampled_from(USERS), st.booleans()))
        what = f"merge:{one}={other}"
        if undoable and is_undo:
            # An edge has one undo: its id is made of that of the edge.
            what = f"undo:{undoable.pop(draw(st.integers(0, len(undoable) - 1)))}"
        at = FIRST + HOUR * draw(st.integers(0, 6))
        [edge] = read_story([f"editor 2026-01-01T00:00 {what} id=edge-{number}"])
        said.append(replace(edge, at=at, recorded=at))
        undoable.append(edge.event_id)
    return said
