"""The findings of one patient: made on demand, kept, and never altered by what was prepared for everybody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.model.definitions import Knowledge, Presentation, ValueSet
from cds_service.model.facts import PatientFacts
from cds_service.model.findings import State
from tests.unit.engine.neutral import (
    ALL_KINDS,
    TODAY,
    book,
    condition,
    define,
    examination,
    fact,
    facts,
    habit,
    knowledge,
    lab,
    medication,
    presenting,
    result,
    rule,
)

RULE_NAMES = [f"r{number}" for number in range(5)]
leaves = st.sampled_from(
    [
        {"condition": {"in": ["oddity"]}},
        {"condition": {"in": ["quirk", "oddity"], "status": "past-or-active", "onset_within_days": 7}},
        {"medication": {"in": ["tonic"]}},
        {"medication": {"in": ["elixir"], "started": "after-onset"}},
        {"examination": {"part": "tail", "is": "normal"}},
        {"habit": {"item": "humming", "at_least": "4"}},
        {"patient": {"age_at_least": 40}},
        {"patient": {"sex": "male"}},
        {"onset": {"within_days": 30}},
        "presents-with-wobble",
        "presents-with-shake",
        "zorbium-low",
        "zorbium-normal",
        "zorbium-adjusted-low",
        "quendite-marked-high",
        "nobody-makes-this",
    ]
)


def expressions(names: list[str]) -> st.SearchStrategy[Any]:
    """Return expressions over the leaves and these rules."""
    parts = st.one_of(leaves, st.sampled_from(names)) if names else leaves
    return st.recursive(
        parts,
        lambda inner: st.one_of(
            st.builds(lambda of: {"all": of}, st.lists(inner, min_size=1, max_size=2)),
            st.builds(lambda of: {"any": of}, st.lists(inner, min_size=1, max_size=2)),
            st.builds(lambda of: {"not": of}, inner),
            st.builds(lambda of: {"unless": of}, inner),
            st.builds(
                lambda of: {"count": {"at_least": 1, "of": of}}, st.lists(inner, min_size=1, max_size=2)
            ),
        ),
        max_leaves=3,
    )


LABS = (
    lab(
        yields_to="zorbium-adjusted",
        before_onset_days=7,
        shorter_windows=[{"when": "r0", "days": 3, "because": "It moves.", "from_its_date": True}],
    ),
    lab(
        "zorbium-adjusted",
        derived={
            "from": "zorbium",
            "adjust_by": "quendite",
            "slope": "1",
            "reference": "15",
            "same_sample_hours": 24,
            "not_when": ["r1"],
        },
    ),
    lab(
        "quendite",
        limits={"marked-high": {"at_least": "25", "instead": [{"when": "r2"}]}},
        own_range_when=["r0"],
        only_with="zorbium-normal",
    ),
)
NO_LABS = leaves.filter(lambda leaf: not isinstance(leaf, str) or leaf.startswith("presents"))


@st.composite
def contents(draw: st.DrawFn) -> Knowledge:
    """Return rules of which each may read labs and earlier rules; labs depend on the first three only."""
    first = [rule(name, draw(NO_LABS)) for name in RULE_NAMES[:3]]
    later = [
        rule(name, draw(expressions(RULE_NAMES[:place])))
        for place, name in enumerate(RULE_NAMES)
        if place > 2
    ]
    shake = define(Presentation, "shake")
    return knowledge(*first, *later, *LABS, shake, define(ValueSet, "quirk", kind="sign"))


def maybe(*choices: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return some of the choices, or none."""
    return st.lists(st.sampled_from(choices), unique_by=id, max_size=3).map(tuple)


records = st.builds(
    lambda results, **members: facts(*results, **members),
    maybe(
        result("8"),
        result("15", on="2026-06-01"),
        result("30", of="quendite"),
        result("6", of="zorbium-adjusted"),
    ),
    conditions=maybe(
        condition("oddity"), condition("quirk", onset="2026-06-12"), condition("quirk", active=False)
    ),
    medications=maybe(medication("tonic"), medication("elixir", started="2026-06-12")),
    examinations=maybe(examination("tail", "normal"), examination("tail", "abnormal", None)),
    habits=maybe(habit("humming", "6")),
    presentations=maybe(presenting("wobble", onset="2026-06-10"), presenting("shake")),
    arrived=st.sets(st.sampled_from(sorted(ALL_KINDS))).map(frozenset),
    age=st.sampled_from([None, 39, 40]),
    sex=st.sampled_from([None, "male", "female"]),
)


