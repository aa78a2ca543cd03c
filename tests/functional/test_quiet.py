"""Quiet by design: the same advice is not repeated for a patient; a new fact, a crossed limit or a red flag is told."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.spec.calls import (
    AS_OF,
    EXPLANATION,
    PROBLEM,
    VIEW,
    Message,
    draft_medicine,
    drafted,
    story,
    viewing,
)
from tests.support.feedback import accepted, message, overridden
from tests.support.schemas import schema_faults
from tests.support.tokens import ISSUER, bearer, claims, key_set, signer, token

TWITCH = "benign-twitch-with-caffeine"
STEADY = "leg-cramp-with-stale-potassium"
"""A story whose argument does not change while time goes by."""
MANY = "ms-spasticity-with-treatment-asked"
MARKED = "ms-fasciculation-on-thiazide"
FLAGGED = "high-potassium-in-kidney-disease"
OURS = "https://spasm-cds.org/fhir/CodeSystem/override-reasons"
DAY = "2026-06-15"


@pytest.fixture
def make_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flask]:
    """Return what makes an application on one store of this test."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'store.sqlite3'}")

    def make(**changes: Any) -> Flask:
        return create_app(Settings(**{"state_folder": tmp_path, "quiet": True, **changes}))

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Return a quiet application."""
    return make_app()


def ask(app: Flask, request: Message, path: str = PROBLEM, at: str | None = None) -> Message:
    """Return the answer of one call, after what it showed is written."""
    if at is not None:
        request["extension"] = {AS_OF: f"{at}T10:00:00Z"}
    reply = app.test_client().post(path, json=request)
    assert reply.status_code == 200
    answer: Message = reply.get_json()
    assert schema_faults("cds-response", answer) == []
    settle(app)
    return answer


def settle(app: Flask) -> None:
    """Wait until the writer has written what was shown: feedback is written after it."""
    assert (
        app.test_client().post(f"{PROBLEM}/feedback", json=message(overridden("nobody"))).status_code == 200
    )


def answer_with(app: Flask, card: Message, code: str, system: str | None = None) -> None:
    """Report that a card was overridden for a reason."""
    item = overridden(card["uuid"], code, at=f"{DAY}T11:00:00Z")
    if system is not None:
        item["overrideReason"]["reason"]["system"] = system
    assert app.test_client().post(f"{PROBLEM}/feedback", json=message(item)).status_code == 200


def explanation_of(answer: Message) -> Message:
    """Return the explanation, wherever it stands."""
    place = answer["cards"][0] if answer["cards"] else answer
    explanation: Message = place["extension"][EXPLANATION]
    return explanation


def templates(answer: Message) -> list[str]:
    """Return the topics of the shown cards."""
    return [card["source"]["topic"]["code"] for card in answer["cards"]]


def test_the_same_advice_is_shown_once(app: Flask) -> None:
    """The second call gets no card, and the whole explanation with what was withheld and why."""
    first = ask(app, story(TWITCH))
    second = ask(app, story(TWITCH))
    assert len(first["cards"]) == 1
    assert "withheld" not in explanation_of(first)
    assert second["cards"] == []
    explanation = explanation_of(second)
    (withheld,) = explanation.pop("withheld")
    assert explanation == explanation_of(first)
    assert withheld == {
        "template": "differential",
        "rules": withheld["rules"],
        "shown_on": explanation["as_of"][:10],
        "because": "already-shown",
    }
    assert "benign-fasciculation-syndrome" in withheld["rules"]


def test_it_is_quiet_across_hooks(app: Flask) -> None:
    """What was shown when the problem was recorded is not shown again when the chart is opened."""
    assert ask(app, story(TWITCH))["cards"]
    assert ask(app, viewing(TWITCH), VIEW)["cards"] == []


def test_an_overlooked_card_comes_back_after_thirty_days(app: Flask) -> None:
    """On day 29 it is quiet, on day 30 it is shown: the samples are decided at a moment of their own."""
    request = story(STEADY)
    shown = [
        bool(ask(app, request, at=day)["cards"]) for day in (DAY, "2026-07-14", "2026-07-15", "2026-07-16")
    ]
    assert shown == [True, False, True, False]


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("action-completed", None),
        ("cds-not-applicable", None),
        ("cause-already-known", OURS),
    ],
)
def test_an_answered_card_stays_quiet(app: Flask, code: str, system: str | None) -> None:
    """After "already done", "not applicable" or "cause known" it does not come back, also not after thirty days."""
    request = story(STEADY)
    card = ask(app, request, at=DAY)["cards"][0]
    answer_with(app, card, code, system)
    later = ask(app, request, at="2026-09-01")
    assert later["cards"] == []
    assert explanation_of(later)["withheld"][0]["because"] == code


@pytest.mark.parametrize("code", ["patient-declined", "chart-incorrect", "not-a-code"])
def test_other_reasons_do_not_quiet(app: Flask, code: str) -> None:
    """Only the reasons that the content marks do."""
    request = story(STEADY)
    answer_with(app, ask(app, request, at=DAY)["cards"][0], code, OURS)
    assert ask(app, request, at="2026-09-01")["cards"]


def test_the_last_answer_counts(app: Flask) -> None:
    """An override that was taken back by a later acceptance quiets nothing."""
    request = story(STEADY)
    card = ask(app, request, at=DAY)["cards"][0]
    answer_with(app, card, "cds-not-applicable")
    later = message(accepted(card["uuid"], at=f"{DAY}T12:00:00Z"))
    assert app.test_client().post(f"{PROBLEM}/feedback", json=later).status_code == 200
    assert ask(app, request, at="2026-09-01")["cards"]


def test_an_answer_about_a_foreign_card_quiets_nothing(app: Flask) -> None:
    """Feedback of another service for this card stays in quarantine."""
    request = story(STEADY)
    card = ask(app, request, at=DAY)["cards"][0]
    body = message(overridden(card["uuid"]))
    assert app.test_client().post(f"{VIEW}/feedback", json=body).status_code == 200
    assert ask(app, request, at="2026-09-01")["cards"]


def new_result(request: Message, value: float) -> Message:
    """Return the call with a potassium of today."""
    request["prefetch"]["labs"]["entry"].append(
        {
            "resource": {
                "resourceType": "Observation",
                "id": "new",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
                "subject": {"reference": f"Patient/{request['context']['patientId']}"},
                "effectiveDateTime": f"{DAY}T09:00:00Z",
                "valueQuantity": {
                    "value": value,
                    "unit": "mmol/L",
                    "system": "http://unitsofmeasure.org",
                    "code": "mmol/L",
                },
            }
        }
    )
    return request


def new_medicine(request: Message) -> Message:
    """Return the call with a medicine more."""
    request["prefetch"]["medications"].setdefault("entry", []).append(
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "new",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {"text": "furosemide 40 mg tablet"},
                "subject": {"reference": f"Patient/{request['context']['patientId']}"},
                "authoredOn": DAY,
            }
        }
    )
    return request


def without_key(request: Message) -> Message:
    """Return the call with a key that was not answered."""
    del request["prefetch"]["socialHistory"]
    return request


@pytest.mark.parametrize(
    "change",
    [
        lambda request: new_result(request, 4.1),
        lambda request: new_result(request, 3.2),
        new_medicine,
        without_key,
    ],
    ids=["a result in range", "a limit crossed", "a medicine", "an answer missing"],
)
def test_new_grounds_are_told(app: Flask, change: Callable[[Message], Message]) -> None:
    """A new fact that speaks, a crossed limit, or a part of the record that is missing now shows the card again."""
    assert ask(app, story(TWITCH))["cards"]
    assert ask(app, story(TWITCH))["cards"] == []
    assert ask(app, change(story(TWITCH)))["cards"]


def test_ids_and_order_of_the_record_are_no_grounds(app: Flask) -> None:
    """Another id for the same resource, or another order of the entries, is the same advice."""
    assert ask(app, story(TWITCH))["cards"]
    request = story(TWITCH)
    for key, bundle in request["prefetch"].items():
        for entry in reversed(bundle.get("entry", [])):
            entry["resource"]["id"] = f"other-{entry['resource']['id']}"
        if key != "patient" and "entry" in bundle:
            bundle["entry"].reverse()
    assert ask(app, request)["cards"] == []


def test_an_order_that_was_placed_is_no_new_ground(app: Flask) -> None:
    """Who accepted a draft is not told the same again because of it."""
    first = ask(app, story(STEADY))
    drafts = [one["actions"][0]["resource"] for one in first["cards"][0]["suggestions"]]
    request = story(STEADY)
    placed = [
        {**draft, "id": f"placed-{place}", "status": "active", "intent": "order", "authoredOn": DAY}
        for place, draft in enumerate(drafts)
        if draft["resourceType"] == "ServiceRequest"
    ]
    assert placed
    request["prefetch"]["serviceRequests"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} for one in placed],
    }
    assert ask(app, request)["cards"] == []


@pytest.mark.parametrize("name", [MARKED, FLAGGED])
def test_what_must_not_wait_is_told_each_time(app: Flask, name: str) -> None:
    """Neither a red flag, nor any card beside one, nor a card raised by a marked result is ever withheld."""
    first = ask(app, story(name))
    for card in first["cards"]:
        answer_with(app, card, "cds-not-applicable")
    assert templates(ask(app, story(name))) == templates(first)


def test_a_red_flag_tells_the_rest_again(app: Flask) -> None:
    """What was quiet is shown beside a red flag that has come up."""
    quiet = [ask(app, story(TWITCH))["cards"], ask(app, story(TWITCH))["cards"]]
    assert [len(cards) for cards in quiet] == [1, 0]
    told = ask(app, new_result(story(TWITCH), 7.1))
    assert templates(told)[0] == "red-flag"
    assert len(told["cards"]) == 2


def test_a_drug_warning_is_quiet_only_when_it_was_answered(app: Flask) -> None:
    """Being shown does not quiet a warning about medicines that must not go together; an answer does."""
    first = ask(app, story(MANY))
    assert templates(first) == ["drug-safety", "differential-workup", "treatment-options"]
    second = ask(app, story(MANY))
    assert templates(second) == ["drug-safety"]
    answer_with(app, second["cards"][0], "cds-not-applicable")
    assert ask(app, story(MANY))["cards"] == []


def test_what_is_left_says_what_was_withheld(app: Flask) -> None:
    """The first card that is shown carries the explanation and one line; the rest points to it."""
    ask(app, story(MANY))
    second = ask(app, story(MANY))
    (card,) = second["cards"]
    assert card["detail"].endswith("2 cards already shown, last on 15 Jun 2026, are not repeated.")
    assert [one["template"] for one in explanation_of(second)["withheld"]] == ["differential", "treatment"]
    third = ask(app, new_result(story(MANY), 3.3))
    assert templates(third) == ["drug-safety", "differential-workup"]
    lead, follower = third["cards"]
    assert lead["detail"].endswith("1 card already shown on 15 Jun 2026 is not repeated.")
    assert [one["template"] for one in explanation_of(third)["withheld"]] == ["treatment"]
    assert follower["extension"][EXPLANATION] == {"see": lead["uuid"]}


def test_patients_do_not_quiet_one_another(app: Flask) -> None:
    """The same argument for another patient is shown."""
    assert ask(app, story(TWITCH))["cards"]
    request = story(TWITCH)
    text = json.dumps(request).replace(request["context"]["patientId"], "somebody-else")
    assert ask(app, json.loads(text))["cards"]


def test_development_repeats_itself(make_app: Callable[..., Flask]) -> None:
    """`make run` answers a sample alike each time, unless CDS_QUIET is set."""
    app = make_app(quiet=None)
    assert [len(ask(app, story(TWITCH))["cards"]) for _ in range(3)] == [1, 1, 1]


def test_days_are_a_setting(make_app: Callable[..., Flask]) -> None:
    """A site may want to be reminded sooner."""
    app, request = make_app(quiet_days=2), story(STEADY)
    shown = [bool(ask(app, request, at=day)["cards"]) for day in (DAY, "2026-06-16", "2026-06-17")]
    assert shown == [True, False, True]


def test_in_doubt_everything_is_shown(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot be read withholds nothing, costs no time, and is asked again after a rest."""
    monkeypatch.setattr("cds_service.web.quiet._RESTS_S", 0.2)
    assert ask(app, story(TWITCH))["cards"]
    with closing(sqlite3.connect(tmp_path / "store.sqlite3")) as other:
        other.execute("ALTER TABLE shown_card RENAME TO hidden")
        other.commit()
        begun = time.monotonic()
        assert app.test_client().post(PROBLEM, json=story(TWITCH)).get_json()["cards"]
        assert time.monotonic() - begun < 0.5
        assert "the store did not tell what was shown" in caplog.text
        other.execute("ALTER TABLE hidden RENAME TO shown_card")
        other.commit()
    time.sleep(0.25)
    assert ask(app, story(TWITCH))["cards"] == []


