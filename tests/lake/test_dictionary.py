"""Ids by content: the same thing has the same id, whatever batch it came in."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.lake.batch import CHECKED, SHADOW_CHILD, SVG, Descriptor, Element, Frame
from expost.lake.dictionary import DICTIONARIES, Dictionary
from expost.lake.element_table import ElementTable, Place
from expost.lake.schema import TABLES
from tests.lake.test_rows import accepted
from tests.story import Chains

SECRET = bytes(range(32))


def chain(where: str, secret: bytes = SECRET) -> tuple[Dictionary, Place]:
    dictionary, chains = Dictionary(secret), Chains()
    place = chains.add(where)
    return dictionary, ElementTable(dictionary, chains.descriptors, chains.elements).place_of(place)


def test_of_so_many_names_the_ids_are_remembered_and_all_are_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("expost.lake.dictionary.MAX_NAMES", 10)
    dictionary = Dictionary(SECRET)
    names = [f"d{number}" for number in range(50)]
    ids = [dictionary.device("shop", name, False) for name in names]
    dictionary.settle()
    assert [dictionary.device("shop", name, False) for name in names] == ids
    for number in range(50):
        dictionary.user("shop", f"u{number}")
        dictionary.group("shop", "company", f"g{number}")
        assert len(dictionary._named) <= 10
    assert not dictionary.fresh["devices"]
    assert len(dictionary.fresh["users"]) == len(dictionary.fresh["groups"]) == 50


def test_the_same_chain_has_the_same_ids_in_every_batch_of_one_installation() -> None:
    first, again = chain("main form.signup button.buy"), chain("main form.signup button.buy")
    assert first[1] == again[1]
    assert first[0].fresh == again[0].fresh
    assert chain("main form.signup button.buy", secret=bytes(32))[1] != first[1]


def test_another_place_is_another_placement_of_the_same_element() -> None:
    first, second = (chain(f"main ul li:nth({place},2) a")[1] for place in (1, 2))
    assert first.element_id == second.element_id
    assert first.placement_id != second.placement_id


def test_a_list_that_grows_adds_placements_and_no_elements() -> None:
    dictionary = Dictionary(SECRET)
    descriptors = [Descriptor("ul"), Descriptor("li"), Descriptor("a")]
    for count in range(1, 30):
        elements = [
            Element(0),
            Element(1, 0, count, count, count, count, [1] * min(count - 1, 20)),
            Element(2, 1),
        ]
        ElementTable(dictionary, descriptors, elements).place_of(2)
    assert len(dictionary.fresh["elements"]) == 3
    assert len(dictionary.fresh["placements"]) == 1 + 2 * 29


def test_ancestors_are_nearest_first_and_go_through_shadow_hosts() -> None:
    dictionary, place = chain("my-cart >>> ul li")
    names = TABLES["elements"].names
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in dictionary.fresh["elements"].values()}
    tags = {row[0]: row[1] for row in dictionary.fresh["descriptors"].values()}
    item = rows[place.element_id]
    assert [tags[rows[above]["descriptor_id"]] for above in item["ancestors"]] == [
        "ul",
        "my-cart",
        "body",
        "html",
    ]
    assert item["parent_id"] == item["ancestors"][0]
    assert (item["tree_depth"], item["depth"]) == (1, 4)
    shadow_child = rows[item["parent_id"]]
    assert (shadow_child["is_shadow_child"], shadow_child["tree_depth"], shadow_child["depth"]) == (
        True,
        0,
        3,
    )
    html = rows[item["ancestors"][-1]]
    assert (html["parent_id"], html["ancestors"], html["is_root"]) == (None, [], True)
    names = TABLES["placements"].names
    placements = {
        row[0]: dict(zip(names, row, strict=True)) for row in dictionary.fresh["placements"].values()
    }
    placed = placements[place.placement_id]
    assert [placements[above]["element_id"] for above in placed["ancestors"]] == item["ancestors"]
    assert placed["parent_placement_id"] == placed["ancestors"][0]
    for each in placements.values():
        element = rows[each["element_id"]]
        for shared in ("descriptor_id", "tree_depth", "is_shadow_child", "is_cut", "is_root"):
            assert each[shared] == element[shared]


def test_a_toggled_class_of_the_body_adds_one_descriptor() -> None:
    dictionary = Dictionary(SECRET)
    for class_name in ("light", "dark"):
        descriptors = [
            Descriptor("html"),
            Descriptor("body", None, class_name),
            Descriptor("a"),
            Descriptor("b"),
        ]
        elements = [Element(0), Element(1, 0), Element(2, 1), Element(3, 2)]
        ElementTable(dictionary, descriptors, elements).place_of(3)
    assert len(dictionary.fresh["descriptors"]) == 5
    # What is under the body stands somewhere else now; only the narrow table repeats that.
    assert len(dictionary.fresh["elements"]) == 7


def test_the_order_of_attributes_names_and_marks_is_no_difference() -> None:
    dictionary = Dictionary(SECRET)
    one = Descriptor("a", None, None, {"rel": "x", "title": "y"}, ["b", "a"], 0, ["title", "rel"])
    two = Descriptor("a", None, None, {"title": "y", "rel": "x"}, ["a", "b", "a"], 0, ["rel", "title"])
    assert dictionary.descriptor(one) == dictionary.descriptor(two)
    assert len(dictionary.fresh["descriptors"]) == 1


def test_an_absent_attribute_is_not_an_empty_one() -> None:
    dictionary = Dictionary(SECRET)
    alike = [
        Descriptor("a"),
        Descriptor("a", ""),
        Descriptor("a", None, ""),
        Descriptor("a", None, None, {"id": ""}),
    ]
    assert len({dictionary.descriptor(one) for one in alike}) == 4


def test_a_descriptor_row_says_in_words_what_the_bits_say() -> None:
    dictionary = Dictionary(SECRET)
    given_one = Descriptor("path", "p…", "icon i…", {"data-x": "1"}, ["d"], SVG | CHECKED, ["id", "class"])
    dictionary.descriptor(given_one)
    [values] = dictionary.fresh["descriptors"].values()
    row = dict(zip(TABLES["descriptors"].names, values, strict=True))
    assert (row["namespace"], row["is_checked"], row["is_disabled"]) == ("svg", True, False)
    assert (row["dom_id"], row["class_name"], row["classes"]) == ("p…", "icon i…", ["icon"])
    assert row["attributes"] == [{"name": "data-x", "value": "1", "is_partial": False}]
    assert (row["attribute_names"], row["marks"]) == (["d"], ["class", "id"])


def test_what_is_committed_is_not_fresh_again_and_what_is_not_is() -> None:
    dictionary = Dictionary(SECRET)
    device = dictionary.device("shop", "ann", False)
    dictionary.discard()
    assert dictionary.device("shop", "ann", False) == device
    assert device in dictionary.fresh["devices"]
    dictionary.settle()
    assert dictionary.device("shop", "ann", False) == device
    assert not dictionary.fresh["devices"]
    known = Dictionary(SECRET, {"devices": {device}})
    assert known.device("shop", "ann", False) == device
    assert not known.fresh["devices"]


@pytest.mark.parametrize(
    "elements",
    [
        [Element(0, 0)],  # its own parent
        [Element(0, 1), Element(0, 0)],  # a parent that comes later
        [Element(7)],  # a descriptor that is not there
        [Element(-1)],
    ],
)
def test_a_table_that_points_nowhere_is_an_error_and_not_an_endless_walk(elements: list[Element]) -> None:
    with pytest.raises(IndexError):
        ElementTable(Dictionary(SECRET), [Descriptor("a")], elements).place_of(0)


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[Descriptor], list[Element]]:
    descriptors = [Descriptor(tag, dom_id) for tag in ("a", "b", "my-c") for dom_id in (None, "x")]
    elements = [
        Element(
            draw(st.integers(0, len(descriptors) - 1)),
            draw(st.integers(-1, place - 1)),
            draw(st.integers(1, 3)),
            3,
            previous=draw(st.lists(st.integers(0, len(descriptors) - 1), max_size=2)),
            flags=draw(st.sampled_from([0, SHADOW_CHILD])),
        )
        for place in range(draw(st.integers(1, 12)))
    ]
    return descriptors, elements


@given(forest=forests(), order=st.randoms())
def test_ids_do_not_depend_on_which_element_is_asked_for_first(forest, order) -> None:
    descriptors, elements = forest
    straight = ElementTable(Dictionary(SECRET), descriptors, elements)
    expected = [straight.place_of(place) for place in range(len(elements))]
    shuffled = list(range(len(elements)))
    order.shuffle(shuffled)
    dictionary = Dictionary(SECRET)
    other = ElementTable(dictionary, descriptors, elements)
    assert {place: other.place_of(place) for place in shuffled} == dict(enumerate(expected))
    for table, above in (("elements", "parent_id"), ("placements", "parent_placement_id")):
        rows = [dict(zip(TABLES[table].names, row, strict=True)) for row in dictionary.fresh[table].values()]
        id_ = DICTIONARIES[table]
        parents = {row[id_]: row[above] for row in rows}
        for row in rows:
            walked, parent = [], row[above]
            while parent is not None:
                walked.append(parent)
                parent = parents[parent]
            assert row["ancestors"] == walked
            assert 0 <= row["tree_depth"] <= len(walked)
            assert all(-(2**63) <= each < 2**63 for each in (row[id_], *walked))


@given(batches=st.lists(forests(), min_size=1, max_size=3), again=st.integers(1, 3))
def test_a_table_that_was_met_before_has_the_ids_it_had(batches, again) -> None:
    dictionary = Dictionary(SECRET)
    for _ in range(again + 1):
        for descriptors, elements in batches:
            batch = accepted([], descriptors=descriptors, elements=elements)
            frame = msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Frame)
            place_of = dictionary.places(frame)
            straight = ElementTable(Dictionary(SECRET), descriptors, elements)
            for position in range(len(elements)):
                assert place_of(position) == straight.place_of(position)
            with pytest.raises(IndexError):
                place_of(len(elements))


def test_what_was_not_committed_is_new_again_in_a_table_that_was_met_before() -> None:
    dictionary = Dictionary(SECRET)
    batch = accepted([], descriptors=[Descriptor("a")], elements=[Element(0)])
    frame = msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Frame)
    for _ in range(3):
        dictionary.places(frame)(0)
    dictionary.discard()
    dictionary.places(frame)(0)
    assert [len(dictionary.fresh[table]) for table in ("descriptors", "elements", "placements")] == [1, 1, 1]
