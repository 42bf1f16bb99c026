"""Who is let in: the rule of access as a function of what a request says and what is known here. No I/O.

Without an account, pages and the API answer this machine only. With one they answer whoever has a login or an API key,
from anywhere, under the names that are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from expost.collector.peer import Network, visitor_address
from expost.loopback import (
    LOCAL_HOSTS,
    PROXY_HEADERS,
    find_distance,
    find_other_page,
    is_loopback,
    without_port,
)
from expost.state.audit import Actor

CHANGING_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
LOGIN_PATH = "/login"
SETUP_PATH = "/setup-account"
OPEN = frozenset({LOGIN_PATH, SETUP_PATH})
"""Pages for those who are not known yet."""

WATCHED = frozenset({"/health", "/metrics"})
"""Asked by programs that look after the server, beside what is below `/api/`."""

DEFINER_PATH = "/definer.json"
"""What a page of another site may ask with a preview token, which says by itself what it opens."""

MAKE_ONE = (
    "Make an account, and pages answer from elsewhere too: open /setup-account with the token that expost serve "
    "printed, or run on that machine: expost accounts add NAME"
)
TRUST = (
    "If the proxy is yours, name its address in the setting trusted_proxies, and let it pass on Host, X-Forwarded-For "
    "and X-Forwarded-Proto: see docs/access.md"
)
SAME_SITE = "Open the address yourself, or through a page of Expost."
FOLLOWED = "If you followed a link on purpose, open it from here."

Credential = Literal["none", "login", "key"]


@dataclass(frozen=True, slots=True)
class Asking:
    """A request, as far as it decides who is let in. Header names are in lower case."""

    peer: str | None
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    http_version: str = "1.1"


@dataclass(frozen=True, slots=True)
class House:
    """What is known here: whether there is an account, under which addresses we are reached, whom we believe."""

    has_account: bool = False
    public_urls: frozenset[str] = frozenset()
    host: str = "127.0.0.1"
    trusted: Sequence[Network] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is known: an account, by one of its logins or one of its API keys."""

    account_id: int
    account: str
    role: str
    login_id: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, and who sent it. The address is for counting tries in memory; it is never kept."""

    address: str = "127.0.0.1"
    is_local: bool = True
    is_secure: bool = False
    who: Who | None = None

    def actor(self, otherwise: str) -> Actor:
        """Whom the audit names: the account or the key; without one, `otherwise`."""
        name = (self.who.key or self.who.account) if self.who else otherwise
        return Actor(name, "this machine" if self.is_local else "elsewhere")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`in`; `log in` first; `refused` for a reason; or `foreign`: a page of another site asks in somebody's name."""

    kind: Literal["in", "log in", "refused", "foreign"]
    reason: str = ""
    hint: str = ""


IN = Verdict("in")


def find_caller(asking: Asking, house: House) -> Caller:
    """Where a request comes from; of proxies only those that we trust are believed."""
    peer = asking.peer or ""
    address = visitor_address(peer, asking.headers.get("x-forwarded-for", ""), house.trusted)
    return Caller(address, is_loopback(address), _scheme(asking, house) == "https")


def judge(asking: Asking, house: House, credential: Credential) -> Verdict:
    """Whether this request is let in."""
    if not house.has_account:
        found = _judge_without_account(asking, house)
        if found is not None:
            return found
    for find in (_untrusted_hop, _foreign_host):
        found = find(asking, house)
        if found is not None:
            return found
    if credential == "key" and is_for_programs(asking.path):
        # No browser sends a key by itself, so no other site can make one do so.
        return IN
    if _has_own_token(asking):
        return IN
    if asking.method not in CHANGING_NOTHING and _is_foreign(asking, house):
        return Verdict("foreign", "it was sent by a page of another site", SAME_SITE)
    if _is_open(asking.path):
        return IN
    if credential != "login":
        return Verdict("log in")
    if asking.headers.get("sec-fetch-site") == "cross-site" or _has_foreign_origin(asking, house):
        return Verdict("foreign", "a page of another site sent you here", FOLLOWED)
    return IN


