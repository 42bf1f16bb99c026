"""What a snippet that masks nothing sends is masked before it is written: every byte of the folder is looked at."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expost.lake.writer import ingest
from tests.collector.conftest import NOW, Desk, batch, body_of, click

CARD = "4111 1111 1111 1111"
CARD_IN_A_TABLE = "4111\u00a01111\u00a01111\u00a01111"
EMAIL = "jane.doe@mail.example"
SSN = "123-45-6789"
TOKEN = "9f86d081884c7d659a2feaa0c55ad015"
ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
SECRETS = (CARD, CARD_IN_A_TABLE, CARD.replace(" ", ""), EMAIL, "jane.doe", SSN, TOKEN, "typed-", "secret-")

ATTRIBUTES = {
    "title": f"Mail {EMAIL}",
    "alt": f"Card {CARD}",
    "aria-label": f"Call {EMAIL}",
    "placeholder": f"like {SSN}",
    "name": EMAIL,
    "rel": TOKEN,
    "href": f"/reset/{TOKEN}?key=secret-1#access_token=secret-2",
    "action": "/join?code=secret-3",
    "formaction": "/join?code=secret-4",
    "src": "data:text/plain,secret-5",
    "srcset": "/a.png?sig=secret-6 1x, /b.png?sig=secret-7 2x",
    "xlink:href": "#x?key=secret-8",
    "ping": "https://jane:secret-9@log.example/?u=secret-10",
    "data-email": EMAIL,
    "data-card": CARD_IN_A_TABLE,
    "data-json": json.dumps({"email": EMAIL, "ssn": SSN, "card": CARD, "token": TOKEN}),
    "data-href": "https://shop.example/invite?code=secret-11",
    "value": "typed-1",
    "style": "--name: secret-12",
    "onclick": "pay('secret-13')",
    "srcdoc": "<p>secret-14",
    "nonce": "secret-15",
    EMAIL: "",
}
UNMASKED = [
    ["input", EMAIL, f"user-{EMAIL} card", ATTRIBUTES, ["value", EMAIL, f'{EMAIL}"']],
    [EMAIL],  # `Jane <jane.doe@mail.example>`, not escaped
    ["option", None, None, {"value": "typed-2", "data-option": CARD}],
]
ADDRESS = (
    f"https://jane:secret-20@shop.example/users/{EMAIL}/{TOKEN}?q=secret-21&utm_source=mail#/r?key=secret-22"
)


def unmasked(**head: Any) -> dict[str, Any]:
    texts = {"text": f"Pay with {CARD}", "label": f"{SSN} {CARD_IN_A_TABLE} {EMAIL}"}
    events = [
        click(0, **texts),
        click(1, type="submit", el=1, label=EMAIL),
        click(2, type="change", el=2),
        click(
            3, type="custom", el=-1, name=f"Paid with {CARD} by {EMAIL}", properties={"card": CARD, CARD: 1}
        ),
        click(4, type="page_view", el=-1, set=0),
        click(5, type="identify", el=-1, user="ann", traits={"card": CARD, "number": 4111111111111111}),
    ]
    views = [{"url": ADDRESS, "title": f"{EMAIL} – {CARD}", "referrer": ADDRESS}]
    elements = [[0], [1, 0], [2, 0, 1, 1, 1, 1, [0, 1]]]
    tables = {"views": views, "descriptors": UNMASKED, "elements": elements, "sets": [{"card": CARD}]}
    return batch(*events, **tables, **head)


def written(folder: Path) -> str:
    """All that the files of a folder say, Parquet unpacked."""
    said = []
    for path in filter(Path.is_file, folder.rglob("*")):
        data = path.read_bytes()
        said.append(data.decode("utf-8", "replace"))
        # JSON may say it in escapes.
        said.append(ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), said[-1]))
        if path.suffix == ".parquet":
            said.append(repr(pq.read_table(path).to_pylist()))
    return "\n".join(said)


def assert_no_secret(text: str) -> None:
    found = {secret: text[text.index(secret) - 80 :][:160] for secret in SECRETS if secret in text}
    assert not found


def test_secrets_of_a_snippet_that_masks_nothing_are_in_no_file(desk: Desk) -> None:
    answer = desk.send(unmasked(), headers={"user-agent": f"Shop/1 ({EMAIL}; {TOKEN})"})
    assert answer.json == {"accepted": 6, "duplicates": 0, "rejected": []}
    desk.journal.seal()
    in_journal = written(desk.folder.journal)
    assert "utm_source=mail" in in_journal
    assert_no_secret(in_journal)
    assert ingest(desk.folder, 1, desk.kept(), clock=lambda: NOW).stored == 6
    in_folder = written(desk.folder.path)
    assert "utm_source=mail" in in_folder
    assert_no_secret(in_folder)


def escaped(content: Any) -> bytes:
    """The same JSON, with an escape for each at sign."""
    return body_of(content).replace(b"@", b"\\u0040")


@pytest.mark.parametrize(
    "body",
    [
        body_of(unmasked(v=99)),
        escaped(unmasked(v=99)),
        body_of(unmasked())[:-30],
        body_of(batch(click(el=7, text=CARD, label=EMAIL, name=TOKEN), click(type="typo", name=EMAIL))),
        body_of(batch(click(text={EMAIL: CARD}, id=EMAIL))),
    ],
    ids=["future", "escaped", "cut", "pointless", "wrong"],
)
def test_of_what_is_refused_the_patterns_are_masked(desk: Desk, body: bytes) -> None:
    desk.send(body)
    assert len(desk.rejected()) in (1, 2)
    text = written(desk.folder.rejected)
    for secret in (CARD, CARD_IN_A_TABLE, EMAIL, "jane.doe", SSN, TOKEN):
        assert secret not in text, text[text.index(secret) - 80 :][:160]
    # Addresses lose the values of their parameters there too.
    for secret in ("secret-1#", "secret-3", "secret-11", "secret-21", "secret-22"):
        assert secret not in text
