"""What a visitor has a right to: everything that is kept of them as a file, and that it is erased."""

from __future__ import annotations

from typing import Any

from expost.lake.erasure import carry_out
from expost.lake.erasures import erasures, find_erasure, request_erasure
from expost.lake.person import export_person
from expost.lake.readable import read_lake
from expost.lake.reader import connect
from expost.lake.rebuilding import see_to
from expost.lake.snapshot import LakeSnapshot
from expost.lake.subject import Subject
from expost.lake.traces import counts_of, find_person
from expost.state.audit import Actor
from expost.state.cohorts import forget_listed
from expost.state.sites import find_site

from .opened import OpenedFolder

Receipt = dict[str, object]


class Rights(OpenedFolder):
    """The part of an open data folder that is about single persons. They are named by a device id or a user id."""

    def export_person(
        self,
        *,
        site: str | None = None,
        device: str | None = None,
        user: str | None = None,
        author: str = "",
        place: str = "",
    ) -> dict[str, Any]:
        """Everything that is kept of them. The audit says that `author` took it, and not of whom."""
        subject = self._subject(site, device, user)
        found = export_person(self.folder, subject, self.clock())
        detail = f"a {subject.kind}, {len(found['events'])} events"
        self._note(Actor(author, place), "export a person", subject.site, detail)
        return found

    def plan_erasure(
        self, *, site: str | None = None, device: str | None = None, user: str | None = None
    ) -> dict[str, Any]:
        """What an erasure would take: rows by table, and the browsers that are theirs alone. Changes nothing."""
        subject = self._subject(site, device, user)

        def plan(snapshot: LakeSnapshot) -> dict[str, Any]:
            with connect(self.folder.path, snapshot=snapshot) as connection:
                found = find_person(connection, subject)
                counts = counts_of(connection, found)
            return {
                "site": subject.site,
                "kind": subject.kind,
                "rows": counts,
                "browsers": len(found.devices),
            }

        return read_lake(self.folder, plan)

    def erase(
        self,
        *,
        site: str | None = None,
        device: str | None = None,
        user: str | None = None,
        is_lasting: bool = True,
        author: str = "",
        place: str = "",
        wait_seconds: float = 0,
    ) -> Receipt:
        """Ask for them to be erased; the receipt as soon as that is done, or as it stands after `wait_seconds`.

        Where a server runs, its sink carries it out within seconds, and so does an import that has the folder. Where
        nobody has it, it is done here. With `is_lasting` false what they do from now on is stored again.
        """
        subject = self._subject(site, device, user)
        known = read_lake(self.folder, lambda snapshot: self._ids(subject, snapshot))
        by, whom = Actor(author, place), f"a {subject.kind} of {subject.site}"
        asked = request_erasure(
            self.folder,
            subject,
            self.clock(),
            is_lasting=is_lasting,
            note=lambda erasure: self._note(by, "erase a person", erasure.id, whom),
        )
        forget_listed(self.state, known)
        see_to(
            self.folder,
            lambda writer: carry_out(self.folder, writer),
            lambda: find_erasure(self.folder, asked.id).status == "done",
            wait_seconds,
        )
        return self.erasure(asked.id)

    def erasures(self) -> list[Receipt]:
        """The receipts, the latest first."""
        return [each.receipt() for each in reversed(erasures(self.folder))]

    def erasure(self, id_: str) -> Receipt:
        """One receipt, as it stands."""
        return find_erasure(self.folder, id_).receipt()

    def _ids(self, subject: Subject, snapshot: LakeSnapshot) -> list[int]:
        """The keyed hashes under which they are known, for as long as the lake has them."""
        with connect(self.folder.path, snapshot=snapshot) as connection:
            return find_person(connection, subject).ids

    def _subject(self, site: str | None, device: str | None, user: str | None) -> Subject:
        slug = find_site(self.state, site).slug
        return Subject.named(self.folder.secret(), slug, device=device, user=user)
