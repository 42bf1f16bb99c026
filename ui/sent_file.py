"""A form that is sent with a file: its fields, then the pieces of the file as they arrive, none of it kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from expost.errors import InvalidInput, TooLarge

MAX_FIELD_BYTES = 64_000
"""What all fields beside the file may have."""

NO_FORM = "Choose a file on the page Import and send it from there."


class SentFile:
    """Reads a form whose last field is a file. After `begin` the fields are known, and `pieces` gives the file."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise InvalidInput("This is no form with a file.", hint=NO_FORM)
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self.has_file = self._is_whole = False
        self._stream = aiter(request.stream())
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._take_name,
                "on_header_value": self._take_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )
        self._name = self._value = self._content = b""
        self._field = ""
        self._field_bytes = 0
        self._is_file = False
        self._pieces: list[bytes] = []

    async def begin(self) -> None:
        """Read until the file begins. Refuses a form without one."""
        async for piece in self._stream:
            self._write(piece)
            if self.has_file:
                return
        raise InvalidInput("The form has no file.", hint=NO_FORM)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file, as it arrives."""
        while True:
            for each in self._pieces:
                yield each
            self._pieces.clear()
            try:
                self._write(await anext(self._stream))
            except StopAsyncIteration:
                break
        if not self._is_whole:
            raise InvalidInput("The form breaks off before its end.", hint="Send the file again.")

    def _write(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError as problem:
            raise InvalidInput(f"The form cannot be read: {problem}.", hint=NO_FORM) from problem

    def _begin_part(self) -> None:
        self._name = self._value = self._content = b""
        self._field, self._is_file = "", False

    def _take_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._field = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                self._is_file = True
                self.file_name = options[b"filename"].decode("utf-8", "replace")
        self._name = self._value = b""

    def _end_headers(self) -> None:
        if self.has_file and self._is_file:
            raise InvalidInput("The form has several files.", hint="Send one after the other.")
        self.has_file = self.has_file or self._is_file

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(data[start:end])
            return
        self._content += data[start:end]
        self._field_bytes += end - start
        if self._field_bytes > MAX_FIELD_BYTES:
            raise TooLarge("The fields of the form are too large.", hint=NO_FORM)

    def _end_part(self) -> None:
        if not self._is_file:
            self.fields[self._field] = self._content.decode("utf-8", "replace").strip()

    def _end(self) -> None:
        self._is_whole = True
