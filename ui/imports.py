"""The pages on which uploads are tried without storing anything, and imported. For admins."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import ExpostError, InvalidInput, NotBuilt
from expost.history.runs import KINDS, Imports, Standing
from expost.history.uploads import Upload

from .caller import caller_of, require_admin
from .desk import Desk, address, in_thread
from .import_view import LABELS, ImportsView, import_view, row_of
from .page import render
from .sent_file import SentFile
from .uploading import rejected_rows, take


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages do for one request after the other."""

    desk: Desk

    def admitted(self, request: Request) -> Imports:
        """What takes uploads, for an admin."""
        require_admin(request)
        if self.desk.imports is None:
            raise NotBuilt(
                "This server takes no uploads.", hint="Import on the machine itself: expost import"
            )
        return self.desk.imports

    async def listed(self, request: Request, error: ExpostError | None = None) -> Response:
        """The form, and all uploads."""
        imports, zone = self.admitted(request), self.desk.site_of(request).time_zone
        rows = [row_of(each, zone) for each in await in_thread(imports.all)]
        kinds = [(kind, LABELS[kind]) for kind in KINDS]
        view = ImportsView(rows, imports.uploads.max_bytes, kinds, error)
        return render(self.desk, request, "imports.html", status=error.status if error else 200, view=view)

    async def taken(self, request: Request) -> Upload:
        """The file that a form sends. Its other fields stand before it."""
        imports, sent = self.admitted(request), SentFile(request)
        await sent.begin()
        if not sent.file_name:
            raise InvalidInput("No file was chosen.", hint="Choose the file that was exported.")
        said = request.headers.get("content-length", "")
        return await take(
            imports,
            sent.pieces(),
            caller_of(request).actor("page"),
            kind=sent.fields.get("kind") or None,
            site=self.desk.site_of(request).slug,
            name=sent.file_name,
            # What the form itself takes is little beside a file that is too large.
            size_bytes=int(said) if said.isascii() and said.isdigit() and len(said) < 18 else 0,
        )

    async def one(
        self, request: Request, id_: str, error: ExpostError | None = None, mapping: str = ""
    ) -> Response:
        """One upload and what can be done with it; with an error, what was wrong with what was asked."""
        imports, zone = self.admitted(request), self.desk.site_of(request).time_zone
        found = await in_thread(imports.find, id_)
        is_said = mapping or (found.run and found.run.mapping)
        proposed = "" if is_said else await in_thread(_proposed, imports, found)
        view = import_view(found, zone, proposed)
        status = error.status if error else 200
        said = {"mapping": mapping or view.mapping, "refused": error}
        return render(self.desk, request, "import.html", status=status, view=view, **said)

    async def act(self, request: Request) -> Response:
        """Try it, import it, end its run, or remove it."""
        imports, site = self.admitted(request), self.desk.site_of(request).slug
        sent = await request.form()
        id_, act, mapping, zone = (str(sent.get(name, "")) for name in ("id", "act", "mapping", "time_zone"))
        by = caller_of(request).actor("page")
        if act == "remove":
            await in_thread(imports.remove, id_, by)
            return RedirectResponse(address("/imports", [("site", site)]), 303)
        try:
            if act == "stop":
                await in_thread(imports.stop, id_)
            else:
                said = {"time_zone": zone.strip(), "mapping": mapping}
                await in_thread(imports.start, id_, by, dry_run=act != "import", **said)
        except ExpostError as error:
            return await self.one(request, id_, error, mapping)
        return RedirectResponse(address("/import", [("id", id_), ("site", site)]), 303)


def add_imports(router: APIRouter, desk: Desk) -> None:
    """`/imports` and `/import`."""
    pages = Pages(desk)

    @router.get("/imports")
    async def page(request: Request) -> Response:
        """The form, and the uploads of the last week."""
        return await pages.listed(request)

    @router.post("/imports")
    async def upload(request: Request) -> Response:
        """Take a file."""
        pages.admitted(request)
        try:
            taken = await pages.taken(request)
        except ExpostError as error:
            return await pages.listed(request, error)
        said = [("id", taken.id), ("site", taken.site)]
        return RedirectResponse(address("/import", said), 303)

    @router.get("/import")
    async def one(request: Request) -> Response:
        """How an upload stands, and what can be done with it."""
        return await pages.one(request, request.query_params.get("id", ""))

    @router.post("/import")
    async def act(request: Request) -> Response:
        """Do what a button says."""
        return await pages.act(request)

    @router.get("/import/rejects.ndjson")
    async def rejects(request: Request) -> Response:
        """The rows that the latest run could not use."""
        imports = pages.admitted(request)
        return await in_thread(rejected_rows, imports, request.query_params.get("id", ""))


def _proposed(imports: Imports, standing: Standing) -> str:
    try:
        found = imports.find_proposal(standing.upload)
    except ExpostError as problem:
        return f"# {problem.message}\n"
    return found.to_toml() if found else ""
