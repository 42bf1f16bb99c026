"""What could not be stored: counted by kind of reason, listed, found by SQL, and by admins only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expost.clock import from_micros
from expost.errors import InvalidInput
from expost.lake.folder import open_folder
from expost.lake.rejected import Rejected, keep_rejected, kind_of
from expost.query.analysis import Analysis
from expost.query.rejected import RejectedAnswer, RejectedList
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.state.sites import Site, add_site

NOW = 1_764_000_000_000_000
WRONG = "its x has to be a whole number or null, and is 'text'"


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    folder = open_folder(tmp_path / "it's data[1]", create=True)
    found = Analysis(folder.path, threads=1)
    add_site(found.state, Site("shop", "Shop"))
    add_site(found.state, Site("blog", "Blog"))
    lines = [
        Rejected(WRONG, "shop", NOW, b'{"x": "<b>"}', "id-1"),
        Rejected(WRONG.replace("$.x", "$.y"), "shop", NOW + 1, b"two", "id-2"),
        Rejected("it points to view 3, which is not there", "shop", NOW + 2, b"three", "id-3"),
        Rejected("it is no frame", "", 0, b"\xff"),
        Rejected(WRONG, "blog", NOW, b"of another site"),
    ]
    keep_rejected(folder.rejected, NOW, 7, lines)
    return found


def ask(analysis: Analysis, **asked: object) -> RejectedAnswer:
    answer = analysis.ask(RejectedList(**asked))  # type: ignore[arg-type]
    assert isinstance(answer, RejectedAnswer)
    return answer


def test_kinds_of_reasons_are_counted_and_the_latest_come_first(analysis: Analysis) -> None:
    answer = ask(analysis, site="shop")
    assert [(each.kind, each.count) for each in answer.kinds] == [
        ("its x has to be a whole number or null, and is …", 2), ("it is no frame", 1),
        ("it points to view …, which is not there", 1),
    ]  # fmt: skip
    assert [each.event_id for each in answer.lines] == ["id-3", "id-2", "id-1", ""]
    assert answer.lines[2].content == '{"x": "<b>"}'
    assert answer.lines[2].received_at == from_micros(NOW)
    assert (answer.lines[3].received_at, answer.total) == (None, 4)


def test_the_kind_of_a_sentence_that_ends_with_what_is_particular_has_one_mark_at_its_end(
    analysis: Analysis,
) -> None:
    sentence = "InvalidInput: the site has no event that is called 'x'."
    keep_rejected(analysis.folder.rejected, NOW, 8, [Rejected(sentence, "news", NOW, b"", "id-9")])
    add_site(analysis.state, Site("news", "News"))
    (kind,) = (each.kind for each in ask(analysis, site="news").kinds if each.kind.startswith("Invalid"))
    assert kind == kind_of(sentence) == "InvalidInput: the site has no event that is called …"


def test_a_kind_is_listed_alone_and_no_more_than_asked_for(analysis: Analysis) -> None:
    answer = ask(analysis, site="shop", kind="its x has to be a whole number or null, and is …", limit=1)
    assert ([each.event_id for each in answer.lines], answer.total) == (["id-2"], 2)


def test_an_empty_folder_has_nothing_and_says_so(tmp_path: Path) -> None:
    empty = Analysis(open_folder(tmp_path / "new", create=True).path, threads=1)
    add_site(empty.state, Site("shop", "Shop"))
    assert (ask(empty).total, ask(empty).lines) == (0, ())


def test_a_line_that_is_half_written_is_left_out(analysis: Analysis) -> None:
    (analysis.folder.rejected / "shop.2025-11-24.000001.ndjson").write_bytes(b'{"reason": "half')
    assert ask(analysis, site="shop").total == 4


def test_sql_finds_them_and_reads_no_other_file(analysis: Analysis) -> None:
    query = SqlQuery("select site, count(*) from rejected group by 1 order by 1")
    answer = analysis.ask(query)
    assert isinstance(answer, RowsAnswer)
    assert answer.values == (("", 1), ("blog", 1), ("shop", 3))
    with pytest.raises(InvalidInput):
        analysis.ask(SqlQuery(f"select * from rejected, read_text('{analysis.folder.secret_path.name}')"))


def test_sql_of_somebody_who_is_no_admin_does_not_find_them(analysis: Analysis) -> None:
    with pytest.raises(InvalidInput, match="no view called"):
        analysis.ask(replace(SqlQuery("select * from rejected"), is_admin=False))
