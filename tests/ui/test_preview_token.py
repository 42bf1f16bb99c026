"""A token for a page that cuts itself off: what it opens, for whom, how often and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from expost.access import Access
from expost.app import create_app
from expost.clock import wall_clock
from expost.settings import Settings
from expost.state.accounts import Account, add_account
from expost.state.audit import NOBODY, audit_lines
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.logins import add_login, end_login, logins
from expost.state.password import hash_password
from expost.state.sites import Site, add_site
from tests.ui.stand_in import OTHER, SITE, StandIn

SHOP = "https://shop.example"
PAGE = f"{SHOP}/tea?from=mail#top"
MINUTE = 60_000_000
PAST = {"ask": "past", "kind": "click", "selector": "form.signup button"}


@cache
def password_hash() -> str:
    """One for all: making it takes its time on purpose."""
    return hash_password("four words make one")


@dataclass
class Desk:
    """Expost with one account, whose editor is logged in, and a page of the shop that has no login."""

    state: State
    now: int = field(default_factory=wall_clock)
    stand_in: StandIn = field(default_factory=StandIn)

    def __post_init__(self) -> None:
        access = Access(self.state, Settings(), clock=lambda: self.now)
        self.access = access
        self.app = create_app(_collector, self.stand_in.call, lambda: (SITE, OTHER), access)  # type: ignore[arg-type]
        self.ann: Account | None = None

    def editor(self) -> TestClient:
        """A browser with a login of its own."""
        if self.ann is None:
            self.ann = add_account(self.state, "Ann", password_hash(), lambda: self.now)
        secret = add_login(self.state, self.ann, "Firefox/140.0", lambda: self.now, by=NOBODY)
        return TestClient(
            self.app, "http://192.0.2.1:8000", client=("192.0.2.7", 5), cookies={"expost": secret}
        )

    def page(self, peer: str = "192.0.2.9") -> TestClient:
        """The page of the shop: another site, no cookie."""
        host = "192.0.2.1" if peer == "192.0.2.9" else "localhost"
        headers = {"sec-fetch-site": "cross-site", "content-type": "text/plain;charset=UTF-8"}
        return TestClient(self.app, f"http://{host}:8000", client=(peer, 5), headers=headers)

    def ask(self, question: dict[str, Any], origin: str = SHOP, **where: Any) -> Any:
        return self.page(**where).post("/definer.json", json=question, headers={"origin": origin})

    def grant(self, editor: TestClient, site: str = "") -> str:
        """The grant that the page of the shop gets for a new token."""
        token = make(editor, site)
        return str(self.ask({"ask": "open", "token": token}).json()["grant"])


def make(editor: TestClient, site: str = "") -> str:
    made = editor.post(f"/point/token.json{site}", json={"page": PAGE})
    assert made.json() | {"token": ""} == {"token": "", "origin": SHOP, "minutes": 10}
    return str(made.json()["token"])


async def _collector(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("nothing here is for the collector")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(State(tmp_path / "state.sqlite"))


def refusal(response: Any) -> str:
    """The sentence of a refusal, which the page is allowed to read."""
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.status_code == 401
    return str(response.json()["error"]["message"])


def test_a_page_with_a_token_asks_for_the_past_without_a_login(desk: Desk) -> None:
    token = make(desk.editor())
    opened = desk.ask({"ask": "open", "token": token})
    assert opened.headers["access-control-allow-origin"] == "*"
    assert opened.json()["site"] == SITE.name
    past = desk.ask(PAST | {"grant": opened.json()["grant"]}).json()
    assert (past["events"], past["people"]) == (431, 172)
    assert set(past) == {"events", "people", "unknown", "first_seen", "last_seen", "days"}
    assert str(desk.stand_in.asked[-1][1].definition) == "click on form.signup button"


def test_a_token_is_used_once(desk: Desk) -> None:
    token = make(desk.editor())
    assert desk.ask({"ask": "open", "token": token}).status_code == 200
    assert refusal(desk.ask({"ask": "open", "token": token})) == "This token was used already."


def test_a_page_with_the_key_of_another_site_does_not_use_up_its_token_and_is_not_told_whose_it_is(
    desk: Desk,
) -> None:
    for site in (SITE, OTHER):
        add_site(desk.state, Site(site.slug, site.name, created_at=desk.now))
    editor = desk.editor()
    token = make(editor)
    other, own = (add_key(desk.state, each.slug, "write", lambda: desk.now)[1] for each in (OTHER, SITE))
    for key, words in ((other, "the key of another site"), ("xw_nobodys", "a key that opens no site")):
        refused = desk.ask({"ask": "open", "token": token, "key": key})
        assert refused.status_code == 400
        assert words in refused.text
        assert OTHER.name not in refused.text
        assert editor.post("/point/chosen.json", json={"token": token}).json()["is_used"] is False
    assert "preview token used" not in [each.action for each in audit_lines(desk.state)]
    assert desk.ask({"ask": "open", "token": token, "key": own}).json()["site"] == SITE.name


def test_a_token_and_its_grant_are_for_pages_of_one_origin(desk: Desk) -> None:
    editor = desk.editor()
    token = make(editor)
    said = refusal(desk.ask({"ask": "open", "token": token}, origin="https://evil.example"))
    assert said == f"This token is for pages of {SHOP}, and this is one of https://evil.example."
    grant = desk.ask({"ask": "open", "token": token}).json()["grant"]
    for other in ("https://evil.example", "http://shop.example", f"{SHOP}:444", "null", ""):
        assert "is for pages of" in refusal(desk.ask(PAST | {"grant": grant}, origin=other))


def test_a_token_and_its_grant_end_after_ten_minutes(desk: Desk) -> None:
    editor = desk.editor()
    unused, grant = make(editor), desk.grant(editor)
    desk.now += 10 * MINUTE - 1
    assert desk.ask(PAST | {"grant": grant}).status_code == 200
    desk.now += 1
    assert "opens nothing any more" in refusal(desk.ask(PAST | {"grant": grant}))
    assert "opens nothing any more" in refusal(desk.ask({"ask": "open", "token": unused}))


def test_a_token_and_its_grant_end_with_the_login_that_made_them(desk: Desk) -> None:
    editor = desk.editor()
    unused, grant = make(editor), desk.grant(editor)
    desk.editor()
    assert desk.ann
    first = min(each.id for each in logins(desk.state))
    end_login(desk.state, desk.ann.id, first, lambda: desk.now, by=NOBODY, action="login ended")
    assert "opens nothing any more" in refusal(desk.ask(PAST | {"grant": grant}))
    assert "opens nothing any more" in refusal(desk.ask({"ask": "open", "token": unused}))


def test_a_token_of_a_time_without_accounts_ends_with_the_first_account(desk: Desk) -> None:
    here = TestClient(desk.app, "http://localhost:8000", client=("127.0.0.1", 5))
    token = make(here)
    grant = desk.ask({"ask": "open", "token": token}, peer="127.0.0.1").json()["grant"]
    assert desk.ask(PAST | {"grant": grant}, peer="127.0.0.1").status_code == 200
    desk.editor()
    assert "opens nothing any more" in refusal(desk.ask(PAST | {"grant": grant}, peer="127.0.0.1"))


def test_a_grant_asks_about_the_site_that_the_token_was_made_for(desk: Desk) -> None:
    grant = desk.grant(desk.editor(), "?site=blog")
    desk.ask(PAST | {"grant": grant})
    assert desk.stand_in.asked[-1][1].site == "blog"


@pytest.mark.parametrize(
    "asked",
    [
        {"ask": "save", "name": "Mine"},
        {"ask": "sql", "query": "select 1"},
        {"ask": "past", "site": "blog"},
        {},
    ],
)
def test_a_grant_asks_for_the_past_and_saves_nothing(desk: Desk, asked: dict[str, str]) -> None:
    grant, before = desk.grant(desk.editor()), list(desk.stand_in.saved)
    response = desk.ask(PAST | asked | {"grant": grant} if asked else {})
    assert response.status_code == 400
    assert desk.stand_in.saved == before


@pytest.mark.parametrize("path", ["/live", "/api/v1/definitions", "/definitions.json", "/point"])
def test_a_token_and_a_grant_are_no_key_of_any_other_address(desk: Desk, path: str) -> None:
    editor = desk.editor()
    for text in (make(editor), desk.grant(editor)):
        known = {"authorization": f"Bearer {text}", "cookie": f"expost={text}", "origin": SHOP}
        assert desk.page().get(path, headers=known, follow_redirects=False).status_code in (303, 401)


def test_without_a_token_the_address_tells_nothing(desk: Desk) -> None:
    desk.editor()
    for asked in ({"ask": "open", "token": "xp_x"}, PAST | {"grant": "x"}, PAST | {"grant": ""}):
        assert refusal(desk.ask(asked)) == "This token opens nothing any more."
    assert desk.stand_in.asked == []


def test_what_is_chosen_in_the_page_stands_in_the_window_that_made_the_token(desk: Desk) -> None:
    editor, other = desk.editor(), desk.editor()
    token = make(editor)
    held = {"token": token}
    assert editor.post("/point/chosen.json", json=held).json() == {"is_used": False, "chosen": None}
    grant = desk.ask({"ask": "open", "token": token}).json()["grant"]
    chosen = {"kind": "click", "selector": "b", "text": "B", "name": "Clicked B"}
    assert desk.ask({"ask": "chosen", "grant": grant} | chosen).json() == {}
    assert editor.post("/point/chosen.json", json=held).json() == {"is_used": True, "chosen": chosen}
    assert other.post("/point/chosen.json", json=held).status_code == 401
    assert desk.stand_in.saved == StandIn().saved


def test_making_and_using_a_token_are_lines_of_the_audit(desk: Desk) -> None:
    desk.grant(desk.editor())
    lines = [(each.action, each.who, each.subject) for each in audit_lines(desk.state)]
    assert lines[:2] == [("preview token used", "a page", SHOP), ("preview token made", "Ann", SHOP)]


@pytest.mark.parametrize(
    "page", ["ftp://shop.example", "shop.example", "javascript:alert(1)", "https://", "http://[x"]
)
def test_a_token_for_no_page_is_refused(desk: Desk, page: str) -> None:
    assert desk.editor().post("/point/token.json", json={"page": page}).status_code == 400


def test_another_site_cannot_have_a_token_made(desk: Desk) -> None:
    response = desk.editor().post("/point/token.json", json={"page": PAGE}, headers={"origin": SHOP})
    assert response.status_code == 403
