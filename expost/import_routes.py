"""The routes of the API about imports of uploads. They are for admins, and for this machine without accounts."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from expost.errors import ExpostError, InvalidInput, NotBuilt
from expost.history.mapping import mapping_of, write_mapping
from expost.history.runs import KINDS, Imports
from expost.query.form import one
from expost.query.form_seen import SITE
from expost.query.word import Word, checked_body
from expost.question_routes import Body, body_schema, given, words_schema
from expost.right_routes import admin_of
from expost.ui.caller import require_admin
from expost.ui.uploading import rejected_rows, take

UPLOADED = (
    SITE,
    Word("kind", "What the file is; found out from its first rows where it is not said.", choices=KINDS),
    Word("file", "What the file is called, as the report names it.", "export.zip"),
)
RUN = (
    Word("dry_run", "Only say what would become of it.", is_switch=True),
    Word(
        "time_zone",
        "Where times are that do not say it, of products; a mapping says its own.",
        "Europe/Berlin",
    ),
    Word("mapping", "Which column is what, of tables: TOML, or an object of the same words.", 'time = "ts"'),
)
FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
RUN_SCHEMA = body_schema(RUN)
RUN_SCHEMA["requestBody"]["content"]["application/json"]["schema"]["properties"]["mapping"] = {
    "description": RUN[-1].says,
    "oneOf": [{"type": "string"}, {"type": "object"}],
}


def add_imports(api: APIRouter, imports: Imports | None) -> None:
    """`/api/v1/imports`."""

    def admitted(request: Request) -> Imports:
        require_admin(request)
        return known(imports)

    @api.get("/imports")
    async def uploads(request: Request) -> JSONResponse:
        """The uploads of the last week, the latest first, and how each stands."""
        return JSONResponse([each.to_json() for each in await asyncio.to_thread(admitted(request).all)])

    @api.post("/imports", status_code=201, openapi_extra={**words_schema(UPLOADED), **FILE})
    async def upload(request: Request) -> JSONResponse:
        """Upload an export, which is the body. Nothing of it is imported before it is run."""
        by, form = admin_of(request), given(request, UPLOADED)
        taken = await take(
            known(imports), request.stream(), by, kind=one(form, "kind"), site=one(form, "site"),
            name=one(form, "file") or "export", size_bytes=_said_size(request),
        )  # fmt: skip
        return JSONResponse(await _whole(known(imports), taken.id), status_code=201)

    @api.get("/imports/{id}")
    async def find(id: str, request: Request) -> JSONResponse:  # noqa: A002 (the name in the address)
        """How one stands: how far its run is, or the report; of a table the mapping that seems to fit."""
        return JSONResponse(await _whole(admitted(request), id))

    @api.post("/imports/{id}/run", status_code=202, openapi_extra=RUN_SCHEMA)
    async def run(id: str, body: Body, request: Request) -> JSONResponse:  # noqa: A002 (as above)
        """Begin to import it, or with `dry_run` to say what would become of it. Again, it stores what is missing."""
        by, said = admin_of(request), dict(body)
        mapping = _toml(said.pop("mapping", None))
        said = checked_body(said, RUN[:-1])
        standing = await asyncio.to_thread(
            known(imports).start, id, by, dry_run=bool(said.get("dry_run")),
            time_zone=said.get("time_zone", ""), mapping=mapping,
        )  # fmt: skip
        return JSONResponse(standing.to_json(), status_code=202)

    @api.post("/imports/{id}/stop")
    async def stop(id: str, request: Request) -> JSONResponse:  # noqa: A002 (as above)
        """End its run. What was stored stays, and it can be run again."""
        return JSONResponse((await asyncio.to_thread(admitted(request).stop, id)).to_json())

    @api.get("/imports/{id}/rejects")
    async def rejects(id: str, request: Request) -> Response:  # noqa: A002 (as above)
        """The rows that its latest run could not use, one JSON object a line, each with the reason."""
        return rejected_rows(admitted(request), id)

    @api.delete("/imports/{id}", status_code=204)
    async def remove(id: str, request: Request) -> Response:  # noqa: A002 (as above)
        """End its run, and remove the file and its report. What was stored stays."""
        by = admin_of(request)
        await asyncio.to_thread(known(imports).remove, id, by)
        return Response(status_code=204)


def known(imports: Imports | None) -> Imports:
    """What takes uploads, where something does."""
    if imports is None:
        raise NotBuilt("This server takes no uploads.", hint="Import on the machine itself: expost import")
    return imports


async def _whole(imports: Imports, id_: str) -> dict[str, Any]:
    standing = await asyncio.to_thread(imports.find, id_)
    if standing.run:
        return standing.to_json() | {"proposal": None}
    try:
        proposed = await asyncio.to_thread(imports.find_proposal, standing.upload)
    except ExpostError as problem:
        # The upload is there, under its id: whoever sees why it cannot be read can remove it.
        return standing.to_json() | {"proposal": None, "unreadable": problem.to_json()["error"]}
    return standing.to_json() | {"proposal": proposed.to_json() if proposed else None}


def _toml(mapping: Any) -> str:
    if mapping is None or isinstance(mapping, str):
        return mapping or ""
    if isinstance(mapping, dict):
        return write_mapping(mapping_of(mapping))
    raise InvalidInput(
        f"mapping is {mapping!r}, which is neither text nor an object.",
        hint='For example: {"mapping": {"time": "ts"}}',
    )


def _said_size(request: Request) -> int:
    said = request.headers.get("content-length", "")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise InvalidInput(
            "The body is a form.",
            hint="Send the file itself: curl -X POST -T FILE '…/api/v1/imports?file=NAME'",
        )
    return int(said) if said.isascii() and said.isdigit() and len(said) < 18 else 0
