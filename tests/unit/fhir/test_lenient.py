"""A resource that breaks FHIR is read element by element: what does not fit costs that element and leaves a note."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.envelope import decode_request
from cds_service.fhir.lenient import soft_resource
from cds_service.fhir.observations import LISTED_ENTRY
from cds_service.fhir.shapes import Resource
from cds_service.model.facts import ReadingNote
from tests.unit.fhir.json_values import json_objects, json_values
from tests.unit.fhir.records import body, bundle, condition, encoded, examined, medicine, notes_of, result

DEEPEST = 64
WHOLE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "category": [{"coding": [{"system": "s", "code": "laboratory"}]}],
    "code": {"coding": [{"system": "s", "code": "c", "display": "d"}, {"code": "c2"}], "text": "t"},
    "subject": {"reference": "Patient/p1", "display": "d"},
    "effectiveDateTime": "2026-06-12",
    "issued": "2026-06-12T10:00:00Z",
    "valueQuantity": {"value": 2.8, "comparator": "<", "unit": "mmol/L", "system": "u", "code": "mmol/L"},
    "interpretation": [{"text": "L"}],
    "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.3}, "text": "3.5-5.3"}],
    "component": [{"code": {"text": "a"}, "valueString": "v"}, {"code": {"text": "b"}, "valueInteger": 2}],
    "specimen": {"reference": "Specimen/s1"},
    "contained": [{"resourceType": "Specimen", "id": "s1"}],
}


def read(value: Any) -> tuple[Resource | None, list[tuple[str, str]]]:
    """Return the resource and its notes, read at the path `x`."""
    notes: list[ReadingNote] = []
    return soft_resource(json.dumps(value).encode(), "x", notes, DEEPEST), notes_of(notes)


def clean(value: Any) -> Resource:
    """Return what the strict decoder makes of a sound resource."""
    return msgspec.json.decode(json.dumps(value), type=Resource)


def fields_of(resource: Resource | None) -> list[tuple[str, Any]]:
    """Return every element by its FHIR name."""
    assert resource is not None
    return [(field.encode_name, getattr(resource, field.name)) for field in msgspec.structs.fields(Resource)]


def only_differs_in(found: Resource | None, name: str) -> bool:
    """Whether all elements but one are those of the whole resource."""
    pairs = zip(fields_of(found), fields_of(clean(WHOLE)), strict=True)
    return all(one == other for one, other in pairs if one[0] != name)


def unreadable(*paths: str) -> list[tuple[str, str]]:
    """Return the notes that these paths leave."""
    return [("unreadable-element", path) for path in paths]


def test_a_sound_resource_is_read_as_by_the_strict_decoder() -> None:
    """Nothing is lost and nothing noted where nothing is wrong."""
    assert read(WHOLE) == (clean(WHOLE), [])


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "subject"])
@pytest.mark.parametrize("wrong", [7, True, 1.5, [1, 2]], ids=repr)
def test_one_mistyped_element_costs_itself_only(name: str, wrong: Any) -> None:
    """The element is left out with a note that names its path, and all others are as they were sent."""
    found, notes = read(WHOLE | {name: wrong})
    assert notes in (unreadable(f"x.{name}"), unreadable(f"x.{name}[0]", f"x.{name}[1]"))
    assert only_differs_in(found, name)
    assert next(each for each in fields_of(found) if each[0] == name)[1] in (None, [])


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (("code", "text"), "x.code.text"),
        (("code", "coding", 1, "code"), "x.code.coding[1].code"),
        (("category", 0, "coding", 0, "code"), "x.category[0].coding[0].code"),
        (("valueQuantity", "unit"), "x.valueQuantity.unit"),
        (("referenceRange", 0, "low", "value"), "x.referenceRange[0].low.value"),
        (("component", 1, "valueInteger"), "x.component[1].valueInteger"),
        (("contained", 0, "id"), "x.contained[0].id"),
    ],
)
def test_the_path_of_an_inner_element_is_exact(place: tuple[str | int, ...], path: str) -> None:
    """A fault deep inside costs that leaf; its neighbours are read."""
    broken, expected = copy.deepcopy(WHOLE), copy.deepcopy(WHOLE)
    *outer, last = place
    for whole, action in ((broken, "break"), (expected, "drop")):
        target: Any = whole
        for step in outer:
            target = target[step]
        if action == "break":
            target[last] = {"no": "leaf"}
        else:
            del target[last]
    assert read(broken) == (clean(expected), unreadable(path))


@pytest.mark.parametrize("text", ["2.80", "2.8", " 2.8 ", "0", "-1", "1e3"])
def test_a_number_in_quotes_is_a_number(text: str) -> None:
    """Numbers sent as strings are read with the digits that they have."""
    found, notes = read({"valueQuantity": {"value": text}, "status": {}})
    assert found is not None
    assert found.value_quantity is not None
    assert found.value_quantity.value == Decimal(text.strip())
    assert notes == unreadable("x.status")


def test_digits_are_kept_where_another_element_is_broken() -> None:
    """2.80 stays 2.80 and 0.1 stays 0.1: no number goes through a float."""
    for digits in ("2.80", "0.1", "1234567890.12345678901234567890", "1e400"):
        found = soft_resource(
            f'{{"status": 1, "valueQuantity": {{"value": {digits}}}}}'.encode(), "x", [], DEEPEST
        )
        assert found is not None
        assert found.value_quantity is not None
        assert str(found.value_quantity.value) == str(Decimal(digits))


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("component", True),
        ("referenceRange", True),
        ("contained", True),
        ("link", True),
        ("entry", True),
        ("category", False),
        ("interpretation", False),
    ],
)
def test_one_object_stands_for_a_list_of_one(name: str, listed: bool) -> None:
    """A single object where FHIR wants a list is read as if it stood in one."""
    found, notes = read({name: {}, "status": {}})
    field = next(each for each in msgspec.structs.fields(Resource) if each.encode_name == name)
    value = getattr(found, field.name)
    assert isinstance(value, list) is listed
    assert notes == unreadable("x.status")


@pytest.mark.parametrize(
    ("name", "listed"), [("component", True), ("category", False), ("interpretation", False)]
)
def test_one_object_with_a_fault_stands_where_a_sound_one_would(name: str, listed: bool) -> None:
    """Losing an inner element does not change whether the object stands in a list."""
    found, notes = read({name: {"text": 7, "code": 7}})
    field = next(each for each in msgspec.structs.fields(Resource) if each.encode_name == name)
    assert isinstance(getattr(found, field.name), list) is listed
    assert len(notes) == 1


@pytest.mark.parametrize("name", ["code", "valueQuantity", "effectivePeriod", "clinicalStatus"])
def test_a_list_of_one_stands_for_one_object(name: str) -> None:
    """A list of one where FHIR has no list is read as its member; a list of two is not chosen from."""
    field = next(each for each in msgspec.structs.fields(Resource) if each.encode_name == name)
    found, notes = read({name: [{}]})
    assert getattr(found, field.name) is not None
    assert notes == []
    found, notes = read({name: [{}, {}]})
    assert getattr(found, field.name) is None
    assert notes == unreadable(f"x.{name}")


def test_a_list_loses_only_the_member_that_is_no_object() -> None:
    """The others keep their order."""
    found, notes = read({"code": {"coding": [{"code": "1"}, "2", {"code": "3"}]}})
    assert found is not None
    assert found.code is not None
    assert found.code.coding is not None
    assert [coding.code for coding in found.code.coding] == ["1", "3"]
    assert notes == unreadable("x.code.coding[1]")


def test_null_is_nothing() -> None:
    """Null members are absent, in a sound resource and in a broken one, and leave no note."""
    assert read({**dict.fromkeys(WHOLE), "id": "a"}) == (Resource(id="a"), [])
    assert read({**dict.fromkeys(WHOLE), "id": 1}) == (Resource(), unreadable("x.id"))


@pytest.mark.parametrize("given", ["true", "false", "1", "0"])
def test_a_boolean_in_quotes_is_a_boolean(given: str) -> None:
    """A "do not give" must not be lost because it stands in quotes."""
    found, _notes = read({"doNotPerform": given})
    assert found is not None
    assert found.do_not_perform is (given in {"true", "1"})


@pytest.mark.parametrize("value", [1, "x", True, None, [], [{}]], ids=repr)
def test_what_is_no_object_is_no_resource(value: Any) -> None:
    """There is nothing to read, and the note names the place."""
    assert read(value) == (None, unreadable("x"))


@pytest.mark.parametrize("entry", [1, "x", True, "[]"], ids=repr)
def test_a_bundle_whose_entries_cannot_be_read_is_no_empty_bundle(entry: Any) -> None:
    """What was not understood must not look like "nothing found"."""
    assert read({"resourceType": "Bundle", "entry": entry}) == (None, unreadable("x.entry"))


@pytest.mark.parametrize(
    "subject",
    ["Patient/p2", {"reference": "Patient/p2"}, [{"reference": "Patient/p2"}], ["Patient/p2"]],
    ids=repr,
)
@pytest.mark.parametrize("name", ["subject", "patient"])
def test_a_subject_in_an_odd_form_is_still_a_subject(name: str, subject: Any) -> None:
    """A bare string or a list of one names a patient like a proper reference."""
    found, _notes = read({"resourceType": "Condition", name: subject})
    reference = getattr(found, name)
    assert reference is not None
    assert reference.reference == "Patient/p2"


@pytest.mark.parametrize(
    "subject", [1, True, [1, 2], [], {"reference": 1}, {"reference": {"id": "p2"}}], ids=repr
)
def test_a_subject_that_cannot_be_read_is_nobody_we_know(subject: Any) -> None:
    """A resource that says unreadably whose it is must not be taken for the patient's own."""
    found, notes = read({"resourceType": "Condition", "subject": subject})
    assert found is not None
    assert found.subject is not None
    assert found.subject.reference == "unreadable"
    assert len(notes) >= (subject != [])


