"""Rules read as English: each operator and each question to facts has words of its own; evaluates nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.knowledge.fact_words import MEMBERS
from cds_service.knowledge.plain_words import PlainWords, listed
from cds_service.model.definitions import Order, RedFlag, Rule, ValueSet
from tests.support.places import CARDS
from tests.unit.engine.neutral import cause, define, knowledge, lab

CONTENT = knowledge(
    lab(borderline={"low": "9", "high": "11"}, critical_flags=True),
    lab("quendite", title="TQX", default_ranges=[], limits={}),
    define(ValueSet, "oddity", title="Oddity"),
    define(ValueSet, "smith-sign", title="Smith sign"),
    define(ValueSet, "elixir", title="Elixirs on record"),
    define(Rule, "has-oddity", when={"condition": {"in": ["oddity"]}}),
    define(Rule, "tqx-odd", when="has-oddity"),
    define(Order, "zorbium", label="Zorbium"),
    define(
        RedFlag, "RF1", levels=[{"level": "critical", "when": "x", "because": "A Smith sign cannot wait."}]
    ),
    cause("fizz", ("zorbium-low", "strong-for")),
)
WORDS = PlainWords(CONTENT)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("has-oddity", "has oddity"),
        ("tqx-odd", "TQX odd"),
        ("red-flag", "a red flag has fired"),
        ("other-cause-supported", "another cause is supported"),
        ("presents-with-wobble", "presenting with wobble"),
        ("zorbium-low", "zorbium below range (default 10–20 U/L)"),
        ("zorbium-normal", "zorbium in range (default 10–20 U/L)"),
        ("zorbium-high", "zorbium above range (default 10–20 U/L)"),
        ("zorbium-marked-low", "zorbium markedly low (below 7 U/L)"),
        ("zorbium-marked-high", "zorbium markedly high (25 U/L or more)"),
        ("zorbium-critical-low", "zorbium critically low (below 4 U/L or by the laboratory's critical flag)"),
        ("zorbium-borderline", "zorbium in the borderline zone (9–11 U/L)"),
        ("zorbium-calculated-only", "zorbium known only by calculation"),
        ("quendite-low", "TQX below range"),
        ({"all": ["a", "b"]}, "a and b"),
        ({"any": ["a", "b", "c"]}, "a or b or c"),
        ({"all": ["a", {"any": ["b", "c"]}]}, "a and (b or c)"),
        ({"any": [{"all": ["a", "b"]}, "c"]}, "(a and b) or c"),
        ({"any": ["presents-with-wobble", "presents-with-wobble"]}, "presenting with wobble or wobble"),
        ({"any": ["zorbium-low", "zorbium-normal", "zorbium-high"]}, "any zorbium that can be interpreted"),
        ({"not": "a"}, "a (known not to be so)"),
        ({"not": {"any": ["a", "b"]}}, "(a or b) (known not to be so)"),
        ({"all": ["a", {"unless": "b"}]}, "a, unless b"),
        ({"all": ["a", {"unless": "b"}, {"unless": "c"}]}, "a, unless b or c"),
        ({"any": [{"all": ["a", {"unless": "b"}]}, "c"]}, "(a, unless b) or c"),
        ({"unless": "b"}, "unless b"),
        ({"count": {"at_least": 2, "of": ["a", "b", {"any": ["c", "d"]}]}}, "at least 2 of: a; b; (c or d)"),
        ({"all": ["a", {"count": {"at_least": 1, "of": ["b"]}}]}, "a and (at least 1 of: b)"),
        ({"condition": {"in": ["oddity"]}}, "oddity on record"),
        ({"condition": {"in": ["oddity", "smith-sign"]}}, "oddity or Smith sign on record"),
        ({"condition": {"in": ["elixir"]}}, "elixirs on record"),
        (
            {"condition": {"in": ["oddity"], "status": "past-or-active", "confirmed": True}},
            "oddity on record, now or in the past, confirmed",
        ),
        ({"condition": {"in": ["oddity"], "onset_within_days": 7}}, "oddity on record, begun within 7 days"),
        (
            {"condition": {"in": ["oddity"], "onset_before_days": 8}},
            "oddity on record, begun 8 days ago or earlier",
        ),
        (
            {"condition": {"in": ["oddity"], "not_older_than_days": 3}},
            "oddity on record, not known to be older than 3 days",
        ),
        ({"medication": {"in": ["oddity"]}}, "takes oddity"),
        ({"medication": {"in": ["oddity"], "status": "past-or-active"}}, "takes or took oddity"),
        (
            {"medication": {"in": ["oddity"], "started": "before-onset"}},
            "takes oddity, started before the onset",
        ),
        (
            {"medication": {"in": ["oddity"], "started": "after-onset"}},
            "takes oddity, started after the onset",
        ),
        (
            {"medication": {"in": ["oddity"], "started_within_days": 30}},
            "takes oddity, started within 30 days",
        ),
        (
            {"medication": {"in": ["oddity"], "taken_within_days": 35}},
            "takes oddity, taken now or within 35 days",
        ),
        ({"medication": {"in": ["oddity"], "ended_within_days": 7}}, "takes oddity, ended within 7 days"),
        ({"examination": {"part": "gait", "is": "abnormal"}}, "gait found abnormal on examination"),
        (
            {"examination": {"part": "tone", "is": "normal", "within_days": 90}},
            "tone found normal on examination within 90 days",
        ),
        ({"habit": {"item": "humming", "at_least": "4"}}, "humming 4 or more"),
        ({"habit": {"item": "sleep", "below": "6"}}, "sleep below 6 a night"),
        ({"habit": {"item": "alcohol", "above": "14"}}, "alcohol above 14 a week"),
        ({"patient": {"age_at_least": 18}}, "aged 18 or over"),
        ({"patient": {"age_below": 40, "sex": "female"}}, "aged under 40 and female"),
        ({"onset": {"within_days": 90}}, "the complaint began within 90 days"),
        ({"onset": {"before_days": 91}}, "the complaint began 91 days ago or earlier"),
        (
            {"result": {"lab": "zorbium", "bands": ["marked-low"], "within_hours": 2}},
            "zorbium markedly low (below 7 U/L), taken within 2 hours",
        ),
        ({"result": {"lab": "quendite", "bands": ["low", "high"]}}, "TQX below range or above range"),
        ({"measured": {"lab": "zorbium", "at_least": "30"}}, "zorbium 30 U/L or more"),
        ({"measured": {"lab": "zorbium", "below": "60"}}, "zorbium below 60 U/L"),
        (
            {"measured": {"lab": "zorbium", "above_upper": "3"}},
            "zorbium above 3 times the upper limit sent with it",
        ),
        ({"family": {"in": ["oddity"]}}, "a relative with oddity on record"),
        ({"allergy": {"in": ["oddity"]}}, "an allergy or intolerance to oddity on record"),
        (
            {"condition": {"in": ["oddity"], "not_after_onset": True}},
            "oddity on record, not begun after the complaint",
        ),
        ({"condition": {"in": ["oddity"], "on_a_sunday": True}}, "oddity on record, on a sunday True"),
        ({"dream": {"of": "x", "within_days": 2}}, "dream of x, within days 2"),
    ],
)
def test_an_expression_reads_as_a_sentence(expression: Any, words: str) -> None:
    """Nothing of the expression is lost, and inner alternatives stand in brackets."""
    assert WORDS.sentence(expression) == words


def test_every_operator_of_the_schema_has_words() -> None:
    """A question that content can ask is never shown by its members alone."""
    common = json.loads((CARDS / "schema" / "common.schema.json").read_text("utf-8"))
    forms = common["$defs"]["expression"]["oneOf"]
    known = {name: part for form in forms for name, part in form.get("properties", {}).items()}
    assert known
    assert set(known) <= WORDS.operators
    leaves = {name: set(part["properties"]) for name, part in known.items() if name in MEMBERS}
    assert {
        name: members - MEMBERS[name] for name, members in leaves.items() if members - MEMBERS[name]
    } == {}


def test_a_long_expression_becomes_nested_bullets() -> None:
    """What does not fit on a line is a list, in which each part keeps its own operator."""
    many = [f"{name} with a rather long name for one finding".replace(" ", "-") for name in "abc"]
    inner = {"any": many}
    assert WORDS.bullets({"all": ["x", inner, {"unless": inner}, {"not": inner}]}) == [
        "- all of these:",
        "  - x",
        "  - any of these:",
        *(f"    - {name.replace('-', ' ')}" for name in many),
        "  - unless any of these:",
        *(f"    - {name.replace('-', ' ')}" for name in many),
        "  - known not to be so: any of these:",
        *(f"    - {name.replace('-', ' ')}" for name in many),
    ]
    assert WORDS.bullets({"count": {"at_least": 2, "of": many}})[0] == "- at least 2 of these:"
    assert WORDS.bullets({"all": ["a", "b"]}) == ["- a and b"]


def test_linked_findings_point_at_their_heading() -> None:
    """On a page, a finding that a rule makes leads to that rule; others are plain words."""
    linked = PlainWords(CONTENT, linked=True)
    assert linked.finding("has-oddity") == "[has oddity](#has-oddity)"
    assert linked.finding("zorbium-low") == "zorbium below range (default 10–20 U/L)"


def test_words_are_listed_as_people_do() -> None:
    """One, two, three, none."""
    assert [listed(words) for words in ("", "a", "ab", "abc")] == ["", "a", "a or b", "a, b or c"]
