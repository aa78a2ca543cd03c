"""A hook call is checked member by member: what is wrong is named by its path, and never by its value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.errors import AnswerError, MalformedRequestError, MissingElementError
from cds_service.fhir.envelope import HookRequest, decode_request
from tests.unit.fhir.records import INSTANCE, PROBLEM_HOOK, VIEW_HOOK, body, bundle, notes_of

SECRET = "Zyxwvut-7731"
REQUIRED_STRINGS = ("hook", "hookInstance", "context.userId", "context.patientId")
REQUIRED_OBJECTS = ("context", "context.conditions")


def decode(call: Any, hook: str = PROBLEM_HOOK) -> HookRequest:
    """Return the request that is read from a call."""
    return decode_request(json.dumps(call).encode(), hook)


def refusal(call: Any, hook: str = PROBLEM_HOOK) -> AnswerError:
    """Return the error by which a call, or its bytes, is refused."""
    content = call if isinstance(call, bytes) else json.dumps(call).encode()
    with pytest.raises(AnswerError) as caught:
        decode_request(content, hook)
    return caught.value


def replaced(path: str, value: Any) -> dict[str, Any]:
    """Return a sound call with one member set to `value`."""
    call = body()
    *outer, last = path.split(".")
    target = call[outer[0]] if outer else call
    target[last] = value
    return call


def removed(path: str) -> dict[str, Any]:
    """Return a sound call without one member."""
    call = body()
    *outer, last = path.split(".")
    target = call[outer[0]] if outer else call
    del target[last]
    return call


def test_a_sound_call_is_read_whole() -> None:
    """Every member of the standard arrives in the request."""
    call = body(
        fhirServer="https://ehr.example.org/fhir",
        prefetch={"patient": {"resourceType": "Patient", "id": "p1"}, "labs": None},
        extension={"org.example": {"a": 1}},
    )
    request = decode(call)
    assert (request.hook, request.hook_instance) == (PROBLEM_HOOK, INSTANCE)
    assert request.context[:3] == ("p1", "Practitioner/u1", "e1")
    assert request.context.conditions is not None
    assert request.fhir_server == "https://ehr.example.org/fhir"
    assert request.prefetch is not None
    assert request.prefetch["patient"] is not None
    assert request.prefetch["patient"].resource_type == "Patient"
    assert request.prefetch["labs"] is None
    assert request.extension == {"org.example": {"a": 1}}
    assert (request.authorization, request.notes) == (None, ())


@pytest.mark.parametrize("path", [*REQUIRED_STRINGS, *REQUIRED_OBJECTS])
def test_a_required_member_that_is_absent_or_null_is_missed_by_name(path: str) -> None:
    """An absent and a null member are the same fault: required, at this path."""
    for call in (removed(path), replaced(path, None)):
        error = refusal(call)
        assert isinstance(error, MissingElementError)
        assert error.where == (path,)


@pytest.mark.parametrize("path", REQUIRED_STRINGS)
@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_required_string_is_missing(path: str, blank: str) -> None:
    """A string without a visible character says nothing."""
    error = refusal(replaced(path, blank))
    assert isinstance(error, MissingElementError)
    assert error.where == (path,)


@pytest.mark.parametrize("path", REQUIRED_STRINGS)
@pytest.mark.parametrize("wrong", [1, 0.5, True, [], ["x"], {}, {"x": SECRET}], ids=repr)
def test_a_mistyped_required_string_is_named(path: str, wrong: Any) -> None:
    """What is not a string is no string, however small the difference."""
    error = refusal(replaced(path, wrong))
    assert isinstance(error, MalformedRequestError)
    assert error.where == (path,)


@pytest.mark.parametrize("path", REQUIRED_OBJECTS)
@pytest.mark.parametrize("wrong", [1, True, SECRET, "", [], [{}]], ids=repr)
def test_a_mistyped_required_object_is_named(path: str, wrong: Any) -> None:
    """What is not an object is no context and no Bundle."""
    error = refusal(replaced(path, wrong))
    assert isinstance(error, MalformedRequestError)
    assert error.where == (path,)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"resourceType": "OperationOutcome"},
        {"resourceType": "Condition", "code": {"text": "Cramp"}},
        {"resourceType": "Bundle", "entry": "none"},
        {"resourceType": "Bundle", "entry": 3},
    ],
    ids=["empty", "outcome", "lone condition", "entry as string", "entry as number"],
)
def test_recorded_conditions_that_are_no_bundle_are_refused(conditions: Any) -> None:
    """A Bundle that cannot be read must not look like one in which nothing was recorded."""
    error = refusal(replaced("context.conditions", conditions))
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("context.conditions",)


def test_a_bundle_without_its_type_is_read() -> None:
    """Published examples leave out the type, and some the resourceType; their entries are what counts."""
    without_type: list[Any] = [bundle(type=None), {"entry": []}]
    for conditions in without_type:
        assert decode(replaced("context.conditions", conditions)).context.conditions is not None


def test_an_empty_object_lacks_its_first_member() -> None:
    """Nothing at all, and nothing in the context, is something missing and no repetition."""
    for call, path in (({}, "hook"), (body(context={}), "context.userId")):
        error = refusal(call)
        assert isinstance(error, MissingElementError)
        assert error.where == (path,)


def test_a_service_answers_only_its_own_hook() -> None:
    """A call for another hook never gets this service's answer."""
    error = refusal(body(VIEW_HOOK))
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("hook",)


def test_a_chart_view_needs_no_conditions() -> None:
    """The hook patient-view has no context.conditions."""
    assert decode(body(VIEW_HOOK), VIEW_HOOK).context.conditions is None