@pytest.mark.parametrize("subject", [None, {}, {"display": "x"}, {"identifier": {"value": "1"}}], ids=repr)
def test_a_subject_without_a_reference_names_nobody(subject: Any) -> None:
    """A subject that is only displayed or identified stays as it was sent, also beside a broken element."""
    found, notes = read({"resourceType": "Condition", "subject": subject, "status": 1})
    assert found is not None
    assert found.subject is None or found.subject.reference is None
    assert notes == unreadable("x.status")


def test_a_message_that_is_wrong_throughout_is_not_noted_throughout() -> None:
    """The notes of one message end at 200, and a last one says that there are more."""
    notes = read({"component": [1] * 5000})[1]
    assert len(notes) == 201
    assert notes[-1] == ("unreadable-element", "(more)")


def test_nesting_ends_at_the_cap() -> None:
    """Sixty-four levels of parts are followed, the sixty-fifth is refused."""
    for levels, is_read in ((31, True), (DEEPEST - 1, True), (DEEPEST, False)):
        deep: Any = {"status": 1}
        for _level in range(levels):
            deep = {"contained": [deep]}
        if is_read:
            assert read(deep)[1] == unreadable("x" + ".contained[0]" * levels + ".status")
        else:
            with pytest.raises(RecursionError):
                read(deep)


