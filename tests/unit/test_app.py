"""Garbage collection rests while the content is loaded, and is afterwards as it was before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cds_service.app import collection_paused


@pytest.fixture(autouse=True)
def _collection_as_it_was() -> Iterator[None]:
    """Leave collection on, as it is in every test."""
    yield
    gc.enable()


def test_nothing_is_collected_inside() -> None:
    """Collection is off inside and on again outside."""
    with collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_brings_it_back() -> None:
    """Content that fails a gate does not leave the process without collection."""
    with pytest.raises(ValueError, match="fails"), collection_paused():
        raise ValueError("fails")
    assert gc.isenabled()


def test_one_inside_another_leaves_it_to_the_outer() -> None:
    """A process that had switched it off finds it off."""
    with collection_paused():
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