@pytest.mark.parametrize(
    "path", [*REQUIRED_STRINGS, *REQUIRED_OBJECTS, "prefetch", "fhirAuthorization", "fhirServer"]
)
@pytest.mark.parametrize("shape", ["{}", "/{}/ ?", '["{}"]', '{{"{}": 1}}'])
def test_no_error_repeats_a_value(path: str, shape: str) -> None:
    """An error carries the path of a faulty member; what the client sent there stays with the client."""
    text = shape.format(SECRET)
    value = json.loads(text) if text.startswith(("[", "{")) else text
    try:
        decode(replaced(path, value))
    except AnswerError as error:
        said = [str(error), repr(error), error.text, *error.where]
    else:
        said = []
    assert SECRET not in " ".join(said)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("1288992", "1288992"),
        ("Patient/1", "1"),
        ("https://ehr.example.org/fhir/Patient/1", "1"),
        ("Patient/1/_history/7", "1"),
        ("a-B.9", "a-B.9"),
    ],
)
def test_an_id_is_read_with_and_without_its_type(sent: str, read: str) -> None:
    """Real clients send `Patient/1` for `1`; it is used, and a note says how to send it."""
    for path, place in (("context.patientId", 0), ("context.encounterId", 2)):
        request = decode(replaced(path, sent))
        assert request.context[place] == read
        assert notes_of(request.notes) == ([("id-with-type", path)] if sent != read else [])


@pytest.mark.parametrize("sent", ["Patient/", "a b", "1;2", "1?x=2", "ä", "x" * 65, "{{context.patientId}}"])
def test_what_no_fhir_id_can_be_is_refused(sent: str) -> None:
    """An id that FHIR does not allow is named by its path."""
    error = refusal(replaced("context.patientId", sent))
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("context.patientId",)


@pytest.mark.parametrize("blank", [None, "", " ", "\n"])
def test_an_optional_string_may_be_blank(blank: str | None) -> None:
    """Null and blank are absent: a client that fills in every member of a form is served."""
    call = replaced("context.encounterId", blank) | {"fhirServer": blank}
    request = decode(call)
    assert (request.context.encounter_id, request.fhir_server) == (None, None)


@pytest.mark.parametrize("path", ["context.encounterId", "fhirServer"])
@pytest.mark.parametrize("wrong", [1, True, [], {}], ids=repr)
def test_a_mistyped_optional_string_is_refused(path: str, wrong: Any) -> None:
    """What is sent must have its type, also where nothing need be sent."""
    error = refusal(replaced(path, wrong))
    assert isinstance(error, MalformedRequestError)
    assert error.where == (path,)


@pytest.mark.parametrize("prefetch", [1, "x", True, [], [{}]], ids=repr)
def test_a_prefetch_that_is_no_object_is_refused(prefetch: Any) -> None:
    """The member is optional, but what is sent must be an object."""
    error = refusal(replaced("prefetch", prefetch))
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("prefetch",)


def test_absent_null_and_empty_prefetch_are_told_apart() -> None:
    """No member and null mean that nothing was sent, `{}` that no key was; a null key is a key that arrived."""
    assert decode(body()).prefetch is None
    assert decode(body(prefetch=None)).prefetch is None
    assert decode(body(prefetch={})).prefetch == {}
    assert decode(body(prefetch={"labs": None})).prefetch == {"labs": None}


@pytest.mark.parametrize("value", [1, "x", True, [], [{"resourceType": "Bundle"}]], ids=repr)
def test_a_key_whose_value_is_no_object_counts_as_absent(value: Any) -> None:
    """A value that is no resource is not "none found": the key is dropped with a note, the other keys stay."""
    request = decode(body(prefetch={"labs": value, "patient": {"resourceType": "Patient"}, "exam": None}))
    assert request.prefetch is not None
    assert set(request.prefetch) == {"patient", "exam"}
    assert notes_of(request.notes) == [("unreadable-element", "prefetch.labs")]


def test_no_token_is_no_fault() -> None:
    """The authorization is optional, and null is none."""
    assert decode(body(fhirAuthorization=None)).authorization is None


def test_the_token_is_read_and_never_shown() -> None:
    """The authorization arrives with the members that the standard names, and its text form hides the token."""
    given = {
        "access_token": SECRET,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Patient.read",
        "subject": "cds-service",
        "patient": "p1",
    }
    read = decode(body(fhirAuthorization=given, fhirServer="https://ehr.example.org/fhir")).authorization
    assert read is not None
    assert (read.access_token, read.expires_in, read.patient) == (SECRET, 300, "p1")
    assert SECRET not in repr(read)


@pytest.mark.parametrize(
    "given",
    [{}, {"access_token": None}, {"access_token": 1}, {"access_token": SECRET, "expires_in": "soon"}],
    ids=repr,
)
def test_an_authorization_that_breaks_the_standard_is_refused(given: Any) -> None:
    """A token that is missing or mistyped is named by the member that should hold it."""
    error = refusal(body(fhirAuthorization=given))
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("fhirAuthorization",)


@pytest.mark.parametrize("extension", [None, 1, "x", [], [1]], ids=repr)
def test_an_extension_that_is_no_object_is_left_aside(extension: Any) -> None:
    """Nothing rests on an extension, so a strange one costs nothing."""
    assert decode(body(extension=extension)).extension == {}


def test_unknown_members_are_tolerated_anywhere() -> None:
    """A client of a later version, or with its own members, is served."""
    call = body(newMember={"a": [1]}, prefetch={"labs": {"resourceType": "Bundle", "own": [{}], "entry": []}})
    call["context"]["selections"] = ["x"]
    assert decode(call).notes == ()