def _judge_without_account(asking: Asking, house: House) -> Verdict | None:
    """Who is of this machine is let in, others are not; `None` for the page that makes an account, open to all."""
    distance = find_distance(asking.peer, asking.headers, asking.http_version)
    if distance is None:
        if _has_own_token(asking):
            return IN
        other = find_other_page(asking.method, asking.scheme, asking.headers)
        return Verdict("refused", other, SAME_SITE) if other else IN
    if _is_open(asking.path) and asking.path != LOGIN_PATH:
        return None
    name_hint = unknown.hint if (unknown := _foreign_host(asking, house)) else ""
    return Verdict("refused", distance, f"{MAKE_ONE}. {name_hint}" if name_hint else MAKE_ONE)


def is_for_programs(path: str) -> bool:
    """Whether programs ask here, with an API key, and get JSON or figures and never a page."""
    return path.startswith("/api/") or path in WATCHED


def safe_next(path: str) -> str:
    r"""Where a login leads to: a path of ours, never another site.

    >>> safe_next("/funnel?step=a"), safe_next("//evil.example"), safe_next("/\\evil.example"), safe_next("https://x")
    ('/funnel?step=a', '/', '/', '/')
    """
    # Browsers read a backslash as a slash and leave out tabs and line ends, and then two slashes begin a host.
    is_odd = any(ord(character) <= 0x20 or character in "\\\x7f" for character in path)
    if (
        is_odd
        or not path.startswith("/")
        or path.startswith("//")
        or urlsplit(path).path in OPEN | {"/logout"}
    ):
        return "/"
    return path


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith("/static/")


def _has_own_token(asking: Asking) -> bool:
    return asking.path == DEFINER_PATH and asking.method == "POST"


def _scheme(asking: Asking, house: House) -> str:
    if not _is_trusted(asking, house):
        return asking.scheme
    told = asking.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    if told in ("http", "https"):
        return told
    is_public = f"https://{asking.headers.get('host', '')}" in {_origin(url) for url in house.public_urls}
    return "https" if is_public else asking.scheme


def _is_trusted(asking: Asking, house: House) -> bool:
    try:
        address = ip_address(asking.peer or "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in house.trusted)


def _untrusted_hop(asking: Asking, house: House) -> Verdict | None:
    """A proxy that nobody named would hide who asks, and whether it asks over TLS."""
    if _is_trusted(asking, house):
        return None
    if asking.http_version == "1.0":
        return Verdict("refused", f"it came through the proxy {asking.peer} (HTTP/1.0)", TRUST)
    for name in asking.headers:
        # Not `via`, which proxies of visitors add as well.
        if (name in PROXY_HEADERS and name != "via") or name.startswith("x-forwarded-"):
            return Verdict("refused", f"it came through the proxy {asking.peer} (header {name})", TRUST)
    return None


def _foreign_host(asking: Asking, house: House) -> Verdict | None:
    """A name that is not ours may be somebody's who made it point here, to read through a visitor's browser."""
    host = asking.headers.get("host", "")
    bare = without_port(host).lower()
    names = LOCAL_HOSTS | {house.host.lower()} | {urlsplit(url).hostname or "" for url in house.public_urls}
    if bare and (bare in names or _is_address(bare.strip("[]"))):
        return None
    hint = f"If that is a name of this server: expost serve --public-url https://{bare or 'expost.example'}"
    return Verdict("refused", f"it asks for the host {host!r}, which is not known here", hint)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_foreign(asking: Asking, house: House) -> bool:
    """Whether a page that is not ours sent it. Programs that are no browser say nothing of that, and are believed."""
    is_said = asking.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    return is_said or _has_foreign_origin(asking, house)


def _has_foreign_origin(asking: Asking, house: House) -> bool:
    origin = asking.headers.get("origin")
    return origin is not None and origin != f"{_scheme(asking, house)}://{asking.headers.get('host', '')}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
