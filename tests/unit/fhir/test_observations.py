"""A Bundle of nothing but Observations is decoded into smaller structs, and says there what it says elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fhir.resources.observation import Observation as ObservationR5
from fhir.resources.R4B.observation import Observation as ObservationR4
from fhir.resources.STU3.observation import Observation as ObservationSTU3

from cds_service.fhir import resource_types
from cds_service.fhir.observations import OBSERVATION_KEYS, observations_in
from cds_service.fhir.resources import KIND_OF_KEY
from cds_service.fhir.shapes import Observation, Resource
from tests.unit.fhir.records import bundle, condition, encoded, examined, intake, notes_of, request, result

ELEMENTS = (*(field.name for field in msgspec.structs.fields(Observation)), "contained")
PANEL = result("r2", component=[{"code": {"text": "pH"}, "valueString": "7.4"}], contained=[result("r3")])
SOUND = bundle(result("r1"), PANEL, examined("e1", valueString="Tone normal"), {"fullUrl": "urn:x:1"})


def decoded(value: Any) -> Resource | None:
    """Return the Bundle that is read from JSON in the small structs."""
    return observations_in(msgspec.Raw(encoded(value)))


def test_the_keys_are_those_that_ask_for_observations() -> None:
    """Every key whose answer is Observations, and no other, is first read as such."""
    wanted = {key for key, kind in KIND_OF_KEY.items() if "Observation" in resource_types.TYPES_OF_KIND[kind]}
    assert wanted == OBSERVATION_KEYS


def test_each_element_is_read_as_in_any_resource() -> None:
    """Element by element the small struct holds what the general one holds."""
    small, whole = decoded(SOUND), msgspec.json.decode(encoded(SOUND), type=Resource)
    assert small is not None
    assert small.entry is not None
    assert whole.entry is not None
    assert [entry.full_url for entry in small.entry] == [entry.full_url for entry in whole.entry]
    for one, other in zip(small.entry, whole.entry, strict=True):
        for name in ELEMENTS:
            assert getattr(one.resource, name, None) == getattr(other.resource, name, None), name


@pytest.mark.parametrize("version", [ObservationR5, ObservationR4, ObservationSTU3])
def test_it_has_every_element_that_a_version_of_fhir_gives_an_observation(version: Any) -> None:
    """What the small struct skips, no Observation has: a fault in it costs nothing and is noted nowhere."""
    known = {field.alias for field in version.model_fields.values()}
    read = {field.name for field in msgspec.structs.fields(Resource) if field.encode_name in known}
    assert len(read) > 10
    assert read <= set(ELEMENTS)


def test_what_a_page_says_of_the_whole_is_kept() -> None:
    """A Bundle says in either form that there are more pages, and how much was found."""
    page = bundle(result("r1"), link=[{"relation": "next", "url": "x"}], total=2)
    small, whole = decoded(page), msgspec.json.decode(encoded(page), type=Resource)
    assert small is not None
    assert small.link == whole.link is not None
    assert small.total == whole.total == 2


@pytest.mark.parametrize("member", ["status", "total"])
def test_a_fault_of_the_bundle_is_noted_as_in_any(member: str) -> None:
    """An element of the Bundle itself that does not fit leaves its note."""
    found = request(labs=bundle(result("r1"), **{member: [1, 2]}))
    assert notes_of(found.notes) == [("unreadable-element", f"prefetch.labs.{member}")]


@pytest.mark.parametrize(
    "value",
    [
        bundle(result("r1"), condition("c1")),
        bundle(result("r1"), {"resource": {"id": "x"}}),
        bundle(result("r1", status=7)),
        bundle(result("r1"), entry={}),
        bundle(result("r1"), type=3),
        result("r1"),
        [],
        "x",
    ],
)
def test_all_else_goes_the_general_way(value: Any) -> None:
    """One other resource, one element that does not fit or no Bundle at all: None."""
    assert decoded(value) is None


def test_what_does_not_fit_is_noted_as_in_any_resource() -> None:
    """The Bundle that goes the general way costs its broken element only, and keeps its neighbours."""
    found = request(labs=bundle(result("r1"), result("r2", status=[1, 2])))
    assert notes_of(found.notes) == [("unreadable-element", "prefetch.labs.entry[1].resource.status")]
    assert found.prefetch is not None
    labs = found.prefetch["labs"]
    assert labs is not None
    assert [entry.resource.id for entry in labs.entry or () if entry.resource] == ["r1", "r2"]


def test_a_copy_is_none_else_in_whichever_struct_it_came() -> None:
    """The same Observation under a key that is not asked for is a copy; one that says something else is noted."""
    found = intake(labs=bundle(PANEL), others=bundle(PANEL, condition("c1")))
    assert ("id-used-twice", "prefetch.others.entry[0].resource") not in notes_of(found.notes)
    assert len(found.of("Observation")) == 2  # the panel and the result inside it
    found = intake(labs=bundle(result("r1")), others=bundle(result("r1", status="amended")))
    assert ("id-used-twice", "prefetch.others.entry[0].resource") in notes_of(found.notes)