def registered(folder: Path, **members: Any) -> dict[str, Any]:
    """Return the settings of a service with one client of two tenants, which alone may call."""
    client = {
        "id": "group",
        "issuer": ISSUER,
        "jwks": key_set(signer()),
        "tenants": ["north", "south"],
        **members,
    }
    path = folder / "clients.yaml"
    path.write_text(json.dumps({"clients": [client]}), "utf-8")
    return {"clients": path, "open": False, "public_base_url": "https://cds.example.org"}


def ask_as(app: Flask, tenant: str, request: Message, path: str = PROBLEM) -> Message:
    """Return the answer to a tenant, after what it showed is written."""
    for where, body in ((path, request), (f"{path}/feedback", message(overridden("nobody")))):
        sent = bearer(token(claims(aud=f"https://cds.example.org{where}", tenant=tenant)))
        reply = app.test_client().post(where, json=body, headers=sent)
        assert reply.status_code == 200
        if where == path:
            answer: Message = reply.get_json()
    return answer


def test_tenants_do_not_quiet_one_another(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    """Two hospitals of one client may each have a patient of this id: what one was shown says nothing to the other."""
    app = make_app(**registered(tmp_path))
    assert ask_as(app, "north", story(TWITCH))["cards"]
    assert ask_as(app, "south", story(TWITCH))["cards"]
    assert ask_as(app, "north", story(TWITCH))["cards"] == []


def test_who_wants_no_explanation_is_told_what_was_withheld(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Without a card to hold the line the answer would read "nothing to say", although the record was not whole."""
    app = make_app(**registered(tmp_path, explanation="none"))
    request = story(TWITCH)
    del request["prefetch"]["labs"]
    (shown,) = ask_as(app, "north", request)["cards"]
    assert "extension" not in shown
    again = ask_as(app, "north", request)
    assert again["cards"] == []
    explained = again["extension"][EXPLANATION]
    assert set(explained) == {"complete", "withheld"}
    assert explained["complete"] is False
    assert [one["because"] for one in explained["withheld"]] == ["already-shown"]


def test_what_could_not_be_checked_is_told_for_every_medicine(app: Flask) -> None:
    """A card that a check was not possible says nothing of the next medicine, and is shown each time."""
    sign = "/cds-services/muscle-spasm-order-sign"
    for name in ("diazepam", "tizanidine", "tizanidine"):
        request = drafted(draft_medicine(name))
        request["prefetch"] = {"problems": request["prefetch"]["problems"]}
        assert "data-quality" in templates(ask(app, request, sign)), name
