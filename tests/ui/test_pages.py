"""Every page in every state, as somebody with JavaScript off gets it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from expost.errors import QueryLimit
from expost.ui import samples, samples_events
from expost.ui.event import conditions_of
from expost.ui.live import live_view
from expost.ui.page import HERE
from expost.ui.samples_imports import STATES
from tests.ui.stand_in import OTHER, SITE, TAG, StandIn, client, soup

FUNNEL = "/funnel?step=Viewed+a+tea&step=Added+to+basket&within=7d"
PAGES = (
    "/live", "/live?type=click", "/live?type=click&refresh=5", "/events/x", "/events/x?level=0", "/events/x?level=9",
    "/events/view", "/definitions", "/definition?name=Viewed+a+tea", "/define", "/define?click=button.add",
    "/definition/difference?name=x&old=1&new=2", "/definitions?archived=yes",
    "/define?click=a:hover", "/unnamed", "/definition-health", "/events/x?level=2&suggestion=1",
    "/funnel", FUNNEL, f"{FUNNEL}&by=flag:new-checkout", "/funnel?step=a&within=soon",
    f"{FUNNEL}&compare=cohort:Regulars", "/retention?start_event=a&compare=cohort:Regulars",
    "/funnel/people?step=a&step=b&at=2&dropped_off=yes", "/trend?name=a&measure=sum:price&compare=previous",
    "/retention/people?start_event=a&cohort_day=2026-11-02&at=1", "/trend/people?name=a&at=2026-11-02",
    "/trend?name=a&cohort=Regulars",
    "/retention", "/retention?start_event=a&return_event=b", "/retention?start_event=a&by=flag:new-checkout",
    "/trend", "/trend?name=a",
    "/trend?name=a&by=flag:new-checkout", "/losses", "/losses?from=2026-11-01&by=page",
    "/rejected", "/rejected?kind=a", "/sql",
    "/stickiness", "/stickiness?name=a&by=flag:new-checkout", "/lifecycle", "/lifecycle?name=a&last=30d",
    "/paths", "/paths?name=a&direction=before",
    "/sessions", "/sessions?by=device_class&order=longest&last=30d", "/sessions?person=5&offset=50", "/sessions/x",
    "/funnel/explanation?step=a&step=b",
    "/retention/explanation?start_event=a", "/reports", "/reports/Checkout", "/reports/Checkout?last=7d",
    "/reports/Coming%20back", "/reports/What%20then", "/reports/Pinned", "/reports/Nowhere", "/reports?archived=yes",
    "/dashboards", "/dashboards/Weekly", "/dashboards/Weekly?from=2026-11-01", "/cohorts", "/cohort?name=Regulars",
    "/reconcile", "/reconcile?report=Checkout",
    *(f"/import?id={number}" for number in range(len(STATES))), "/imports",
    "/sql?query=select+1", "/setup", "/account", "/audit", "/login", "/setup-account", "/patterns",
)  # fmt: skip


@pytest.mark.parametrize("state", ["full", "empty", "failing"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_in_every_state_is_a_page_that_says_what_it_is(path: str, state: str) -> None:
    failure = QueryLimit("The question was stopped.", hint="Ask about less.") if state == "failing" else None
    response = client(StandIn(is_empty=state == "empty", failure=failure)).get(path)
    assert response.status_code in (200, 400, 404, 503)
    page = soup(response.text)
    assert page.h1
    assert page.h1.get_text(strip=True)
    assert page.title
    assert page.title.get_text().endswith("Expost")
    if response.status_code != 200:
        assert page.select_one("[role=alert]")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_anything_inline_that_its_policy_forbids(path: str) -> None:
    response = client().get(path)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    page = soup(response.text)
    assert not page.select("style, [style]")
    assert all(str(script.get("src")).startswith("/static/") for script in page.select("script"))
    assert not [
        name for element in page.find_all(True) for name in element.attrs if name.lower().startswith("on")
    ]


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_label_and_every_link_leads_somewhere(path: str) -> None:
    page = soup(client().get(path).text)
    labelled = {str(label.get("for")) for label in page.select("label")}
    for control in page.select("input:not([type=hidden]), select, textarea"):
        assert control.get("id") in labelled, control
    ids = [element["id"] for element in page.select("[id]")]
    if not path.startswith("/patterns"):
        assert len(ids) == len(set(ids))
    for link in page.select("a"):
        assert str(link.get("href")).startswith(("/", "#", "https://search.example/"))


@pytest.mark.parametrize("path", [*PAGES, "/live/latest", "/setup/status", "/define/preview?click=b"])
def test_hostile_text_is_shown_and_never_becomes_markup(path: str) -> None:
    text = client().get(path).text
    assert "<img src=x" not in text
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", text)
    assert "<script>alert" not in text


def test_a_name_that_wants_to_be_markup_or_to_deceive_is_shown_as_what_it_is() -> None:
    cell = soup(client().get("/definitions").text).select_one("tbody tr:last-child th")
    assert cell
    assert cell.get_text(strip=True).startswith("<img src=x onerror=alert(1)>")
    assert [each.get_text() for each in cell.select(".oddity")] == ["U+202E", "U+200B"]
    assert [each["title"] for each in cell.select(".look-alike")] == [
        "cyrillic small letter er (U+0440)",
        "cyrillic small letter a (U+0430)",
    ]


@pytest.mark.parametrize(
    ("referrer", "is_link"),
    [("https://search.example/", True), ("javascript:alert(1)", False), ("data:text/html,x", False)],
)
def test_a_referrer_becomes_a_link_only_if_it_is_an_address_of_the_web(referrer: str, is_link: bool) -> None:
    page = soup(client(StandIn(said={"referrer": referrer})).get("/events/x").text)
    assert bool(page.select(f'.fields a[href="{referrer}"]')) == is_link
    assert referrer in page.get_text()


def test_an_event_opens_at_the_control_that_was_clicked_and_any_ancestor_is_a_link() -> None:
    stand_in = StandIn()
    page = soup(client(stand_in).get("/events/x").text)
    levels = page.select(".breadcrumb a")
    assert next(level.code.get_text() for level in levels if level.code) == "html"
    assert len(levels) == 10
    chosen = page.select_one(".breadcrumb [aria-current]")
    assert chosen
    assert "button.add.primary" in chosen.get_text()
    wider = soup(client(stand_in).get(levels[4]["href"]).text)
    assert wider.select_one('form.save input[name=click][value="li.tea"]')


def test_selectors_are_suggested_with_reasons_and_another_one_is_a_link_away() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    page = soup(web.get("/events/x").text)
    links = page.select(".suggestions li > a")
    assert [link.code.get_text() for link in links if link.code][:2] == ["button.add.primary", "button.add"]
    assert "there on all 41 days" in links[0].get_text()
    assert links[0].has_attr("aria-current")
    assert "comes and goes" in page.select(".suggestions .note")[-1].get_text()
    other = soup(web.get(str(links[2]["href"])).text)
    assert other.select_one("form.save input[name=click][value=button]")
    text = other.select_one("form.save input[name=text]")
    assert text
    assert text["value"] == f"is:{samples.NASTY}"
    assert [link.has_attr("aria-current") for link in other.select(".suggestions li > a")] == [
        False,
        False,
        True,
        False,
    ]
    for wrong in ("4", "x", "-1"):
        assert web.get(f"/events/x?suggestion={wrong}").status_code == 400


def test_what_has_no_name_gets_one_by_a_button_that_needs_no_script() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    forms = soup(web.get("/unnamed").text).select(".unnamed form")
    assert len(forms) == 6
    fields = {str(field["name"]): str(field["value"]) for field in forms[1].select("input")}
    assert web.post(str(forms[1]["action"]), data=fields, follow_redirects=False).status_code == 303
    assert stand_in.saved[-1].name == "Clicked Pricing"
    assert str(stand_in.saved[-1]) == "click on nav.site a and text is:Pricing"
    [changed] = forms[5].select("a")
    assert "on=copy+ul.teas+li.tea" in str(changed["href"])


def test_naming_a_level_saves_what_was_shown_and_leads_to_its_past() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    form = soup(web.get("/events/x?level=4").text).select_one("form.save")
    assert form
    fields = {field["name"]: field["value"] for field in form.select("input")} | {"name": "Chose a tea"}
    response = web.post(str(form["action"]), data=fields, follow_redirects=False)
    assert response.status_code == 303
    assert stand_in.saved[-1].name == "Chose a tea"
    assert str(stand_in.saved[-1]) == "click on tea-card.featured"
    landed = soup(web.get(response.headers["location"]).text)
    assert landed.h1
    assert landed.h1.get_text() == "Chose a tea"
    assert landed.select_one("[role=status]")


def test_a_refused_form_comes_back_filled_in_with_a_caret() -> None:
    response = client().post("/definitions", data={"name": "Hovered", "click": "nav > a:hover"})
    assert response.status_code == 400
    page = soup(response.text)
    caret = page.select_one("pre.caret")
    assert caret
    assert caret.get_text() == "nav > a:hover\n       ^"
    assert page.select_one("input[name=click][value='nav > a:hover']")


def test_a_refusal_while_typing_is_an_ordinary_panel() -> None:
    response = client().get("/define/preview?click=a:hover")
    assert response.status_code == 200
    assert "<html" not in response.text
    assert "whether a pointer was over it" in response.text


def test_while_somebody_types_the_count_comes_first_and_the_rest_is_fetched():
    web = client()
    first = soup(web.get("/define/preview?click=button"))
    [rest] = first.select("[data-fill]")
    assert "431" in first.text
    assert "Also matches" not in first.text
    filled = soup(web.get(str(rest["data-fill"])))
    assert [link.text for link in filled.select(".overlaps li:first-child a")] == ["Bought tea"]
    assert "143 events: 33.3% of these, 2.0% of its own" in filled.text
    assert filled.select(".samples mark")
    # Without a script the page has all of it at once.
    page = soup(web.get("/define?click=button"))
    assert not page.select("[data-fill]")
    assert page.select(".overlaps li.warning")


def test_a_definition_can_be_taken_up_again_in_the_form_that_gives_it() -> None:
    page = soup(client().get("/definition?name=Placed+the+order").text)
    link = page.select_one("a[href^='/define?']")
    assert link
    form = soup(client().get(str(link["href"])).text)
    assert form.select_one("input[name=click][value='form.order button[type=submit]']")
    assert form.select_one("form.save input[name=name][value='Placed the order']")


def test_a_funnel_keeps_its_form_beside_an_error() -> None:
    response = client().get("/funnel?step=Viewed+a+tea&within=soon")
    assert response.status_code == 400
    page = soup(response.text)
    assert page.select_one("input[name=within][value=soon]")
    assert page.select_one("select[name=step] option[value='Viewed a tea'][selected]")
    assert "within is 'soon', which is no length of time" in page.get_text()


def test_a_funnel_form_has_room_for_one_more_step() -> None:
    steps = "&".join(f"step=s{number}" for number in range(7))
    assert len(soup(client().get(f"/funnel?{steps}").text).select("select[name=step]")) == 8


def test_empty_pages_say_what_to_do() -> None:
    empty = client(StandIn(is_empty=True))
    for path in ("/live", "/definitions", "/funnel", "/retention", "/trend"):
        box = soup(empty.get(path).text).select_one(".empty")
        assert box, path
        assert box.select("a.button"), path
    assert TAG in soup(empty.get("/live").text).get_text()


def test_the_lamp_turns_green_with_the_first_event() -> None:
    assert "Waiting for the first event" in client(StandIn(is_empty=True)).get("/setup/status").text
    assert "Events are arriving" in client().get("/setup/status").text


def test_the_setup_page_says_how_the_sites_own_people_leave_themselves_out() -> None:
    page = soup(client().get("/setup").text)
    [line] = page.select("#own")
    assert line.get_text() == "expost('internal')"
    assert "expost('internal', false)" in page.get_text()


def test_without_scripts_the_live_page_renews_itself_when_asked() -> None:
    web = client()
    plain = web.get("/live?type=click").text
    assert 'http-equiv="refresh"' not in plain
    assert 'href="/live?type=click&amp;refresh=5"' in plain
    assert '<meta http-equiv="refresh" content="5">' in web.get("/live?type=click&refresh=5").text


def test_a_panel_alone_is_the_panel_in_the_page() -> None:
    web = client()
    assert web.get("/live/latest").text.strip() in web.get("/live").text
    assert web.get("/setup/status").text.strip() in web.get("/setup").text


def test_several_sites_are_chosen_by_name_and_kept_in_every_link() -> None:
    stand_in = StandIn()
    web = client(stand_in, sites=(SITE, OTHER))
    page = soup(web.get("/live?site=blog").text)
    assert stand_in.asked[-1][1].site == "blog"
    assert page.select_one("select[name=site] option[value=blog][selected]")
    assert all("site=blog" in str(link["href"]) for link in page.select("nav a[href^='/']"))
    assert web.get("/live?site=nosuch").status_code == 404


def test_static_files_are_cached_under_an_address_that_changes_with_them() -> None:
    web = client()
    sheet = soup(web.get("/live").text).select_one("link[rel=stylesheet]")
    assert sheet
    response = web.get(str(sheet["href"]))
    assert response.headers["content-type"].startswith("text/css")
    assert "immutable" in response.headers["cache-control"]
    assert web.get("/static/tokens.css").headers["cache-control"] == "no-cache"
    for path in ("/static/nosuch.css", "/static/..%2Fpage.py", "/static/%2e%2e/page.py"):
        assert web.get(path).status_code == 404


def test_templates_stay_short_and_hold_no_arithmetic() -> None:
    for template in sorted((HERE / "templates").glob("*.html")):
        text = template.read_text("utf-8")
        assert len(text.splitlines()) <= 40, template.name
        for expression in re.findall(r"\{[{%](.*?)[%}]\}", text):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", expression)
            assert not re.search(r"\w\s*[*/+]\s*\w|\w -\s*\w", bare), (template.name, expression)


def test_the_list_is_there_at_once_and_counted_line_by_line_or_when_asked() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    page = soup(web.get("/definitions").text)
    assert [call[0] for call in stand_in.asked] == ["definitions"]
    lines = page.select("tr[data-fill]")
    assert len(lines) == len(stand_in.saved)
    counted = web.get(str(lines[0]["data-fill"])).text
    assert "data-fill" not in counted
    assert '<td class="n" data-label="Events">431</td>' in counted
    assert 'href="/definitions?count=all"' in web.get("/definitions").text
    everything = soup(web.get("/definitions?count=all").text)
    assert not everything.select("tr[data-fill]")
    assert len(everything.select("svg.sparkline")) == len(stand_in.saved)


def test_a_selector_that_gathers_several_texts_can_be_narrowed_to_the_one_that_was_clicked() -> None:
    web = client()
    link = soup(web.get("/events/x").text).select_one(".meaning a[href*='text=']")
    assert link
    assert link.get_text() == "Only those that say “Add to basket”"
    form = soup(web.get(str(link["href"])).text)
    assert form.select_one("form.save input[name=text][value='is:Add to basket']")
    assert form.select_one("form.save input[name=click][value='button.add.primary']")


def test_what_sets_an_event_apart_is_explained_and_a_stranger_has_one_name() -> None:
    page = soup(client().get("/live").text)
    bot = next(tag for tag in page.select(".person .tag") if tag.get_text() == "bot")
    assert "user agent" in str(bot["title"])
    strangers = [cell for cell in page.select("td.person") if "stranger" in cell.get_text()]
    assert all(str(cell["title"])[-6:] in cell.get_text() for cell in strangers)
    breadcrumb = soup(client().get("/events/x").text).select(".breadcrumb .tag")
    assert "interactive" in [tag.get_text() for tag in breadcrumb]


def test_an_event_of_any_type_is_shown_by_its_name_and_can_be_named() -> None:
    page = client(StandIn(said={"type": "copy"})).get("/events/x").text
    assert 'name="on" value="copy"' in page
    named = {
        kind: conditions_of({"type": kind}, samples_events.chain()[2])
        for kind in ("click", "copy", "identify")
    }
    assert named == {
        "click": (("click", "button.add.primary"),),
        "copy": (("on", "copy button.add.primary"),),
        "identify": (),
    }
    told = {"type": "web_vital", "properties": '{"metric": "LCP", "value": 1834.6}', "label": None}
    vital = client(StandIn(said=told)).get("/events/x").text
    assert "Web vital at" in vital
    [heading] = soup(vital).select("h1")
    assert heading.get_text() == "LCP 1,835 ms"
    assert "down to what was clicked" in client().get("/events/x").text
    assert (
        "down to the field that was changed" in client(StandIn(said={"type": "change"})).get("/events/x").text
    )
    shown = client().get("/live", params={"type": "web_vital"}).text
    assert '<a href="/live?type=web_vital" aria-current="true">web vital</a>' in shown
    assert client().get("/live", params={"type": "<b>"}).status_code == 400
    measured = samples_events.live(3, type="web_vital", metric="CLS", value=0.0312, label=None, name=None)
    assert {row.what for row in live_view(measured).rows} == {"CLS 0.031"}


# The page of patterns shows parts of pages, which begin at the level that they have there.
@pytest.mark.parametrize("path", [path for path in PAGES if path != "/patterns"])
def test_no_heading_leaves_out_a_level(path: str) -> None:
    levels = [int(each.name[1]) for each in soup(client().get(path).text).select("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert all(level <= before + 1 for before, level in pairwise(levels)), levels


def test_a_page_that_no_entry_of_the_menu_names_says_on_a_phone_that_it_opens_all_pages() -> None:
    labels = [soup(client().get(path).text).select_one(".menu") for path in ("/patterns", "/sql")]
    assert [" ".join(each.get_text().split()) for each in labels if each] == [
        "All pages",
        "All pages, this one is SQL",
    ]


def test_the_line_to_paste_can_be_copied_where_the_first_event_is_waited_for() -> None:
    page = soup(client(StandIn(is_empty=True)).get("/live").text)
    button = page.select_one("[data-copy]")
    assert button
    line = page.find(id=str(button["data-copy"]))
    assert line
    assert line.get_text() == TAG


@pytest.mark.parametrize("path", ["/paths?name=a", "/stickiness?name=a", "/lifecycle?name=a"])
def test_an_empty_answer_leads_to_the_definition_that_it_asked_about(path: str) -> None:
    links = soup(client(StandIn(is_empty=True)).get(path).text).select(".empty a")
    assert [str(each["href"]).partition("=")[0] for each in links] == ["/definition?name"]
