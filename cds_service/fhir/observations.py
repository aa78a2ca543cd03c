"""Decodes a Bundle of nothing but Observations into structs that hold no other element; it reads none of them."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from cds_service.fhir.shapes import CodeableConcept, Entry, Link, Observation, Resource, Shape

OBSERVATION_KEYS = frozenset({"labs", "vitals", "exam", "socialHistory"})
"""The prefetch keys that ask for Observations."""


class _Listed(Observation, gc=False, kw_only=True):
    """An Observation of a Bundle."""

    resource_type: Literal["Observation"]
    contained: list[Resource] | None = None


class _ListedEntry(Shape, gc=False):
    """An entry with an Observation, or without a resource."""

    full_url: str | None = None
    resource: _Listed | None = None


class _Listing(Shape, gc=False, kw_only=True):
    """A Bundle whose entries are all Observations."""

    resource_type: Literal["Bundle"]
    id: str | None = None
    type: CodeableConcept | list[CodeableConcept] | str | None = (
        None  # as in a Resource, so that faults are equal
    )
    entry: list[_ListedEntry] | None = None
    link: list[Link] | None = None


_LISTING = msgspec.json.Decoder(_Listing)


def observations_in(raw: msgspec.Raw) -> Resource | None:
    """Return the Bundle in `raw`; None where anything in it is no Observation or does not fit.

    An Observation has a third of the elements of a `Resource`, so that a long record takes half the time and
    memory. It stands where a `Resource` would: what it lacks is read of no Observation.
    """
    try:
        listing = _LISTING.decode(raw)
    except (msgspec.ValidationError, RecursionError):
        return None
    entries = cast("list[Entry] | None", listing.entry)
    return Resource(resource_type=listing.resource_type, entry=entries, link=listing.link)
