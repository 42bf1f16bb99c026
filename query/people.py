"""Merges of users and undos of edges: what they would change, the guard before a merge, and that they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import duckdb

from expost.clock import from_micros
from expost.errors import InvalidInput, MergeRefused, UnknownName
from expost.ids import keyed_hash, uuid7
from expost.lake.edits import Edit, rows_of, say, take_edits
from expost.lake.reader import connect
from expost.lake.rebuilding import see_to
from expost.lake.snapshot import find_lake_snapshot
from expost.lake.subject import Subject
from expost.state.audit import Actor
from expost.state.sites import find_site

from .kept_definitions import KeptDefinitions
from .kept_reports import KeptReports
from .preview import Preview, PreviewAnswer
from .report_change import report_change
from .saved import said_at

MOST_DEVICES = 50
"""More browsers than one user has: most likely an id that many people share."""
MOST_USERS = 10
"""More user ids than one person has."""
WAIT_SECONDS = 10.0
"""How long whoever has the folder is waited for. A server's sink looks ten times a second."""

_FACTS = """
select
    (select count(*) from lake.users where user_id = $id and site = $site),
    (select count(distinct device_id) from lake.logins where user_id = $id),
    coalesce((select min(person_id) from lake.joined_users where user_id = $id), $id),
    (select count(*) + 1 from lake.joined_users where user_id <> $id
        and person_id = (select min(person_id) from lake.joined_users where user_id = $id))"""
_EDGE = """
select kind, min(from_id), min(to_id), bool_or(edge_id in (select undoes from lake.edits where kind = 'undo'))
from lake.identities where edge_id = $edge and site = $site group by kind"""


@dataclass(frozen=True, slots=True)
class _UserFacts:
    """What the guard knows of a user: of how many browsers, and of how many user ids their person is."""

    name: str
    id: int
    devices: int
    person_id: int
    users: int


