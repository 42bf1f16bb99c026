"""For how long events are kept, as an operator meets it: what is said, what can be changed, and what then goes."""

from __future__ import annotations

import json
import time
from pathlib import Path

from click.testing import CliRunner, Result

from expost.cli import main
from expost.lake.reader import connect
from tests.serving import Serving, make_site
from tests.story import Story, track, view

OLD = "2020-03-02 10:00"


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)])


def test_the_first_start_says_for_how_long_events_are_kept_and_how_to_change_it(tmp_path):
    data = tmp_path / "data"
    command = "expost sites change site --keep-months 13"
    sentence = f"Events of site are kept for 25 months. Another time: {command} (or forever)"
    with Serving(data) as first:
        assert [line for line in first.said if "are kept" in line] == [sentence]

    assert run(data, *command.split()[1:]).exit_code == 0
    with Serving(data) as second:
        assert not [line for line in second.said if "are kept" in line]


def test_a_server_removes_what_is_too_old_when_it_starts_and_takes_what_comes(tmp_path):
    data = tmp_path / "data"
    make_site(data, "shop", keep_months=1)
    make_site(data, "blog", keep_months=None)
    story = Story(data)
    for site in ("shop", "blog"):
        story.capture("ann", view("/"), track("Paid"), at=OLD, site=site)
    story.store()
    with Serving(data) as server:
        until = time.monotonic() + 30
        while sites_of_events(data) != ["blog"] and time.monotonic() < until:
            time.sleep(0.1)
        assert sites_of_events(data) == ["blog"]
        assert server.process is not None
        assert server.process.poll() is None
    told = [line for line in server.said if '"part": "sink"' in line]
    assert [line for line in told if '"event": "removed"' not in line] == []


def sites_of_events(data: Path) -> list[str]:
    with connect(data) as connection:
        return [
            site for (site,) in connection.execute("select distinct site from events order by 1").fetchall()
        ]


def test_the_keeping_time_is_given_changed_and_listed_on_the_command_line(tmp_path):
    data = tmp_path / "data"
    assert run(data, "sites", "add", "Shop").exit_code == 0
    assert run(data, "sites", "add", "Blog", "--keep-months", "forever").exit_code == 0
    listed = {each["site"]: each["keep_months"] for each in json.loads(run(data, "sites", "list").stdout)}
    assert listed == {"shop": 25, "blog": None}
    changed = run(data, "sites", "change", "blog", "--keep-months", "13")
    assert json.loads(changed.stdout)["keep_months"] == 13
    untouched = run(data, "sites", "change", "blog", "--count-bots")
    assert (json.loads(untouched.stdout)["keep_months"], untouched.stderr) == (13, "")
    refused = run(data, "sites", "change", "blog", "--keep-months", "0")
    assert refused.exit_code == 2
    assert "Use a whole number from 1 to 1,200, or forever." in refused.stderr


def test_a_change_says_first_how_much_would_be_removed_and_that_history_is_part_of_it(tmp_path):
    data = tmp_path / "data"
    make_site(data)
    story = Story(data)
    story.capture("ann", track("Paid"), track("Paid"), at=OLD, is_imported=True)
    story.capture("bob", track("Paid"), at=OLD, site="blog")
    story.store()
    said = run(data, "sites", "change", "shop", "--keep-months", "13").stderr
    assert said == (
        "Events of shop are kept for 13 months, imported history included. 2 are older today: they are removed for "
        "good at the next start of the server or at midnight (UTC).\n"
    )
    assert len(sites_of_events(data)) == 2
    assert "for ever" in run(data, "sites", "change", "shop", "--keep-months", "forever").stderr


def test_who_makes_an_import_key_is_warned_of_the_keeping_time(tmp_path):
    data = tmp_path / "data"
    make_site(data)
    for options in ((), ("--json",)):
        warned = run(data, "sites", "keys", "shop", "--new", "import", *options)
        assert "kept for 25 months: older history sent with this key is removed again" in warned.stderr
        assert "expost sites change shop --keep-months N (or forever)" in warned.stderr
    assert run(data, "sites", "keys", "shop", "--new", "server").stderr == ""
    run(data, "sites", "change", "shop", "--keep-months", "forever")
    assert run(data, "sites", "keys", "shop", "--new", "import").stderr == ""
