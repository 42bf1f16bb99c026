"""Who asks for a page, as the gate found out, and the cookie that says so the next time."""

from __future__ import annotations

from fastapi import Request, Response

from expost.admission import Caller
from expost.errors import NotAllowed
from expost.state.logins import LONGEST

CALLER = "expost.caller"
"""Under which name the gate puts the `Caller` into the scope of a request."""


def caller_of(request: Request) -> Caller:
    """Who asks."""
    found = request.scope.get(CALLER, Caller())
    assert isinstance(found, Caller)
    return found


def is_admin(request: Request) -> bool:
    """Whether an admin asks. As long as there is no account, whoever is let in is one."""
    who = caller_of(request).who
    return who is None or who.role == "admin"


def require_admin(request: Request) -> None:
    """Refuse everybody else."""
    if not is_admin(request):
        raise NotAllowed(
            "This is for admins.", hint="Ask one of them: expost accounts list says who they are."
        )


def cookie_name(caller: Caller) -> str:
    """The name of the cookie: over TLS one that no other host and no plain page can set."""
    return "__Host-expost" if caller.is_secure else "expost"


def remember(response: Response, caller: Caller, secret: str) -> Response:
    """The response that logs the browser in."""
    response.set_cookie(
        cookie_name(caller),
        secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=caller.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


def forget(response: Response, caller: Caller) -> Response:
    """The response that logs the browser out."""
    response.delete_cookie(
        cookie_name(caller), path="/", secure=caller.is_secure, httponly=True, samesite="lax"
    )
    return response
