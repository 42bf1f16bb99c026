from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from expost.query.candidate import candidates
from expost.query.level import Level
from expost.query.suggestion import suggestions
from expost.query.token import TokenLife, stays
from tests.query.markup import ElementLake
from tests.query.test_selector_agreement import pages_with_secrets


def level(tag: str = "div", **others: object) -> Level:
    given_ = {
        "distance": 0, "element_id": "1", "descriptor": tag, "dom_id": None, "classes": (), "attributes": {},
        "index": 1, "count": 1, "type_index": 1, "type_count": 1, "is_shadow_child": False,
    }  # fmt: skip
    return Level(tag=tag, **(given_ | others))  # type: ignore[arg-type]


def test_what_was_put_there_to_be_found_comes_first() -> None:
    buy = level("button", dom_id="buy", classes=("btn",), attributes={"data-testid": "buy now", "name": "b"})
    assert suggestions([buy]) == ('[data-testid="buy now"]',)


def test_an_id_that_looks_chosen_is_taken_and_a_counted_one_is_not() -> None:
    assert suggestions([level(dom_id="checkout")]) == ("#checkout",)
    assert suggestions([level(dom_id="row-48213", classes=("teas",))]) == ("div.teas",)


def test_hashed_and_state_classes_are_passed_over() -> None:
    for generated in ("css-1q2w3e", "sc-bdVaJa", "_FZOlX", "Button_root__x7Yz1", "svelte-1x2ab3"):
        classes = (generated, "is-open", "active", "card", "md:p-2", "mt-3")
        assert suggestions([level("a", classes=classes)]) == ("a.card",)


def test_an_element_is_named_inside_what_has_words_and_not_by_its_place() -> None:
    chain = [
        level("span", type_index=2, type_count=3),
        level("button", attributes={"type": "submit"}),
        level("form", classes=("signup",)),
        level("body"),
    ]
    assert suggestions(chain) == (".signup span", '.signup button[type="submit"]', "form.signup", "body")


def test_its_place_is_among_the_candidates_all_the_same() -> None:
    chain = [level("span", type_index=2, type_count=3), level("form", classes=("signup",)), level("body")]
    by_place = [each.selector for each in candidates(chain) if each.kind == "place"]
    assert by_place == ["form.signup > span:nth-of-type(2)"]


def test_a_place_is_not_looked_for_outside_the_shadow_tree() -> None:
    chain = [level("b", is_shadow_child=True), level("my-card", dom_id="card")]
    assert suggestions(chain) == ("b", "#card")
    assert not [each for each in candidates(chain) if "card" in each.selector]


def test_a_masked_value_is_not_asked_for() -> None:
    assert suggestions([level("a", attributes={"href": "/p?q=…", "title": None})]) == ("a",)


def test_an_address_that_leads_nowhere_says_nothing() -> None:
    for address in ("#", "", "javascript:void(0)", "#!"):
        assert not [
            each for each in candidates([level("a", attributes={"href": address})]) if "href" in each.selector
        ]


def test_what_history_says_of_a_word_outweighs_its_looks() -> None:
    old = TokenLife(events=400, days=41, releases=4, page_releases=4, span_days=60)
    new = TokenLife(events=400, days=9, releases=1, page_releases=4, span_days=9)
    chain = [level("a", classes=("mqxkd", "teaser"))]
    assert suggestions(chain) == ("a.teaser",)
    assert suggestions(chain, {".mqxkd": old, ".teaser": new}) == ("a.mqxkd",)


def test_a_word_that_is_seldom_seen_is_not_taken_for_dead() -> None:
    seldom = TokenLife(events=1, days=1, releases=1, page_releases=2, span_days=1)
    often = TokenLife(events=30, days=1, releases=1, page_releases=2, span_days=1)
    assert stays("teaser", seldom) > 0.6
    assert stays("teaser", often) < 0.2


def levels(lake: ElementLake, placement_id: int) -> list[Level]:
    descriptors = {row["descriptor_id"]: row for row in lake.descriptors}
    placements = {row["placement_id"]: row for row in lake.placements}
    chain = []
    for distance, each in enumerate([placement_id, *placements[placement_id]["ancestors"]]):
        where, what = placements[each], descriptors[placements[each]["descriptor_id"]]
        chain.append(Level(
            distance=distance, element_id=str(each), descriptor=what["tag"], tag=what["tag"], dom_id=what["dom_id"],
            classes=tuple(what["classes"]),
            attributes={a["name"]: a["value"] for a in what["attributes"]} | dict.fromkeys(what["attribute_names"]),
            index=where["sibling_index"], count=where["sibling_count"], type_index=where["type_index"],
            type_count=where["type_count"], is_shadow_child=where["is_shadow_child"],
        ))  # fmt: skip
    return chain


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(pages=pages_with_secrets())
def test_every_candidate_surely_matches_its_element(pages) -> None:
    lake = ElementLake(pages[1])
    wanted: dict[str, set[int]] = {}
    for placement_id in set(lake.ids):
        chain = levels(lake, placement_id)
        for place, each in enumerate(chain[:2]):
            for candidate in candidates(chain[place:]):
                wanted.setdefault(candidate.selector, set()).add(int(each.element_id))
    for text, placement_ids in wanted.items():
        found = lake.ask(text).matches
        assert all(found.get(each) is True for each in placement_ids), text
