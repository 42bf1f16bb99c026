"""Who sends, and where their events count: found once for all requests with the same head."""

from __future__ import annotations

import msgspec

from expost.errors import InvalidInput, NotAllowed

from .accept import Sender
from .answers import Headers
from .body import ENCODINGS
from .country import Countries, CountryFile
from .keyring import Grant, Keyring
from .limits import Holder, Limits, Places, counted_address
from .peer import Visitors
from .sightings import Sightings
from .whole import WholeRequest


class WrongEncoding(InvalidInput):
    """A Content-Encoding that is not gzip."""

    code = "unknown_encoding"
    status = 415


class UnknownKey(NotAllowed):
    """A key that opens nothing."""

    code = "unknown_key"
    status = 401


class Admission(msgspec.Struct, gc=False):
    """Who sends, and where their events count: the same for every request with the same head.

    It holds as long as the keyring has the same `revision`, the limits the same `era`, and countries come of the same
    file. `counted` are the places with that of the device whose batch came last, of which `device` is the hash: nearly
    always the next one is of the same.
    """

    sender: Sender
    places: Places
    revision: int
    era: int
    countries: CountryFile | None
    device: int = hash("")
    counted: Places = ()


class Admissions:
    """Admits senders by the key and what is seen of the connection, before the body is looked at."""

    def __init__(
        self,
        keyring: Keyring,
        limits: Limits,
        visitors: Visitors,
        countries: Countries | None,
        sightings: Sightings,
    ) -> None:
        self._keyring = keyring
        self._limits = limits
        self._visitors = visitors
        self._countries = countries
        self._sightings = sightings

    def find(self, query: bytes, headers: dict[bytes, bytes], fields: Headers, peer: str) -> Admission:
        """Who sends, and where the events count. Raises for whoever may not."""
        revision, era = self._keyring.revision(), self._limits.era
        grant = self._grant(query, headers)
        if headers.get(b"content-encoding", b"").strip().lower() not in ENCODINGS:
            raise WrongEncoding("Bodies are plain or gzip.", hint="Leave Content-Encoding out, or say gzip.")
        address = self._address(peer, headers, fields)
        user_agent = headers.get(b"user-agent", b"").decode("latin-1")
        # Which file it is first: of one that takes its place meanwhile, the country is looked up once more, never less.
        countries = self._country_file()
        # A server sends from its own address, and history from whoever imports it.
        country = self._countries.find(address) if self._countries and grant.kind == "write" else ""
        # History counts nowhere.
        names: dict[Holder, str] = {"address": counted_address(address), "key": grant.key}
        places = () if grant.is_import else self._limits.places(names)
        sender = Sender(grant, address, user_agent, country)
        return Admission(sender, places, revision, era, countries, counted=places)

    def find_whole(self, request: WholeRequest) -> Admission | None:
        """The same for a request that arrived whole; `None` where it is for the ordinary way."""
        known = request.known
        if known is None:
            headers = dict(request.headers)
            if b"application/json" in headers.get(b"accept", b""):
                return None
            admission = self.find(request.query, headers, request.headers, request.peer)
            # Of secret keys nothing stays in memory, not even what they opened.
            request.known = admission if admission.sender.grant.kind == "write" else None
            return admission
        assert isinstance(known, Admission)
        if (
            known.revision != self._keyring.revision()
            or known.era != self._limits.era
            or known.countries is not self._country_file()
        ):
            request.known = None
            return None
        return known

    def _country_file(self) -> CountryFile | None:
        return self._countries.file if self._countries else None

    def _grant(self, query: bytes, headers: dict[bytes, bytes]) -> Grant:
        key = next((part[2:] for part in query.split(b"&") if part.startswith(b"k=")), b"")
        authorization = headers.get(b"authorization", b"")
        if not key and authorization[:7].lower() == b"bearer ":
            # Secret keys need not stand in an address, which proxies write into their logs.
            key = authorization[7:].strip()
        grant = self._keyring.find(key.decode("latin-1"))
        if grant is None:
            kind = {b"xs_": "server", b"xi_": "import"}.get(key[:3])
            self._sightings.see("unknown key", headers)
            again = f"expost sites keys SITE --new {kind}" if kind else "expost sites tag"
            raise UnknownKey("This key opens no site.", hint=f"Get one that does with: {again}")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not grant.allows(origin):
            self._sightings.see("origin refused", headers)
            raise NotAllowed(
                f"Pages of {origin!r} may not send to the site {grant.site}.",
                hint="Allow them, beside those there are, with: expost sites change SITE --origin ORIGIN …",
            )
        return grant

    def _address(self, peer: str, headers: dict[bytes, bytes], fields: Headers) -> str:
        if b"x-forwarded-for" not in headers:
            return peer
        hops = [value for name, value in fields if name == b"x-forwarded-for"]
        return self._visitors.address(peer, b",".join(hops).decode("latin-1"))
