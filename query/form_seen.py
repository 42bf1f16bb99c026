"""Questions about what arrived, as people write them."""

from __future__ import annotations

from typing import Any

from expost.errors import InvalidInput

from .form import COMMON, Form, common_of, one, refuse_unknown, whole_number
from .losses import Losses
from .rejected import RejectedList
from .timeline import Timeline


def losses_of(form: Form) -> Losses:
    """The loss meter, by day, page or browser."""
    refuse_unknown(form, COMMON | {"by", "limit"})
    chosen: dict[str, Any] = {}
    if (limit := one(form, "limit")) is not None:
        chosen["limit"] = whole_number("limit", limit)
    return Losses(one(form, "by") or "day", **chosen, **common_of(form))


def rejected_of(form: Form) -> RejectedList:
    """What could not be stored."""
    refuse_unknown(form, frozenset({"site", "kind", "limit"}))
    limit = one(form, "limit")
    chosen: dict[str, Any] = {} if limit is None else {"limit": whole_number("limit", limit)}
    return RejectedList(one(form, "kind"), **chosen, site=one(form, "site"))


def timeline_of(form: Form) -> Timeline:
    """One person."""
    refuse_unknown(form, COMMON | {"id", "latest"})
    id_ = one(form, "id")
    if id_ is None:
        raise InvalidInput(
            "It is not said who.", hint="For example: expost people show ann@shop.example, or id=… over HTTP"
        )
    chosen: dict[str, Any] = (
        {} if (latest := one(form, "latest")) is None else {"latest": whole_number("latest", latest)}
    )
    return Timeline(id_, **chosen, **common_of(form))
