"""What the decoder says becomes words that name the field, and stay few."""

from __future__ import annotations

import msgspec
import pytest

from expost.collector.reason import reason_of
from expost.lake.batch import Event
from expost.lake.rejected import kind_of
from expost.lake.sent import Head

ID = "01a22036-5ce4-7a10-84c1-d9a7f077a7c1"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "ann"}, "its id is no UUID"),
        ({"id": "a" * 40}, "its id has more than 36 characters"),
        ({"id": None}, "its id has to be text, and is 'null'"),
        ({"seq": "two"}, "its seq has to be a whole number, and is 'text'"),
        ({"x": 1.5}, "its x has to be a whole number or null, and is 'a number'"),
        ({"marks": {}}, "its marks has to be a list, and is 'an object'"),
        ({"type": "no spaces"}, "its type is not written as it has to be"),
        ({"t": 1e300}, "its t is greater than 100000000000000"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_the_reason_too(fields: dict[str, object], words: str) -> None:
    body = msgspec.json.encode({"id": ID, "type": "custom", "t": 1, "seq": 1} | fields)
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(body, type=Event)
    assert reason_of(refused.value) == words


def test_what_a_field_is_instead_makes_no_kind_of_its_own() -> None:
    kinds = set()
    values: tuple[object, ...] = (None, 5, True, [], {})
    for value in values:
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.convert({"v": 1, "consent": value}, Head)
        kinds.add(kind_of(reason_of(refused.value)))
    assert kinds == {"its consent has to be text, and is …"}


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(b'{"type": "custom"}', type=Event)
    assert reason_of(refused.value) == "it has no id"
