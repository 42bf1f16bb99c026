"""What both doors to imports do with a file: take it as it arrives, and give back the rows that could not be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import FileResponse, Response

from expost.history.runs import Imports
from expost.history.uploads import Upload
from expost.state.audit import Actor

PIECE_BYTES = 1_000_000
"""So much of a file is in memory while it arrives."""

NDJSON = "application/x-ndjson"


async def take(
    imports: Imports,
    pieces: AsyncIterator[bytes],
    by: Actor,
    *,
    kind: str | None,
    site: str | None,
    name: str,
    size_bytes: int,
) -> Upload:
    """Keep a file that arrives in pieces, a little of it in memory at a time; of one that does not fit nothing."""
    await asyncio.to_thread(imports.check, kind, site, size_bytes)
    with imports.uploads.arriving(name) as arriving:
        held = bytearray()
        async for piece in pieces:
            held += piece
            if len(held) >= PIECE_BYTES:
                await asyncio.to_thread(arriving.write, bytes(held))
                held.clear()
        await asyncio.to_thread(arriving.write, bytes(held))
        return await asyncio.to_thread(imports.keep, arriving, kind, site, by)


def rejected_rows(imports: Imports, id_: str) -> Response:
    """The file of rows that could not be used; empty where there are none."""
    imports.find(id_)
    path = imports.uploads.rejects_path(id_)
    if not path.is_file():
        return Response(b"", media_type=NDJSON)
    return FileResponse(path, media_type=NDJSON, filename="rejects.ndjson")
