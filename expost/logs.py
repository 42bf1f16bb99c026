"""What the processes say on standard error: one JSON object a line, so that no word of a visitor can forge a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    r"""A record as one line: time, part, level, message, and the traceback if there is one.

    >>> record = logging.LogRecord("expost.collector", 30, "", 0, "bad path %s", ("/x\nforged \x1b[31m",), None)
    >>> JsonLines().format(record).partition('"part"')[2]
    ': "collector", "level": "warning", "event": "bad path /x\\nforged \\u001b[31m"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line. JSON writes what is no printable ASCII as escapes, line ends too."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "part": record.name.removeprefix("expost."),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_as_json(level: int = logging.WARNING) -> None:
    """Write everything that is logged in this process to standard error in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
