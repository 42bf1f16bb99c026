"""`POST /definer.json`: what a page that holds a preview token may ask, without a login and from another site."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from expost.admission import DEFINER_PATH
from expost.errors import ExpostError, InvalidInput

from .arrival import other_key
from .caller import caller_of
from .desk import Desk, in_thread
from .pointing import Kind, Seen, SeenLevel, Selector, Word, names_of, note_token, past_of, selectors_of
from .preview_token import Chosen, PreviewTokens, Token
from .suggestions import Chosen as Meant
from .suggestions import ranked_for

FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
"""The page reads the answer. What it may know is decided by its grant: no cookie comes along, and none is looked at."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Opening(_Asked):
    """The token is traded for a grant; `key` is that of the page's tag."""

    ask: Literal["open"]
    token: Word
    key: Word = ""


class AskedSelectors(_Asked):
    """A selector for each level of a chain."""

    ask: Literal["selectors"]
    grant: Word
    chain: Annotated[list[SeenLevel], Field(max_length=200)]


class AskedNames(Seen):
    """A name to offer."""

    ask: Literal["names"]
    grant: Word


class AskedPast(_Asked):
    """The past of a candidate."""

    ask: Literal["past"]
    grant: Word
    kind: Kind
    selector: Selector
    text: Word = ""


class AskedSuggestions(Meant):
    """Ranked selectors for what was chosen."""

    ask: Literal["suggestions"]
    grant: Word


class Choosing(AskedPast):
    """What was chosen in the page, for Expost's own page to show. Nothing is saved by it."""

    ask: Literal["chosen"]  # type: ignore[assignment]
    name: Word


Granted = AskedSelectors | AskedSuggestions | AskedNames | AskedPast | Choosing
"""What may be asked with a grant."""
ASKED: TypeAdapter[Opening | Granted] = TypeAdapter(Annotated[Opening | Granted, Field(discriminator="ask")])


def add_definer(router: APIRouter, desk: Desk, tokens: PreviewTokens) -> None:
    """The one route that another site's page may ask."""

    async def opened(asked: Opening, request: Request) -> dict[str, Any]:
        token = tokens.unused(asked.token, _origin(request))
        name = next((site.name for site in desk.sites() if site.slug == token.site), token.site)
        # Before the token is used up: with another tag the page can come again with it.
        if asked.key and (other := await other_key(desk, asked.key, token.site, name, says_whose=False)):
            raise InvalidInput(other.message, hint=f"{other.hint} It stands on the page Point at it.")
        token, grant = tokens.trade(asked.token, _origin(request))
        by = caller_of(request).actor("a page")
        await in_thread(note_token, desk.access, by, "preview token used", token.origin)
        return {"grant": grant, "site": name}

    async def answered(asked: Granted, token: Token) -> Any:
        if isinstance(asked, AskedSelectors):
            return selectors_of(asked.chain)
        if isinstance(asked, AskedSuggestions):
            return await ranked_for(desk, token.site, asked)
        if isinstance(asked, AskedNames):
            # Not whether anything has it: that is said in Expost's own window, where it is saved.
            return {"name": names_of(asked)[0]}
        if isinstance(asked, Choosing):
            token.chosen = Chosen(asked.kind, asked.selector, asked.text, asked.name)
            return {}
        return await past_of(desk, token.site, asked.kind, asked.selector, asked.text)

    @router.post(DEFINER_PATH)
    async def definer(request: Request) -> Response:
        """One question, in a body of JSON of any content type, so that no browser asks for leave first."""
        try:
            asked = _read(await request.body())
            if isinstance(asked, Opening):
                return JSONResponse(await opened(asked, request), headers=FROM_ANYWHERE)
            token = tokens.granted(asked.grant, _origin(request))
            return JSONResponse(await answered(asked, token), headers=FROM_ANYWHERE)
        except ExpostError as error:
            return JSONResponse(error.to_json(), status_code=error.status, headers=FROM_ANYWHERE)


def _origin(request: Request) -> str:
    return request.headers.get("origin", "")


def _read(body: bytes) -> Opening | Granted:
    try:
        return ASKED.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput(
            f"{where or 'The body'}: {first['msg']}.", hint="The definer of this version asks otherwise."
        ) from None
