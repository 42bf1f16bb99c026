"""The part of a `Lake` that shows what arrived: events as they are, what is missing, what could not be stored."""

from __future__ import annotations

from typing import Any, Literal

from expost.door_asking import Asking
from expost.door_words import fields_said
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.flag_list import FlagList, FlagsAnswer
from expost.query.live import Live, LiveAnswer
from expost.query.losses import Losses, LossesAnswer
from expost.query.question import Moment
from expost.query.rejected import RejectedAnswer, RejectedList
from expost.query.sandbox import RowsAnswer, SqlQuery


class Arrival(Asking):
    """What arrived, as methods, and SQL over it."""

    def live(self, latest: int = 50, **common: Any) -> LiveAnswer:
        """The latest events as they arrived, newest first."""
        return self._ask(Live(latest, **fields_said(common, Live)), LiveAnswer)

    def event_detail(self, event_id: str, **common: Any) -> EventAnswer:
        """One event whole, with the chain of its element."""
        return self._ask(EventDetail(event_id, **fields_said(common, EventDetail)), EventAnswer)

    def losses(
        self, *, by: Literal["day", "page", "browser"] = "day", limit: int = 100, **common: Any
    ) -> LossesAnswer:
        """How many events pages numbered that are not here: `total`, and `groups` by day, page or browser."""
        return self._ask(Losses(by, limit, **fields_said(common, Losses)), LossesAnswer)

    def rejected(
        self, *, kind: str | None = None, limit: int = 100, site: str | None = None
    ) -> RejectedAnswer:
        """What could not be stored and why: `kinds` with their counts, and the latest `lines`."""
        return self._ask(RejectedList(kind, limit, site=site), RejectedAnswer)

    def flags(self, **common: Any) -> FlagsAnswer:
        """The flags and variations that exposures name."""
        return self._ask(FlagList(**fields_said(common, FlagList)), FlagsAnswer)

    def sql(self, text: str, limit: int = 10_000, *, as_of: Moment | None = None) -> RowsAnswer:
        """The rows of one SELECT over the views that docs/schema.md names, at most `limit` of them.

        `for row in lake.sql(…)` gives one dict per row; `.rows()` is a list of them, `.to_polars()` a frame.
        """
        return self._ask(SqlQuery(text, limit, as_of=as_of), RowsAnswer)
