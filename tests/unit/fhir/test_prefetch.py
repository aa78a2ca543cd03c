"""The prefetch templates are legal in CDS Hooks 2.0.1, and there is one for what the knowledge reads and no other."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from cds_service.fhir.prefetch import prefetch_templates
from cds_service.fhir.resources import KIND_OF_KEY
from cds_service.model.definitions import Knowledge, RedFlag, Rule
from tests.support.places import SCHEMAS
from tests.unit.fhir.content import define, define_lab

ALWAYS = {"patient", "problems", "familyHistory"}
LEGAL_PARAMETERS = {"patient", "category", "status", "_count", "_sort"}


def knowing(knowledge: Knowledge, *, when: Any = None, flag: Any = None, **members: Any) -> set[str]:
    """Return the keys for a knowledge that holds one rule, one red flag and these members at most."""
    rules = {"r": define(Rule, "r", when=when, cites=[])} if when is not None else {}
    level = {"level": "warning", "when": flag, "because": "x"}
    texts = {"summary": "x", "action": "x", "detail": "x", "workup": [], "cites": []}
    flags = {"f": define(RedFlag, "f", levels=[level], **texts)} if flag is not None else {}
    empty: dict[str, Any] = {
        "labs": {},
        "orders": {},
        "questionnaires": {},
        "rules": rules,
        "red_flags": flags,
    }
    return set(prefetch_templates(msgspec.structs.replace(knowledge, **{**empty, **members})))


def every_template(knowledge: Knowledge) -> dict[str, str]:
    """Return the templates of a knowledge that reads everything."""
    leaves: list[Any] = [{"medication": {"in": ["x"]}}, {"examination": {"part": "tone"}}, {"habit": "sleep"}]
    leaves.append({"condition": {"in": ["x"], "status": "past-or-active"}})
    rule = define(Rule, "r", when={"all": leaves}, cites=[])
    vital = define_lab("potassium", category="vital-signs")
    labs = {**knowledge.labs, "vital": vital}
    return prefetch_templates(msgspec.structs.replace(knowledge, rules={"r": rule}, labs=labs))


def test_every_template_fits_the_schema_of_discovery(knowledge: Knowledge) -> None:
    """The published pattern allows tokens of the context and of the user, and no other braces."""
    schema = json.loads((SCHEMAS / "cds-discovery.schema.json").read_text("utf-8"))
    services = schema["properties"]["services"]["items"]["properties"]
    pattern = re.compile(services["prefetch"]["additionalProperties"]["pattern"])
    templates = every_template(knowledge)
    assert set(templates) == set(KIND_OF_KEY)
    assert [template for template in templates.values() if not pattern.search(template)] == []


def test_every_template_is_a_read_or_a_plain_search(knowledge: Knowledge) -> None:
    """One patient, one type, and only parameters and modifiers of the recommended subset, none of them twice."""
    for key, template in every_template(knowledge).items():
        assert template.count("{{") == template.count("{{context.patientId}}") == 1
        path, question, query = template.partition("?")
        if not question:
            assert (key, path) == ("patient", "Patient/{{context.patientId}}")
            continue
        assert re.fullmatch("[A-Z][A-Za-z]+", path)
        pairs = parse_qsl(query, strict_parsing=True)
        names = [name for name, _value in pairs]
        assert set(names) <= LEGAL_PARAMETERS
        assert len(names) == len(set(names))
        assert dict(pairs)["patient"] == "{{context.patientId}}"
        assert int(dict(pairs)["_count"]) > 0
        assert dict(pairs).get("_sort", "-date") in {"-date", "-authored"}


def test_observations_are_asked_for_by_category(knowledge: Knowledge) -> None:
    """Four queries for one type differ in their category, so no answer holds another's results."""
    queries = [
        template for template in every_template(knowledge).values() if template.startswith("Observation?")
    ]
    categories = [dict(parse_qsl(query.partition("?")[2]))["category"] for query in queries]
    assert sorted(categories) == ["exam", "laboratory", "social-history", "vital-signs"]


def test_without_rules_and_labs_little_is_asked_for(knowledge: Knowledge) -> None:
    """Patient, problems and family history are always read; nothing else is read without a reason."""
    assert knowing(knowledge) == ALWAYS


@pytest.mark.parametrize(
    ("leaf", "keys"),
    [
        ({"condition": {"in": ["x"]}}, set()),
        ({"condition": {"in": ["x"], "status": "past-or-active"}}, {"procedures"}),
        ({"family": {"in": ["x"]}}, set()),
        ({"patient": {"age_from": 60}}, set()),
        ({"onset": {"within_days": 7}}, set()),
        ({"medication": {"any_of": ["x"]}}, {"medications", "medicationStatements"}),
        ({"examination": {"part": "tone", "result": "abnormal"}}, {"exam"}),
        ({"habit": {"item": "sleep", "below": 6}}, {"socialHistory"}),
    ],
)
def test_each_leaf_asks_for_its_own_facts(knowledge: Knowledge, leaf: Any, keys: set[str]) -> None:
    """Wherever in a rule or a red flag it stands, a leaf brings its keys and no others."""
    wrapped = [
        leaf,
        {"all": ["some-finding", leaf]},
        {"any": [{"not": leaf}, "other"]},
        {"unless": leaf},
        {"count": {"at_least": 1, "of": ["one", {"all": [leaf]}]}},
    ]
    for expression in wrapped:
        assert knowing(knowledge, when=expression) == ALWAYS | keys
        assert knowing(knowledge, flag=expression) == ALWAYS | keys


def test_a_rule_over_findings_asks_for_nothing(knowledge: Knowledge) -> None:
    """A finding is made of facts that others ask for."""
    assert knowing(knowledge, when="potassium-low", flag={"all": ["a", "b"]}) == ALWAYS


def test_labs_vitals_and_orders_bring_their_keys(knowledge: Knowledge) -> None:
    """Laboratory results, vital signs and open requests are asked for while a definition reads them."""
    lab = define_lab("potassium")
    vital = define_lab("potassium", category="vital-signs")
    assert knowing(knowledge, labs={"a": lab}) == ALWAYS | {"labs"}
    assert knowing(knowledge, labs={"a": vital}) == ALWAYS | {"vitals"}
    assert knowing(knowledge, labs={"a": lab, "b": vital}) == ALWAYS | {"labs", "vitals"}
    assert knowing(knowledge, orders=knowledge.orders) == ALWAYS | {"serviceRequests"}


def test_every_key_that_is_asked_for_is_read(knowledge: Knowledge) -> None:
    """An answer to each key can show something to be absent: there is a kind of facts behind every key."""
    assert set(every_template(knowledge)) <= set(KIND_OF_KEY)


def test_answers_are_asked_for_where_questions_are_asked(knowledge: Knowledge) -> None:
    """A knowledge with a questionnaire reads the answers to it, the newest first."""
    asking = {"questionnaires": knowledge.questionnaires}
    assert knowing(knowledge, **asking) == ALWAYS | {"questionnaireResponses"}
    template = every_template(knowledge)["questionnaireResponses"]
    assert template == "QuestionnaireResponse?patient={{context.patientId}}&_sort=-authored&_count=20"
