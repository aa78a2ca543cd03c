"""CDS Hooks 2.0.1, calling a service: the members of a request, present, absent and mistyped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.calls import (
    PROBLEM,
    VIEW,
    Ask,
    cards,
    notes,
    refusal,
    removed,
    replaced,
    story,
    viewing,
    without_uuids,
)

REQUIRED = ("hook", "hookInstance", "context", "context.userId", "context.patientId", "context.conditions")
MISTYPED: tuple[Any, ...] = (5, 1.5, True, [], {}, ["x"])


@pytest.mark.parametrize("member", REQUIRED)
@pytest.mark.parametrize("service", ["absent", "null"])
def test_a_required_member_is_required(ask: Ask, member: str, service: str) -> None:
    """A REQUIRED member that is absent or null is answered with 400 and its path."""
    message = removed(story(), member) if service == "absent" else replaced(story(), member, None)
    assert refusal(ask(PROBLEM, message), 400, "required") == [member]


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context.userId", "context.patientId"])
@pytest.mark.parametrize("value", MISTYPED, ids=repr)
def test_a_mistyped_string_is_refused(ask_app: Ask, member: str, value: Any) -> None:
    """A REQUIRED string of another type is answered with 400 and its path."""
    assert refusal(ask_app(PROBLEM, replaced(story(), member, value)), 400, "structure") == [member]


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context.userId", "context.patientId"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_string_is_no_value(ask_app: Ask, member: str, value: str) -> None:
    """A REQUIRED string without content is answered like a missing one."""
    assert refusal(ask_app(PROBLEM, replaced(story(), member, value)), 400, "required") == [member]


@pytest.mark.parametrize("member", ["context", "context.conditions"])
@pytest.mark.parametrize("value", [5, True, "x", [], ["x"]], ids=repr)
def test_a_mistyped_object_is_refused(ask_app: Ask, member: str, value: Any) -> None:
    """A REQUIRED object of another type is answered with 400 and its path."""
    assert refusal(ask_app(PROBLEM, replaced(story(), member, value)), 400, "structure") == [member]


@pytest.mark.parametrize(
    "hook", ["patient-view", "Problem-List-Item-Create", "problem-list-item-create ", "order-sign", "x"]
)
def test_another_hook_is_refused(ask: Ask, hook: str) -> None:
    """A service answers its own hook only."""
    assert refusal(ask(PROBLEM, replaced(story(), "hook", hook)), 400, "structure") == ["hook"]


@pytest.mark.parametrize("member", ["prefetch", "extension", "context.encounterId"])
def test_an_optional_member_may_be_null(ask_app: Ask, member: str) -> None:
    """An OPTIONAL member that is null is treated as absent."""
    absent, null = (
        ask_app(PROBLEM, removed(story(), member)),
        ask_app(PROBLEM, replaced(story(), member, None)),
    )
    assert absent.status == null.status == (412 if member == "prefetch" else 200)


def test_a_call_without_an_encounter_is_complete(ask: Ask) -> None:
    """`encounterId` is OPTIONAL: without it the answer is the same, only the drafts name no encounter."""
    answer = ask(PROBLEM, removed(story(), "context.encounterId"))
    assert cards(answer)
    assert b'"encounter"' not in answer.body
    assert b'"encounter"' in ask(PROBLEM, story()).body


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Patient/p02-patient", "p02-patient"),
        ("https://ehr.example.org/fhir/Patient/p02-patient", "p02-patient"),
    ],
)
def test_a_patient_id_with_its_type_is_read_and_noted(ask: Ask, sent: str, read: str) -> None:
    """Some clients send `Patient/x`; it is read as `x`, and the explanation says so."""
    answer = ask(PROBLEM, replaced(story(), "context.patientId", sent))
    assert notes(answer)["context.patientId"] == "id-with-type"
    assert f'"reference":"Patient/{read}"'.encode() in answer.body


@pytest.mark.parametrize("sent", ["a b", "x/", "p02_patient", "x" * 65, "<b>", "p\u00e4", "x\n"])
def test_a_patient_id_that_is_no_fhir_id_is_refused(ask_app: Ask, sent: str) -> None:
    """What cannot be the id of a FHIR resource is refused before anything is read for it."""
    message = replaced(story(), "context.patientId", sent)
    assert refusal(ask_app(PROBLEM, message), 400, "structure") == ["context.patientId"]


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "Patient/1", "someone", "a|b"])
def test_any_user_is_read(ask_app: Ask, user: str) -> None:
    """The user id decides nothing, so no form of it is refused."""
    assert cards(ask_app(PROBLEM, replaced(story(), "context.userId", user)))


def _authorized(**changes: Any) -> dict[str, Any]:
    message = story()
    message["fhirServer"] = "https://ehr.example.org/fhir"
    message["fhirAuthorization"] = {
        "access_token": "opaque",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/Observation.read",
        "subject": "muscle-spasm-cds",
        **changes,
    }
    return message


def test_an_unregistered_server_changes_nothing(ask: Ask) -> None:
    """A server that nobody registered is not called: with and without a token for it, the answer rests on prefetch."""
    plain = without_uuids(cards(ask(PROBLEM, story())))
    server_only = _authorized()
    del server_only["fhirAuthorization"]
    for message in (_authorized(), server_only, _authorized(patient="p02-patient")):
        assert without_uuids(cards(ask(PROBLEM, message))) == plain


@pytest.mark.parametrize(
    "changes",
    [{"access_token": None}, {"access_token": 5}, {"expires_in": "soon"}, {"scope": ["x"]}],
    ids=repr,
)
def test_a_mistyped_authorization_is_refused(ask_app: Ask, changes: dict[str, Any]) -> None:
    """An authorization that breaks the standard is refused, and the token is not repeated."""
    assert refusal(ask_app(PROBLEM, _authorized(**changes)), 400, "structure") == ["fhirAuthorization"]


def test_a_chart_view_needs_no_conditions_in_context(ask: Ask) -> None:
    """`conditions` belongs to problem-list-item-create alone."""
    message = viewing()
    assert "conditions" not in message["context"]
    assert cards(ask(VIEW, message))


@pytest.mark.parametrize("entries", [[], None])
def test_a_context_without_conditions_is_answered_with_no_cards(ask_app: Ask, entries: Any) -> None:
    """An empty Bundle in context records nothing, so there is nothing to say."""
    message = replaced(story(), "context.conditions.entry", entries)
    assert cards(ask_app(PROBLEM, message)) == []