@settings(max_examples=40)
@given(contents(), st.lists(records, min_size=1, max_size=3))
def test_what_is_prepared_for_everybody_alters_nobodys_findings(
    known: Knowledge, about: list[PatientFacts]
) -> None:
    """One patient after the other: each finding is the one that would be made for this patient alone."""
    rules = FindingRules(known)
    for patient in about:
        prepared = FindingBook(rules, patient, TODAY)
        alone = FindingBook(rules, patient, TODAY, {})
        for finding in (
            *known.rules,
            *rules.lab_findings,
            "presents-with-wobble",
            "presents-with-shake",
            "unheard-of",
        ):
            assert prepared.outcome(finding) == alone.outcome(finding), finding


@settings(max_examples=40)
@given(contents(), records)
def test_the_order_of_asking_changes_no_finding(known: Knowledge, about: PatientFacts) -> None:
    """Findings are the same whether they are asked for forwards or backwards."""
    rules = FindingRules(known)
    forwards, backwards = FindingBook(rules, about, TODAY), FindingBook(rules, about, TODAY)
    names = [*known.rules, *rules.lab_findings]
    told = {name: forwards.outcome(name) for name in names}
    assert {name: backwards.outcome(name) for name in reversed(names)} == told


@given(
    contents(),
    st.sets(st.sampled_from(sorted(ALL_KINDS))).map(frozenset),
    st.dates(min_value=date(1900, 1, 1)),
)
def test_silence_is_the_same_on_every_day(known: Knowledge, arrived: frozenset[str], today: date) -> None:
    """A record that holds nothing gives the same findings whenever it is read, and none of them is a lab's."""
    rules = FindingRules(known)
    nobody = facts(presentations=(), age=None, sex=None, arrived=arrived)
    silent = FindingBook(rules, nobody, today)
    later = FindingBook(rules, nobody, min(today, date.max - timedelta(days=1)) + timedelta(days=1), {})
    for finding in (*known.rules, *rules.lab_findings):
        assert silent.outcome(finding) == later.outcome(finding)
    assert {silent.outcome(finding)[0] for finding in rules.lab_findings} == {State.UNKNOWN}


def test_a_given_state_stands_before_the_record() -> None:
    """An example can say what a finding is, whatever the record would make of it."""
    known = knowledge(rule("odd", {"condition": {"in": ["oddity"]}}), lab())
    patient = book(known, facts(result("8")), odd=State.PRESENT, zorbium_low=State.UNKNOWN)
    assert patient.outcome("odd") == (State.PRESENT, (fact("odd", value="given"),))
    assert patient.outcome("zorbium-low") == (State.UNKNOWN, ())
    assert patient.outcome("zorbium-normal")[0] is State.ABSENT
    assert patient.is_present("odd")
    assert not patient.is_present("zorbium-low")


def test_a_later_stage_can_settle_a_finding() -> None:
    """What is settled counts from then on, with its facts."""
    patient = book(knowledge(), facts())
    assert patient.outcome("red-flag")[0] is State.UNKNOWN
    patient.settle("red-flag", (State.PRESENT, (fact("zorbium"),)))
    assert patient.outcome("red-flag") == (State.PRESENT, (fact("zorbium"),))
    assert patient.facts_behind("red-flag") == (fact("zorbium"),)
    assert "red-flag" in patient.made()


def test_settling_for_one_patient_settles_nothing_for_the_next() -> None:
    """What is prepared for everybody is never written to."""
    rules = FindingRules(knowledge(rule("odd", {"condition": {"in": ["oddity"]}})))
    first = FindingBook(rules, facts(), TODAY)
    first.settle("odd", (State.PRESENT, (fact("x"),)))
    assert FindingBook(rules, facts(), TODAY).outcome("odd") == (State.ABSENT, ())


def test_the_first_presentation_of_a_type_is_its_fact() -> None:
    """Recorded twice, the finding shows what was recorded first."""
    about = facts(presentations=(presenting(text="first"), presenting(text="second")))
    assert book(knowledge(), about).outcome("presents-with-wobble")[1] == (about.presentations[0].fact,)
