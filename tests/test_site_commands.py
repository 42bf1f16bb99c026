"""Sites on the command line, and what each of them counts."""

from __future__ import annotations

import json

import pytest

from expost.clock import wall_clock
from expost.state.database import State
from expost.state.sites import Site, add_site, change_site
from tests.doors import printed, run
from tests.story import Story, small_rich_lake


def test_sites_are_made_changed_and_keyed_on_the_command_line(tmp_path):
    data = tmp_path / "data"
    made = run(data, "sites", "add", "My shop", "--time-zone", "Europe/Berlin")
    assert made.exit_code == 0
    assert '<script async src="http://127.0.0.1:8000/expost.js" data-key="xw_' in made.stdout
    assert run(data, "sites", "tag").stdout.strip() in made.stdout
    changed = json.loads(run(data, "sites", "change", "my-shop", "--origin", "https://shop.example/x").stdout)
    assert changed["origins"] == ["https://shop.example"]
    key = json.loads(run(data, "sites", "keys", "--new", "import", "--json").stdout)
    listed = json.loads(run(data, "sites", "keys", "--json").stdout)
    assert [each["kind"] for each in listed] == ["write", "import"]
    assert key["key"] not in json.dumps(listed)
    revoked = json.loads(run(data, "sites", "keys", "--revoke", key["prefix"], "--json").stdout)
    assert revoked["revoked_at"]


@pytest.mark.parametrize("origin", ["https://*.shop.example", "https://müller.example"])
def test_an_origin_that_no_browser_writes_is_refused_and_not_kept(tmp_path, origin):
    """Kept, it would turn away every page that it was meant to let in."""
    data = tmp_path / "data"
    assert run(data, "sites", "add", "My shop").exit_code == 0
    refused = run(data, "sites", "change", "my-shop", "--origin", origin)
    assert (refused.exit_code, "origin" in refused.stderr) == (2, True)
    [site] = json.loads(run(data, "sites", "list").stdout)
    assert site["origins"] == []


def test_a_name_that_leaves_nothing_for_a_slug_is_told_to_say_one(tmp_path):
    data = tmp_path / "data"
    assert run(data, "sites", "add", "日本語").exit_code == 0
    assert "--slug" in run(data, "sites", "add", "한국어").stderr


def test_what_a_sites_numbers_count_is_given_changed_and_listed_on_the_command_line(tmp_path):
    data = tmp_path / "data"
    assert run(data, "sites", "add", "Shop").exit_code == 0
    assert run(data, "sites", "add", "Blog", "--count-internal", "--environment", "all").exit_code == 0

    def listed() -> dict[str, tuple[bool, list[str]]]:
        found = json.loads(run(data, "sites", "list").stdout)
        return {each["site"]: (each["count_internal"], each["environments"]) for each in found}

    assert listed() == {"shop": (False, ["production"]), "blog": (True, ["all"])}
    changed = run(data, "sites", "change", "blog", "--leave-internal-out", "--environment", "production",
                  "--environment", "staging")  # fmt: skip
    assert json.loads(changed.stdout)["environments"] == ["production", "staging"]
    run(data, "sites", "change", "blog", "--name", "Weblog")
    assert listed()["blog"] == (False, ["production", "staging"])
    refused = run(data, "sites", "change", "blog", "--environment", "all", "--environment", "staging")
    assert (refused.exit_code, "say 'all' alone" in refused.stderr) == (2, True)


def test_what_a_site_counts_is_counted_through_every_door_unless_the_question_says_otherwise(tmp_path):
    story = small_rich_lake(Story(tmp_path / "data"))
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    preview = ("preview", "--view", "/**")
    expected = printed(story.path, *preview)["people"]
    because = {
        "bots": "the site leaves out bots",
        "environment": "the site leaves out environments other than 'production'",
        "internal": "the site leaves out internal devices",
    }
    answer = printed(story.path, *preview)
    assert {each["reason"]: each["because"] for each in answer["left_out"]} == because

    change_site(state, "shop", count_internal=True, environments=())
    state.close()
    answer = printed(story.path, *preview)
    assert (answer["people"], [each["reason"] for each in answer["left_out"]]) == (expected + 2, ["bots"])
    assert answer["notes"] == [
        "Internal devices count, because the site says so.",
        "All environments count, because the site says so.",
    ]
    asked = printed(story.path, *preview, "--internal", "no", "--environment", "production")
    assert asked["people"] == expected
    assert {each["reason"]: each["because"] for each in asked["left_out"]} == {
        "bots": "the site leaves out bots",
        "environment": "the question leaves out environments other than 'production'",
        "internal": "the question leaves out internal devices",
    }


def test_with_two_sites_one_is_named_and_the_hint_says_how(tmp_path):
    data = tmp_path / "data"
    for name in ("Shop", "Blog"):
        run(data, "sites", "add", name)
    for command in ("tag", "keys"):
        refused = run(data, "sites", command, "--json") if command == "keys" else run(data, "sites", command)
        assert refused.exit_code == 2
        assert "Name one of: shop, blog (--site, or site= over HTTP and in Python)." in refused.stderr
        by_option = run(data, "sites", command, "--site", "blog")
        assert by_option.exit_code == 0
        assert by_option.stdout == run(data, "sites", command, "blog").stdout
        assert run(data, "sites", command, "shop", "--site", "blog").exit_code == 2
