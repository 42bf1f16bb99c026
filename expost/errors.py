"""The one tree of errors: each has a stable code, a sentence that names the thing and the value, and a hint.

ExpostError
├── InvalidInput            what was typed or sent cannot be understood (400)
│   ├── SelectorError       a selector that is refused; carries the place of the token
│   └── InvalidSetting      a setting with a value that it cannot have
├── BuiltIn                 a change of what nobody saved and nobody can change (409)
├── NotBuilt                a question that this version refuses rather than approximates (400)
├── MergeRefused            a merge that looks like a mistake; it can be forced (409)
├── UnknownName             a definition, site or key that does not exist (404)
├── UnknownVersion          a version that a definition or the like does not have (404)
├── NoSuchAddress           an address that nothing answers (404)
├── WrongMethod             an address that answers other methods only (405)
├── NotAllowed              a request that its key, origin or address does not allow (401, 403)
├── LoginNeeded             a request of nobody who is known (401)
├── WrongLogin              a name with a password, or a token, that opens nothing (401)
├── TooManyTries            somebody who may be guessing, and has to wait (429)
├── TooLarge                a body beyond what any form or question needs (413)
├── NoRoom                  a disk that has no room for what was sent (507)
├── ImportRunning           an import while another one writes to the folder (409)
├── FolderError             a data folder that cannot be opened, read or locked (503)
├── QueryLimit              a question stopped at its limit of time or memory (503)
│   └── TooManyQuestions    more questions than wait in line (503)
└── Cancelled               a question that somebody stopped (409)
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

CARET_WIDTH = 100
"""Characters of a refused selector that are drawn around the caret."""


class ExpostError(Exception):
    """Something a person can mend: `str()` is the sentence, `.hint` says what to type or check next."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel from query processes to the web process; subclasses have constructors of their own.
        return (_restore, (type(self), self.message, self.hint, self.__dict__))

    def to_json(self) -> dict[str, dict[str, str]]:
        """The body that HTTP and `--json` return."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}


def _restore(kind: type[ExpostError], message: str, hint: str, state: dict[str, Any]) -> ExpostError:
    error = kind.__new__(kind)
    ExpostError.__init__(error, message, hint=hint)
    error.__dict__.update(state)
    return error


class InvalidInput(ExpostError):
    """What was typed or sent cannot be understood."""

    code = "invalid_input"
    status = 400


class SelectorError(InvalidInput):
    """A selector that is refused: `token` is the part at fault, `offset` where it starts in `selector`."""

    code = "selector_refused"

    def __init__(self, selector: str, offset: int, token: str, reason: str, *, hint: str = "") -> None:
        self.selector = selector
        self.offset = offset
        self.token = token
        self.reason = reason
        place = f" at {token!r}" if token else ""
        super().__init__(f"The selector is refused{place}: {reason}", hint=hint)

    def with_caret(self) -> str:
        """The selector with a caret under the refused token, for a terminal or a `<pre>`; of a long one a part."""
        line_start = self.selector.rfind("\n", 0, self.offset) + 1
        line_end = self.selector.find("\n", self.offset)
        line = self.selector[line_start : line_end if line_end >= 0 else len(self.selector)].replace(
            "\t", " "
        )
        before, after = line[: self.offset - line_start], line[self.offset - line_start :]
        if len(line) > CARET_WIDTH:
            before = before if len(before) <= CARET_WIDTH // 2 else "…" + before[1 - CARET_WIDTH // 2 :]
            rest = CARET_WIDTH - len(before)
            after = after if len(after) <= rest else after[: rest - 1] + "…"
        return f"{before}{after}\n{' ' * len(before)}^"

    def to_json(self) -> dict[str, dict[str, str]]:
        """The usual body, with the caret drawing beside it."""
        body = super().to_json()
        body["error"]["caret"] = self.with_caret()
        return body


class InvalidSetting(InvalidInput):
    """A setting has a value that it cannot have."""

    code = "invalid_setting"

    def __init__(self, name: str, value: object, expected: str, source: str) -> None:
        super().__init__(
            f"The setting {name} is {value!r} (from {source}); expected {expected}.",
            hint="See every setting and where it comes from with: expost doctor",
        )


class NotBuilt(InvalidInput):
    """A question that this version refuses rather than approximates."""

    code = "not_built"


class BuiltIn(ExpostError):
    """A change of a definition that is there without being saved."""

    code = "built_in"
    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is built in: version 0 is its only one, and nothing changes it.",
            hint=f"A definition of that name stands in its place: expost define {name!r} --click SELECTOR",
        )


class MergeRefused(ExpostError):
    """A merge of users that looks like a mistake. It can be forced."""

    code = "merge_refused"
    status = 409


class UnknownName(ExpostError):
    """A name that does not exist, with the nearest one that does."""

    code = "unknown_name"
    status = 404

    def __init__(self, kind: str, name: str, known: Sequence[str], *, list_with: str) -> None:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"List them with: {list_with}"
        super().__init__(f"No {kind} is called {name!r}.", hint=hint)


class UnknownDefinition(UnknownName):
    """A question names a definition that does not exist."""

    code = "unknown_definition"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            "definition", name, known, list_with="expost definitions, or GET /api/v1/definitions"
        )


class UnknownVersion(ExpostError):
    """A version that a definition or the like does not have."""

    code = "unknown_version"
    status = 404

    def __init__(self, noun: str, name: str, version: int, known: Sequence[int]) -> None:
        many = f"versions {known[0]} to {known[-1]}" if len(known) > 1 else f"version {known[0]} alone"
        super().__init__(
            f"The {noun} {name!r} has no version {version}: it has {many}.",
            hint=f"List them with: expost {noun}s show {name!r}",
        )


class UnknownCohort(UnknownName):
    """A question names a cohort that does not exist."""

    code = "unknown_cohort"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("cohort", name, known, list_with="expost cohorts, or GET /api/v1/cohorts")


class UnknownReport(UnknownName):
    """A report that does not exist."""

    code = "unknown_report"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("report", name, known, list_with="expost reports, or GET /api/v1/reports")


class UnknownDashboard(UnknownName):
    """A dashboard that does not exist."""

    code = "unknown_dashboard"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("dashboard", name, known, list_with="expost dashboards, or GET /api/v1/dashboards")


class UnknownSite(UnknownName):
    """A site that does not exist."""

    code = "unknown_site"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("site", name, known, list_with="expost sites list")


class NoSuchAddress(ExpostError):
    """An address that nothing answers."""

    code = "no_such_address"
    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(
            f"There is nothing at {path}.",
            hint="Pages start at /, and /api/openapi.json lists the API's routes.",
        )


class WrongMethod(ExpostError):
    """An address that answers other methods only."""

    code = "wrong_method"
    status = 405

    def __init__(self, method: str, path: str, allowed: str) -> None:
        super().__init__(f"{path} does not answer {method}.", hint=f"It answers: {allowed or 'nothing'}.")


class NotAllowed(ExpostError):
    """A request that its key, origin or address does not allow."""

    code = "not_allowed"
    status = 403


class LoginNeeded(ExpostError):
    """A request of nobody who is known: no login, no key, or one that is over."""

    code = "login_needed"
    status = 401


class WrongLogin(ExpostError):
    """A name with a password, or a token, that opens nothing. It never says which of name and password was wrong."""

    code = "wrong_login"
    status = 401

    def __init__(
        self,
        message: str = "This name and password do not go together.",
        *,
        hint: str = "Forgotten? On the machine that Expost runs on: expost accounts password NAME",
    ) -> None:
        super().__init__(message, hint=hint)


class TooManyTries(ExpostError):
    """Somebody who may be guessing, and has to wait `retry_after` seconds."""

    code = "too_many_tries"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(
            "That was tried too often.",
            hint=f"Try again in {retry_after} seconds. Whoever is logged in stays so. "
            "On the machine that Expost runs on, a password is changed at once: expost accounts password NAME",
        )


class TooLarge(ExpostError):
    """A body beyond what any form or question needs."""

    code = "too_large"
    status = 413


class NoRoom(ExpostError):
    """A disk that has no room for what was sent."""

    code = "no_room"
    status = 507


class ImportRunning(ExpostError):
    """An import while another one writes to the folder."""

    code = "import_running"
    status = 409

    def __init__(self, process: int | None) -> None:
        by = f" (process {process})" if process else ""
        super().__init__(
            f"Another import is writing to this folder{by}.",
            hint="One at a time: wait until it is done, or end it. What it stored stays, and it can be run again.",
        )


class FolderError(ExpostError):
    """A data folder that cannot be opened, read or locked."""

    code = "folder"
    status = 503


class QueryLimit(ExpostError):
    """A question stopped at its limit of time or memory."""

    code = "query_limit"
    status = 503


class TooManyQuestions(QueryLimit):
    """More questions than wait in line; `retry_after` seconds later some of them may be answered."""

    code = "too_many_questions"

    def __init__(self, waiting: int, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"{waiting} questions are waiting already.", hint="Ask again when some of them are answered."
        )


class Cancelled(ExpostError):
    """A question that somebody stopped before it was answered."""

    code = "cancelled"
    status = 409

    def __init__(self) -> None:
        super().__init__("The question was cancelled.", hint="Ask it again if that was a mistake.")
