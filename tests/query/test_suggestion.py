from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from expost.query.answer import Level
from expost.query.suggestion import suggestions
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
    assert suggestions([level(dom_id="row-48213", classes=("row",))]) == ("div.row",)


def test_hashed_and_state_classes_are_passed_over() -> None:
    classes = ("css-1q2w3e", "is-open", "active", "card", "md:p-2")
    assert suggestions([level("a", classes=classes)]) == ("a.card",)


def test_without_words_of_its_own_an_element_is_found_by_its_place() -> None:
    chain = [
        level("span", type_index=2, type_count=3),
        level("button", attributes={"type": "submit"}),
        level("form", classes=("signup",)),
        level("body"),
    ]
    assert suggestions(chain) == (
        'form.signup > button[type="submit"] > span:nth-of-type(2)', 'form.signup > button[type="submit"]',
        "form.signup", "body",
    )  # fmt: skip


def test_a_place_is_not_looked_for_outside_the_shadow_tree() -> None:
    chain = [level("b", is_shadow_child=True), level("my-card", dom_id="card")]
    assert suggestions(chain) == ("b", "#card")


def test_a_masked_value_is_not_asked_for() -> None:
    assert suggestions([level("a", attributes={"href": "/p?q=…", "title": None})]) == ("a",)


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
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(pages=pages_with_secrets())
def test_a_suggestion_surely_matches_its_element(pages) -> None:
    lake = ElementLake(pages[1])
    wanted: dict[str, set[int]] = {}
    for placement_id in set(lake.ids):
        chain = levels(lake, placement_id)
        for each, text in zip(chain, suggestions(chain), strict=True):
            wanted.setdefault(text, set()).add(int(each.element_id))
    for text, placement_ids in wanted.items():
        found = lake.ask(text).matches
        assert all(found.get(each) is True for each in placement_ids), text
