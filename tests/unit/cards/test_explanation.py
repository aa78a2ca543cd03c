"""The machine-readable trace: all members are there, empty lists included, and every fact can be followed."""

from __future__ import annotations

from typing import Any

from cds_service.cards.explanation import EXTENSION, fact_object
from cds_service.model.facts import Amount, Fact, PatientFacts, ReadingNote
from cds_service.model.hooks import CDSResponse
from tests.unit.cards.decided import compose, flags
from tests.unit.engine.neutral import condition, facts, medication, placed, presenting, result

MEMBERS = {
    "knowledge_version",
    "as_of",
    "complete",
    "presentation",
    "red_flags",
    "ranking",
    "not_assessed",
    "treatment",
    "drug_safety",
    "workup",
    "notes",
}
NOTE = ReadingNote(
    severity="warning", code="unit-not-understood", path="prefetch.labs.entry[3]", remedy="Use UCUM."
)


def explain(about: PatientFacts, *more: Any) -> dict[str, Any]:
    """Return the explanation as a client receives it."""
    cards: Any = CDSResponse(cards=compose(about, *more)).to_dict()["cards"]
    trace = cards[0]["extension"][EXTENSION]
    assert isinstance(trace, dict)
    return trace


def test_every_member_is_there_when_there_is_nothing_to_say() -> None:
    """Empty lists are sent, so that nobody takes a missing member for an old version."""
    trace = explain(facts())
    assert set(trace) == MEMBERS
    assert (trace["red_flags"], trace["ranking"], trace["workup"], trace["notes"]) == ([], [], [], [])
    assert (trace["knowledge_version"], trace["as_of"]) == ("1+0", "2026-06-15T10:00:00Z")
    assert trace["presentation"] == {
        "types": ["wobble"],
        "recorded": [{"text": "wobbles", "reference": "Condition/p"}],
    }


def test_every_cause_is_ranked_or_not_assessed() -> None:
    """A cause about which nothing is known lists what is missing."""
    trace = explain(facts(result("8")))
    assert [one["cause"] for one in trace["ranking"]] == ["fizz", "pop"]
    assert trace["not_assessed"] == [{"cause": "drink", "missing": ["hums-much"]}]


def test_a_ranked_cause_shows_its_arguments_with_their_facts() -> None:
    """From the cause over the evidence and its source down to reference, value, unit and date."""
    about = facts(result("8"), medications=(medication("elixir"),), arrived=frozenset({"medications"}))
    fizz = explain(about)["ranking"][0]
    assert fizz == {
        "cause": "fizz",
        "standing": "likely",
        "in_source_document": True,
        "urgency": "routine",
        "for": [
            {
                "finding": "zorbium-low",
                "weight": "strong",
                "because": "zorbium-low is strong-for.",
                "cites": "r1",
                "origin": "source-document",
                "grade": "V",
                "facts": [
                    {
                        "reference": "Observation/zorbium",
                        "what": "zorbium",
                        "value": "8",
                        "unit": "U/L",
                        "on": "2026-06-14",
                    }
                ],
            }
        ],
        "against": [
            {
                "finding": "takes-elixir",
                "weight": "weak",
                "because": "takes-elixir is weak-against.",
                "cites": "r1",
                "origin": "source-document",
                "grade": "V",
                "facts": [{"reference": "MedicationRequest/elixir", "what": "elixir"}],
            }
        ],
        "missing": ["has-oddity"],
    }


def test_a_red_flag_shows_its_level_and_facts() -> None:
    """Only flags that fired are listed, in the order of the cards."""
    flagged = explain(facts(result("2")), *flags(2))["red_flags"]
    assert [(one["id"], one["level"], one["because"]) for one in flagged] == [
        ("RF1", "critical", "It cannot wait."),
        ("RF2", "critical", "It cannot wait."),
    ]
    assert [fact["value"] for one in flagged for fact in one["facts"]] == ["2", "2"]
    assert {(*one["cites"], one["origin"]) for one in flagged} == {("r1", "source-document")}
    assert explain(facts(result("8")), *flags(2))["red_flags"] == []


def test_the_workup_says_what_became_of_each_order() -> None:
    """Done and ordered tests carry date and reference, suggested ones do not."""
    about = facts(result("8", on="2026-06-15"), placed_orders=(placed("quendite", on="2026-06-10"),))
    assert explain(about)["workup"] == [
        {
            "order": "zorbium",
            "status": "already-done",
            "because": "Fizz",
            "origin": "added",
            "reference": "Observation/zorbium",
            "on": "2026-06-15",
        },
        {
            "order": "quendite",
            "status": "already-ordered",
            "because": "Fizz",
            "origin": "added",
            "reference": "ServiceRequest/1",
            "on": "2026-06-10",
        },
    ]
    assert explain(facts(result("8")))["workup"][1] == {
        "order": "quendite",
        "status": "suggested",
        "because": "Fizz",
        "origin": "added",
    }


def test_what_could_not_be_read_makes_the_answer_incomplete() -> None:
    """A note that cost a fact, or a key that did not come, is said; a mere remark is not held against it."""
    assert explain(facts())["complete"] is True
    trace = explain(facts(notes=(NOTE,)))
    assert trace["complete"] is False
    assert trace["notes"] == [
        {
            "severity": "warning",
            "code": "unit-not-understood",
            "path": "prefetch.labs.entry[3]",
            "remedy": "Use UCUM.",
        }
    ]
    remark = ReadingNote(severity="information", code="x", path="y", remedy="z")
    assert explain(facts(notes=(remark,)))["complete"] is True
    assert explain(facts(missing_keys=("labs",)))["complete"] is False


def test_a_presentation_without_id_or_code_says_so() -> None:
    """The reference is left out, and what was recognised by words alone is marked."""
    both = (presenting(reference=None, by_text=True), presenting("wobble", text="second"))
    assert explain(facts(presentations=both))["presentation"] == {
        "types": ["wobble"],
        "recorded": [{"text": "wobbles", "by_text": True}, {"text": "second", "reference": "Condition/p"}],
    }


def test_a_fact_leaves_out_what_it_does_not_have() -> None:
    """No member is null; a converted value comes with its unit."""
    assert fact_object(Fact(what="x")) == {"what": "x"}
    full = Fact(
        what="x",
        reference="Observation/1",
        value="<5",
        unit="mg/dL",
        on="2026",
        canonical=Amount("1.2", "mmol/L"),
        range="3–5",
        by_text=True,
        note="n",
    )
    assert fact_object(full) == {
        "reference": "Observation/1",
        "what": "x",
        "value": "<5",
        "unit": "mg/dL",
        "on": "2026",
        "range": "3–5",
        "note": "n",
        "canonical": {"value": "1.2", "unit": "mmol/L"},
        "by_text": True,
    }


def test_one_fact_behind_two_causes_is_the_same_object_everywhere() -> None:
    """Clients can compare facts: what is said of a resource is said in the same words."""
    trace = explain(facts(result("8"), conditions=(condition("oddity"),)))
    shown = [
        fact
        for one in trace["ranking"]
        for side in ("for", "against")
        for argument in one[side]
        for fact in argument["facts"]
        if fact["what"] == "zorbium"
    ]
    assert len(shown) == 2
    assert shown[0] == shown[1]
