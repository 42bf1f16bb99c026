"""What every answer has is written once for all answers of a second."""

from __future__ import annotations

from expost.collector.whole import Fields

HEAD = b"HTTP/1.1 204 No Content\r\n"


def test_an_answer_never_has_the_fields_of_the_second_before() -> None:
    fields = Fields()
    first, second = [(b"date", b"one")], [(b"date", b"two")]
    assert fields.whole(HEAD, first) == HEAD + b"date: one\r\n\r\n"
    # One that closes its connection, or has a body, is the first of the next second.
    assert fields.written(second) == b"date: two\r\n"
    assert fields.whole(HEAD, second) == HEAD + b"date: two\r\n\r\n"
    assert fields.whole(HEAD, second) is fields.whole(HEAD, second)
