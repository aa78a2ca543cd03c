"""What becomes of each treatment option: offered, ruled out or silent, and what is said beside it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.engine.treatment import TreatmentPlanner, summary_of
from cds_service.model.facts import PatientFacts
from cds_service.model.findings import State
from cds_service.model.treatments import Treatment, TreatmentPlan
from tests.unit.engine.neutral import ALWAYS, PAIR, book, define, facts, knowledge, medication, rule

TAKEN = rule("takes-elixir", {"medication": {"in": ["elixir"]}})
HINT = {
    "text": "Mind the odd.",
    "when": "odd",
    "if_unknown": "Nobody knows whether it is odd.",
    "cites": "r1",
}
BARRED = {"text": "Not for the small.", "when": "small", "rules_out": True, "cites": "r1"}


def balm(**members: Any) -> Treatment:
    """Return an option that is on the card whenever wobble presents."""
    return define(Treatment, "balm", **members)


def plan(
    *options: Treatment, about: PatientFacts | None = None, urgent: bool = False, **given: State
) -> TreatmentPlan:
    """Return the plan for one patient; findings that are not `given` come from the facts."""
    known = knowledge(TAKEN, *options)
    return TreatmentPlanner(known.treatments).plan(book(known, about or facts(), **given), urgent=urgent)


def test_options_stand_in_their_places() -> None:
    """The place orders the card, the id those of one place."""
    options = [define(Treatment, name, place=place) for name, place in (("b", 2), ("c", 1), ("a", 2))]
    found = plan(*options, presents_with_wobble=State.PRESENT).options
    assert [one.treatment.id for one in found] == ["c", "a", "b"]


@pytest.mark.parametrize(("state", "expected"), [(State.PRESENT, 1), (State.ABSENT, 0), (State.UNKNOWN, 0)])
def test_an_option_needs_its_finding(state: State, expected: int) -> None:
    """What is absent, or what nobody knows, brings no option on the card."""
    assert len(plan(balm(when="fits"), fits=state).options) == expected


def test_an_option_without_a_finding_is_never_offered() -> None:
    """Content can speak about a medicine that must not be offered to anybody."""
    assert plan(balm(when=None), presents_with_wobble=State.PRESENT).options == ()


@pytest.mark.parametrize(
    ("state", "ruled_out", "said"),
    [
        (State.PRESENT, ["Not for the small."], ["Mind it always."]),
        (State.ABSENT, [], ["Mind it always."]),
        (State.UNKNOWN, [], ["Mind it always."]),
    ],
)
def test_what_rules_an_option_out_is_told_apart(state: State, ruled_out: list[str], said: list[str]) -> None:
    """Only a finding that is present takes an option off; the other cautions stay with it."""
    (one,) = plan(balm(cautions=[BARRED, ALWAYS]), small=state, presents_with_wobble=State.PRESENT).options
    assert [noted.words for noted in one.ruled_out] == ruled_out
    assert [noted.words for noted in one.cautions] == said
    assert one.is_offered is not bool(ruled_out)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.PRESENT, ["Mind the odd."]),
        (State.ABSENT, []),
        (State.UNKNOWN, ["Nobody knows whether it is odd."]),
    ],
)
def test_a_caution_says_what_nobody_knows(state: State, words: list[str]) -> None:
    """Where the record is silent the card says so instead of keeping quiet."""
    (one,) = plan(balm(cautions=[HINT]), odd=state, presents_with_wobble=State.PRESENT).options
    assert [noted.words for noted in one.cautions] == words


@pytest.mark.parametrize(
    ("active", "asked", "urgent", "expected"),
    [
        (State.PRESENT, State.ABSENT, False, 1),
        (State.ABSENT, State.PRESENT, False, 1),
        (State.ABSENT, State.ABSENT, False, 0),
        (State.UNKNOWN, State.UNKNOWN, False, 0),
        (State.PRESENT, State.ABSENT, True, 1),
        (State.ABSENT, State.PRESENT, True, 0),
    ],
)
def test_a_pair_warns_when_it_is_taken_or_asked_for(
    active: State, asked: State, *, urgent: bool, expected: int
) -> None:
    """A medicine that is taken warns under a red flag as well, a mere wish for treatment does not."""
    option = balm(cautions=[PAIR, ALWAYS], active_when="taken", asked_when="asked")
    found = plan(option, urgent=urgent, taken=active, asked=asked, takes_elixir=State.PRESENT)
    assert len(found.warnings) == expected


def test_only_a_pair_that_is_there_warns() -> None:
    """A caution whose finding is absent or unknown makes no warning."""
    option = balm(cautions=[PAIR], active_when="taken")
    assert plan(option, taken=State.PRESENT, takes_elixir=State.ABSENT).warnings == ()
    assert plan(option, taken=State.PRESENT, takes_elixir=State.UNKNOWN).warnings == ()


def test_a_warning_holds_the_facts_of_both_sides() -> None:
    """Who reads it sees the medicine that is taken and what it must not meet."""
    elixir = medication("elixir", started="2026-05-01")
    (warning,) = plan(
        balm(cautions=[PAIR], active_when="takes-elixir"), about=facts(medications=(elixir,))
    ).warnings
    assert warning.active == (elixir.fact,)
    assert warning.noted.facts == (elixir.fact,)


def test_nothing_is_offered_while_something_is_urgent() -> None:
    """A red flag comes before symptom treatment."""
    assert plan(balm(), urgent=True, presents_with_wobble=State.PRESENT).options == ()


def test_remarks_need_their_finding() -> None:
    """A line for the main card is there exactly while its finding is."""
    option = balm(remarks=[{"when": "odd", "text": "Not for this.", "cites": "r1"}])
    assert [one.text for one in plan(option, odd=State.PRESENT).remarks] == ["Not for this."]
    assert plan(option, odd=State.UNKNOWN).remarks == ()


def test_an_example_sees_what_a_card_would_show() -> None:
    """Offered, ruled out or silent, with the findings of all that is said."""
    option = balm(when="fits", cautions=[BARRED, HINT, ALWAYS, PAIR], active_when="taken", asked_when="asked")
    known = knowledge(option)

    def seen(**given: State) -> dict[str, Any]:
        return summary_of(option, book(known, facts(), **given))

    silent: dict[str, Any] = {
        "outcome": "silent",
        "cautions": [],
        "not_known": [],
        "warns": [],
        "on_order": [],
        "remarks": [],
    }
    assert seen(fits=State.ABSENT, odd=State.PRESENT) == silent
    offered = seen(fits=State.PRESENT, odd=State.UNKNOWN)
    assert offered == silent | {"outcome": "offered", "not_known": ["odd"]}
    ruled_out = seen(fits=State.PRESENT, odd=State.PRESENT, small=State.PRESENT)
    assert ruled_out == silent | {"outcome": "ruled-out", "cautions": ["small", "odd"]}
    assert seen(asked=State.PRESENT, takes_elixir=State.PRESENT) == silent | {"warns": ["takes-elixir"]}


def test_an_order_is_checked_only_for_what_is_marked() -> None:
    """Of a medicine that is taken those cautions are checked that say so, and only while they hold."""
    checked = {"when": "odd", "text": "Odd.", "short": "odd balm", "on_order": "info", "cites": "r1"}
    option = balm(cautions=[checked, ALWAYS], active_when="taken")
    known = knowledge(option)

    def checks(**given: State) -> list[str]:
        found = TreatmentPlanner(known.treatments).checks(book(known, facts(), **given))
        return [one.noted.words for one in found]

    assert checks(taken=State.PRESENT, odd=State.PRESENT) == ["Odd."]
    assert checks(taken=State.PRESENT, odd=State.UNKNOWN) == []
    assert checks(taken=State.ABSENT, odd=State.PRESENT) == []
