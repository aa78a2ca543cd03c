"""CDS Hooks 2.0.1, prefetch: one test for each row of the table of what may arrive for a key, named after the row."""

from __future__ import annotations

from typing import Any

from tests.spec.calls import (
    EXPLANATION,
    PROBLEM,
    Ask,
    Message,
    bundle_of,
    cards,
    detail,
    notes,
    outcome_resource,
    story,
    without_uuids,
)

KEY = "problems"
"""The key of which silence shows the most: a diagnosis that is not on a received list is absent."""


def with_value(value: Any) -> Message:
    """Return the sample call in which the key has this value."""
    message = story()
    message["prefetch"][KEY] = value
    return message


def without_key() -> Message:
    """Return the sample call without the key."""
    message = story()
    del message["prefetch"][KEY]
    return message


def is_unchecked(ask: Ask, message: Message) -> bool:
    """Whether the card names the key as not checked."""
    (line,) = [line for line in detail(ask(PROBLEM, message)).split("\n") if "**Not checked**" in line] or [
        ""
    ]
    return KEY in line


def unknown(ask: Ask, message: Message) -> set[str]:
    """Return every finding that the explanation of an answer lists as missing."""
    explanation = cards(ask(PROBLEM, message))[0]["extension"][EXPLANATION]
    rows = [*explanation["ranking"], *explanation["not_assessed"]]
    return {finding for row in rows for finding in row["missing"]}


def entries() -> list[Any]:
    """Return the entries of the sound answer."""
    found: list[Any] = story()["prefetch"][KEY]["entry"]
    return found


def shows_no_absence(ask: Ask, message: Message) -> bool:
    """Whether more is unknown than with an empty answer, which shows what is absent."""
    return unknown(ask, message) > unknown(ask, with_value(bundle_of()))


def test_row_absent(ask: Ask) -> None:
    """Not satisfied, and nowhere to fetch it from: named as not checked, and nothing is absent."""
    assert is_unchecked(ask, without_key())
    assert shows_no_absence(ask, without_key())


def test_row_null(ask: Ask) -> None:
    """The client looked: not named as not checked, but some send it for a token they could not resolve."""
    assert not is_unchecked(ask, with_value(None))
    assert shows_no_absence(ask, with_value(None))


def test_row_bundle_with_zero_entries(ask: Ask) -> None:
    """A search that ran and found nothing: known to be empty, so that what is asked for is absent."""
    empty = with_value({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []})
    assert not is_unchecked(ask, empty)
    assert unknown(ask, empty) < unknown(ask, without_key())


def test_row_bundle_without_entry(ask: Ask) -> None:
    """The same, as FHIR demands it: it knows no empty list."""
    bare, empty = with_value({"resourceType": "Bundle", "type": "searchset"}), with_value(bundle_of())
    assert without_uuids(cards(ask(PROBLEM, bare))) == without_uuids(cards(ask(PROBLEM, empty)))


def test_row_bundle_with_next_link(ask: Ask) -> None:
    """The first page is used, the card names the key as not complete, and what it does not name is unknown."""
    message = story()
    message["prefetch"][KEY]["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    answer = ask(PROBLEM, message)
    assert f"**Not complete** {KEY}" in detail(answer)
    assert notes(answer)[f"prefetch.{KEY}"] == "more-pages"
    assert unknown(ask, message) > unknown(ask, story())
    assert cards(answer)[0]["summary"] == cards(ask(PROBLEM, story()))[0]["summary"]


def test_row_bundle_with_fewer_entries_than_were_found(ask: Ask) -> None:
    """A client that drops the link but keeps the total sent a first page all the same."""
    message = story()
    message["prefetch"][KEY]["total"] = 200
    answer = ask(PROBLEM, message)
    assert f"**Not complete** {KEY}" in detail(answer)
    assert notes(answer)[f"prefetch.{KEY}.total"] == "more-found"
    assert unknown(ask, message) > unknown(ask, story())


def test_row_operation_outcome_whole(ask: Ask) -> None:
    """The client hit an error: named as not checked, noted, and nothing is absent."""
    message = with_value(outcome_resource())
    assert is_unchecked(ask, message)
    assert notes(ask(PROBLEM, message))[f"prefetch.{KEY}"] == "prefetch-failed"
    assert shows_no_absence(ask, message)


def test_row_operation_outcome_inside_a_bundle(ask: Ask) -> None:
    """Beside results it makes the answer partial; alone it is a failure like one that stands alone."""
    partial = with_value(bundle_of(*(entry["resource"] for entry in entries()), outcome_resource()))
    assert not is_unchecked(ask, partial)
    assert "prefetch-incomplete" in notes(ask(PROBLEM, partial)).values()
    assert unknown(ask, partial) > unknown(ask, story())
    alone = with_value(bundle_of(outcome_resource()))
    assert is_unchecked(ask, alone)
    assert shows_no_absence(ask, alone)


def test_row_malformed(ask: Ask) -> None:
    """What is no resource counts as absent; a broken entry costs itself, and makes the answer partial."""
    for value in ("<html>", 5, [bundle_of()], {"resourceType": "Bundle", "entry": "none"}):
        assert is_unchecked(ask, with_value(value))
        assert any(path.startswith(f"prefetch.{KEY}") for path in notes(ask(PROBLEM, with_value(value))))
        assert shows_no_absence(ask, with_value(value))
    broken = with_value({"resourceType": "Bundle", "entry": [*entries(), {"resource": "x"}]})
    assert not is_unchecked(ask, broken)
    assert unknown(ask, broken) > unknown(ask, story())


def test_row_wrong_resource_type(ask: Ask) -> None:
    """An answer to another question is no answer to this one."""
    others: list[Any] = [
        {"resourceType": "Encounter", "id": "e1"},
        bundle_of({"resourceType": "Encounter", "id": "e1", "status": "finished"}),
        {"entry": []},
    ]
    for wrong in others:
        assert is_unchecked(ask, with_value(wrong))
        assert any(path.startswith(f"prefetch.{KEY}") for path in notes(ask(PROBLEM, with_value(wrong))))
        assert shows_no_absence(ask, with_value(wrong))


def test_row_other_patient(ask: Ask) -> None:
    """Resources of somebody else are dropped, each with a note, and answer nothing."""
    foreign = [{**entry["resource"], "subject": {"reference": "Patient/someone-else"}} for entry in entries()]
    message = with_value(bundle_of(*foreign))
    answer = ask(PROBLEM, message)
    assert is_unchecked(ask, message)
    assert list(notes(answer).values()).count("other-patient") == len(foreign)
    assert b"someone-else" not in answer.body
    assert shows_no_absence(ask, message)