@settings(max_examples=100)
@given(json_objects(20))
def test_any_object_is_read_somehow(value: dict[str, Any]) -> None:
    """Whatever an object holds, a resource comes out, or none where its entries are not to be read."""
    found, notes = read(value)
    assert isinstance(found, Resource) or notes


@settings(max_examples=100)
@given(json_objects(10), st.sampled_from(sorted(WHOLE)), json_values())
def test_an_element_that_is_wrong_never_reaches_its_neighbours(
    unknown: dict[str, Any], name: str, wrong: Any
) -> None:
    """Any JSON in one element, and any unknown members, leave every other element as it was."""
    known = {field.encode_name for field in msgspec.structs.fields(Resource)}
    extra = {key: value for key, value in unknown.items() if key not in known}
    found, _notes = read({**WHOLE, **extra, name: wrong})
    assert only_differs_in(found, name)


RECORD = bundle(
    result("o1"),
    condition("c1", text="Cramp"),
    medicine("MedicationRequest", "m1", "Furosemide"),
    examined("e1", valueString="Strength normal"),
)


@settings(max_examples=80)
@given(st.integers(0, 3), st.data(), json_values())
def test_one_bad_resource_leaves_the_rest_of_the_message_as_it_was(
    place: int, choose: st.DataObject, wrong: Any
) -> None:
    """Every other entry, and every other key, reads exactly as in the clean message."""
    broken = copy.deepcopy(RECORD)
    resource = broken["entry"][place]["resource"]
    resource[choose.draw(st.sampled_from(sorted(resource)))] = wrong
    pair = [
        decode_request(
            encoded(body(prefetch={"mixed": each, "problems": RECORD, "exam": None})), body()["hook"]
        )
        for each in (RECORD, broken)
    ]
    sound, odd = (call.prefetch for call in pair)
    assert sound is not None
    assert odd is not None
    assert odd["problems"] == sound["problems"]
    assert odd["exam"] is None
    assert sound["mixed"] is not None
    assert odd["mixed"] is not None
    assert sound["mixed"].entry is not None
    assert odd["mixed"].entry is not None
    for at, (before, after) in enumerate(zip(sound["mixed"].entry, odd["mixed"].entry, strict=True)):
        assert at == place or before == after
    assert all(note.path.startswith(f"prefetch.mixed.entry[{place}].resource") for note in pair[1].notes)


@pytest.mark.parametrize(
    ("total", "read_as"), [("7", 7), ("7.0", 7), ("7e2", 700), ("7.5", None), ("1" * 25, int("1" * 25))]
)
def test_a_whole_number_is_read_however_it_is_printed(total: str, read_as: int | None) -> None:
    """A number that is whole fits an element for whole numbers; another does not."""
    notes: list[ReadingNote] = []
    found = soft_resource(f'{{"resourceType":"Bundle","total":{total},"id":5}}'.encode(), "x", notes, DEEPEST)
    assert found is not None
    assert found.total == read_as
    assert (("unreadable-element", "x.total") in notes_of(notes)) is (read_as is None)


def test_entries_of_the_usual_kind_and_others_are_read_in_one_bundle() -> None:
    """In a list of Observations a faulty one costs its element, and what is none is read as any entry is."""
    entries = [
        {"resource": WHOLE},
        {"resource": WHOLE | {"status": 5}},
        {"resource": {"resourceType": "Group"}},
    ]
    raw = json.dumps({"resourceType": "Bundle", "entry": [*entries, "no entry"]}).encode()
    notes: list[ReadingNote] = []
    found = soft_resource(raw, "x", notes, DEEPEST, LISTED_ENTRY)
    assert found is not None
    kinds = [one.resource.resource_type for one in found.entry or () if one.resource is not None]
    assert kinds == ["Observation", "Observation", "Group"]
    assert notes_of(notes) == [
        ("unreadable-element", "x.entry[1].resource.status"),
        ("unreadable-element", "x.entry[3]"),
    ]
