"""A Bundle of nothing but Observations is decoded into smaller structs, and says there what it says elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.fhir import resource_types
from cds_service.fhir.observations import OBSERVATION_KEYS, observations_in
from cds_service.fhir.resources import KIND_OF_KEY
from cds_service.fhir.shapes import Observation, Resource
from tests.unit.fhir.records import bundle, condition, encoded, examined, notes_of, request, result

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


def test_the_links_of_a_page_are_kept() -> None:
    """A Bundle that says that there are more pages says so in either form."""
    small = decoded(bundle(result("r1"), link=[{"relation": "next", "url": "x"}]))
    assert small is not None
    assert small.link is not None
    assert [link.relation for link in small.link] == ["next"]


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