class PeopleEdits(KeptDefinitions, KeptReports):
    """The part of an open data folder that merges users and undoes edges. Nothing is rewritten: both append rows."""

    def plan_merge(
        self, user: str, into: str, *, site: str | None = None, force: bool = False
    ) -> dict[str, Any]:
        """What a merge would change in every saved definition. Changes nothing; refused as the merge would be."""
        return self._changes([self._merge(user, into, site, force, "")])

    def merge(
        self,
        user: str,
        into: str,
        *,
        site: str | None = None,
        force: bool = False,
        author: str = "",
        place: str = "",
    ) -> dict[str, Any]:
        """Make two users one person, named by `into`; the edge. Every number follows at the next question.

        Refused (`MergeRefused`) where it looks like a mistake, unless `force` is set.
        """
        edit = self._merge(user, into, site, force, author)
        detail = f"two users of {edit.site}{', forced' if force else ''}"
        return self._record([edit], Actor(author, place), "merge people", detail)

    def plan_undo(self, edges: Sequence[str], *, site: str | None = None) -> dict[str, Any]:
        """What an undo would change in every saved definition. Changes nothing."""
        return self._changes(self._undos(edges, site, ""))

    def undo(
        self, edges: Sequence[str], *, site: str | None = None, author: str = "", place: str = ""
    ) -> dict[str, Any]:
        """Withdraw these edges (merges, identifies, or undos, whose edges are then in force again)."""
        edits = self._undos(edges, site, author)
        detail = f"{len(edits)} edges of {edits[0].site}"
        return self._record(edits, Actor(author, place), "undo edges", detail)

    def _merge(self, user: str, into: str, site: str | None, force: bool, author: str) -> Edit:
        slug, secret = find_site(self.state, site).slug, self.folder.secret()
        with connect(self.folder.path, has_views=False) as lake:
            one, other = (_facts(lake, Subject.named(secret, slug, user=name)) for name in (user, into))
        if one.person_id == other.person_id:
            raise InvalidInput(
                f"{user!r} and {into!r} are one person already.", hint="There is nothing to merge."
            )
        if not force:
            _refuse_unlikely(one, other)
        now = self.clock()
        edge = keyed_hash(secret, "edge", slug, "merge", uuid7(now))
        return Edit(edge, slug, "merge", one.id, other.id, now, author)

    def _undos(self, edges: Sequence[str], site: str | None, author: str) -> list[Edit]:
        slug, secret, now = find_site(self.state, site).slug, self.folder.secret(), self.clock()
        if not edges:
            raise InvalidInput(
                "There is no edge to undo.", hint="Name one: expost people show ID lists them."
            )
        edits = []
        with connect(self.folder.path, has_views=False) as lake:
            for text in dict.fromkeys(edges):
                known = lake.execute(_EDGE, {"edge": _edge_number(text), "site": slug}).fetchall()
                if not known:
                    raise UnknownName("edge", text, [], list_with="expost people show ID")
                [(_, from_id, to_id, is_undone)] = known
                if is_undone:
                    raise InvalidInput(
                        f"The edge {text} was withdrawn already.",
                        hint="To give it back, undo its undo: expost people show ID names it.",
                    )
                # Made of the edge, so that two who undo it at once do so once.
                undo = keyed_hash(secret, "edge", slug, "undo", text)
                edits.append(Edit(undo, slug, "undo", from_id, to_id, now, author, _edge_number(text)))
        return edits

    def _record(self, edits: list[Edit], by: Actor, action: str, detail: str) -> dict[str, Any]:
        named = ", ".join(str(edit.edge_id) for edit in edits)
        self._note(by, action, named, detail)
        waiting = [say(self.folder, edit) for edit in edits]
        see_to(
            self.folder,
            lambda writer: take_edits(self.folder, writer),
            lambda: not any(path.exists() for path in waiting),
            WAIT_SECONDS,
        )
        return {
            "edges": [str(edit.edge_id) for edit in edits],
            "recorded_at": said_at(edits[0].recorded_at),
            "is_in_lake": not any(path.exists() for path in waiting),
        }

    def _changes(self, edits: list[Edit]) -> dict[str, Any]:
        """Events and people of every saved definition, and the figures of every report, now and then."""
        slug, now = edits[0].site, from_micros(self.clock())
        # One snapshot for both: what arrives meanwhile is no change that the edges make.
        snapshot = find_lake_snapshot(self.folder.lake)
        with (
            self._supposing(None, snapshot) as ask,
            self._supposing(rows_of(edits), snapshot) as suppose,
        ):
            definitions = []
            for definition in self._in_use(slug):
                question = Preview(definition, count_only=True, site=slug, now=now)
                before, after = (cast(PreviewAnswer, answer(question)) for answer in (ask, suppose))
                definitions.append(
                    {
                        "definition": definition.name,
                        "events": {"now": before.events, "then": after.events},
                        "people": {"now": before.people, "then": after.people},
                    }
                )
            reports = []
            for report in self.kept_reports(site=slug):
                asked = replace(report.asked({}, slug), now=now)
                # What was known at a moment that is over, no edge of today changes.
                answers = (ask, suppose) if asked.as_of is None else (self.ask, self.ask)
                reports.append(report_change(report, asked, *answers))
        return {"site": slug, "edges": len(edits), "definitions": definitions, "reports": reports}


def _facts(lake: duckdb.DuckDBPyConnection, subject: Subject) -> _UserFacts:
    values = {"id": subject.id, "site": subject.site}
    [(known, devices, person_id, users)] = lake.execute(_FACTS, values).fetchall()
    if not known:
        raise UnknownName(
            "user", subject.text, [], list_with="expost sql 'select distinct \"user\" from people'"
        )
    return _UserFacts(subject.text, subject.id, devices, person_id, users)


def _refuse_unlikely(one: _UserFacts, other: _UserFacts) -> None:
    for user in (one, other):
        if user.devices > MOST_DEVICES:
            raise MergeRefused(
                f"{user.name!r} was named on {user.devices:,} browsers: most likely many people share that id.",
                hint="If it is one person all the same, force it: --force",
            )
    if one.users + other.users > MOST_USERS:
        raise MergeRefused(
            f"The person would have {one.users + other.users} user ids: most likely one of them is not theirs.",
            hint="If they all are, force it: --force",
        )


def _edge_number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise InvalidInput(
            f"{text!r} is no edge.", hint="An edge is a number: expost people show ID lists them."
        )
    return int(text)
