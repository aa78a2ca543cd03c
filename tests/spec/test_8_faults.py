"""Faults seen in other decision-support services, each as a regression test of this one."""

from __future__ import annotations

import json
import logging
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cds_service.settings import Settings
from cds_service.store.database import Database
from tests.functional.server import LiveServer
from tests.spec.calls import (
    EXPLANATION,
    PROBLEM,
    SERVICES,
    STORIES,
    VIEW,
    Ask,
    Message,
    all_advertised,
    cards,
    members,
    notes,
    recording,
    refusal,
    removed,
    replaced,
    story,
    viewing,
    without_presentation,
)
from tests.support.feedback import accepted, kept_of, overridden
from tests.support.feedback import message as feedback_call

THREADS = 8


def test_a_call_without_prefetch_does_not_crash(ask: Ask) -> None:
    """Without data the answer is 412, or nothing to say; never a fault."""
    assert refusal(ask(PROBLEM, removed(story(), "prefetch")), 412, "incomplete")
    assert cards(ask(PROBLEM, removed(without_presentation(story()), "prefetch"))) == []
    assert refusal(ask(VIEW, removed(viewing(), "prefetch")), 412, "incomplete")


def test_two_services_answer_for_themselves(ask: Ask) -> None:
    """All services exist, and the record decides differently on each."""
    message = viewing()
    problems = message["prefetch"]["problems"]
    assert set(all_advertised(ask)) == {path.rpartition("/")[2] for path in SERVICES}
    assert cards(ask(VIEW, message))
    elsewhere = without_presentation(story())
    elsewhere["prefetch"]["problems"] = problems
    assert cards(ask(PROBLEM, elsewhere)) == []


def test_another_services_hook_is_never_answered(ask: Ask) -> None:
    """A hook in the body that is not the service's own is 400."""
    assert refusal(ask(PROBLEM, replaced(story(), "hook", "patient-view")), 400, "structure") == ["hook"]
    message = replaced(viewing(), "hook", "problem-list-item-create")
    assert refusal(ask(VIEW, message), 400, "structure") == ["hook"]


STAGES = [
    "cds_service.engine.findings.FindingBook.outcome",
    "cds_service.engine.red_flags.RedFlagRules.fire",
    "cds_service.engine.ranking.CauseRules.rank",
    "cds_service.engine.workup.WorkupPlanner.plan",
    "cds_service.cards.compose.CardComposer.compose",
]


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_in_a_rule_never_looks_like_no_finding(
    ask_app: Ask, stage: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A stage that fails is told and logged; it is never an answer without cards."""

    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("planted")

    monkeypatch.setattr(stage, fail)
    assert refusal(ask_app(PROBLEM, story()), 500, "exception") == []
    logged = str([vars(record) for record in caplog.records])
    assert "LookupError" in logged
    assert "planted" not in logged


def test_nothing_is_known_of_a_test_that_was_not_done(ask_app: Ask) -> None:
    """Without results no cause is excluded by one, and those that need one are listed as not assessed."""
    message = story()
    message["prefetch"]["labs"]["entry"] = []
    explanation = cards(ask_app(PROBLEM, message))[0]["extension"][EXPLANATION]
    against = [argument for cause in explanation["ranking"] for argument in cause["against"]]
    assert not [argument for argument in against if argument["finding"].endswith("-normal")]
    assert explanation["not_assessed"]


def _renamed(message: Message, mark: str) -> Message:
    """Return the message with every id and every invented name marked, so that a mix-up can be seen."""
    stem = message["context"]["patientId"].removesuffix("-patient")
    renamed: Message = json.loads(json.dumps(message).replace(f"{stem}-", f"{stem}{mark}-"))
    condition = renamed["context"]["conditions"]["entry"][0]["resource"]
    condition["code"]["text"] = f"{condition['code'].get('text', '')} {mark}"
    return renamed


@pytest.mark.parametrize("way", ["ask_app", "ask_server"])
def test_patients_under_threads_do_not_mix(way: str, request: pytest.FixtureRequest) -> None:
    """Patients asked about at the same time by eight threads each get their own answer, and no one else's words."""
    ask: Ask = request.getfixturevalue(way)
    marks = [f"zq{letter}qz" for letter in "abcdefgh"]
    patients = [
        (_renamed(story(STORIES[place % len(STORIES)]), mark), mark) for place, mark in enumerate(marks)
    ]
    calls = patients * 30
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda call: ask(PROBLEM, call[0]), calls))
    for (message, mark), answer in zip(calls, answers, strict=True):
        found = json.loads(answer.body)["cards"]
        text = answer.body.decode()
        assert set(re.findall(r"zq[a-h]qz", text)) == {mark}
        named = {value for _, value in members(found) if str(value).startswith("Patient/")}
        assert named <= {f"Patient/{message['context']['patientId']}"}
    expected = {mark: cards(ask(PROBLEM, message))[0]["summary"] for message, mark in patients}
    told = [json.loads(answer.body)["cards"][0]["summary"] for answer in answers]
    assert told == [expected[mark] for _, mark in calls]


def _words(message: Message) -> set[str]:
    """Return the texts of a record that are of no one else: ids and free texts."""
    names = ("text", "id", "patientId", "encounterId", "userId", "hookInstance", "reference")
    found = members(message)
    return {
        str(value) for path, value in found if path.rpartition(".")[2] in names and isinstance(value, str)
    }


@pytest.mark.parametrize("name", STORIES)
def test_no_request_reaches_the_log(ask_app: Ask, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """An answered call leaves nothing of the record in the log, at any level."""
    with caplog.at_level(logging.DEBUG):
        cards(ask_app(PROBLEM, story(name)))
        cards(ask_app(VIEW, viewing(name)))
    assert not [words for words in _words(story(name)) if words in caplog.text]


def test_the_running_service_prints_no_request(ask_server: Ask, live_server: LiveServer) -> None:
    """Neither a record nor a stack trace stands in what the service prints."""
    for name in STORIES:
        ask_server(PROBLEM, story(name))
    ask_server(PROBLEM, b'{"hook": "Xanthippe')
    printed = live_server.printed
    assert "knowledge" in printed
    assert "Traceback" not in printed
    assert not [words for name in STORIES for words in _words(story(name)) if words in printed]


@pytest.mark.parametrize("name", STORIES)
def test_a_summary_ends_at_a_word(ask_app: Ask, name: str) -> None:
    """A summary that is cut ends with an ellipsis after a whole word."""
    for card in cards(ask_app(PROBLEM, story(name))):
        assert len(card["summary"]) <= 139
        assert not re.search(r"[\s,;:(]\u2026$", card["summary"])


def test_a_unit_that_does_not_fit_is_indeterminate_and_told(ask: Ask) -> None:
    """A potassium in a unit that is not a concentration is neither low nor normal, and a note says so."""
    message = story()
    potassium = [
        entry["resource"]
        for entry in message["prefetch"]["labs"]["entry"]
        if entry["resource"]["code"]["coding"][0]["code"] == "2823-3"
    ]
    assert potassium
    for resource in potassium:
        resource["valueQuantity"] |= {"unit": "kg", "code": "kg"}
        resource.pop("interpretation", None)
    answer = ask(PROBLEM, message)
    explanation = cards(answer)[0]["extension"][EXPLANATION]
    assert any("unit" in code for code in notes(answer).values())
    arguments = [
        argument["finding"]
        for cause in explanation["ranking"]
        for argument in (*cause["for"], *cause["against"])
    ]
    assert not {"potassium-low", "potassium-normal", "potassium-high"} & set(arguments)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example/x",
    "www.evil.example",
    "someone@evil.example",
    "<https://evil.example>",
    "# Heading",
    "\n\n# Heading\n\n",
    "| a | b |\n|---|---|\n| c | d |",
    "a | b | c",
    "**bold** _em_ ~~gone~~ `code`",
    "```\ncode\n```",
    "> quote",
    "- item\n- item",
    "1. item",
    "\n\n---\n\n",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "\\[x\\](y) \\",
    "\u202eesrever\u202c \u200bzero\u2066width\u2069",
    "\x1b[31mred\x07\x00\x9b31m",
    "<!-- comment -->",
    "$x$ $$y$$",
    "[x]: https://evil.example",
    "[^1] :smile: @someone #1",
]


def _structure(markdown: str) -> list[str]:
    """Return the kinds of Markdown elements of a text, without its words."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    found: list[str] = []
    for token in parser.parse(markdown):
        found.append(token.type)
        found += [
            f"{child.type} {child.attrs.get('href', '')}"
            for child in token.children or ()
            if child.type not in {"text", "text_special", "softbreak"}
        ]
    return found


def _planted(text: str) -> Message:
    """Return a call in which every free text of the record that a card may repeat is `text`."""
    message = story()
    condition = message["context"]["conditions"]["entry"][0]["resource"]
    condition["code"]["text"] = text
    for entry in message["prefetch"]["medications"]["entry"]:
        entry["resource"]["medicationCodeableConcept"]["text"] = text
    for entry in message["prefetch"]["problems"]["entry"]:
        entry["resource"]["code"]["text"] = text
    for entry in message["prefetch"]["labs"]["entry"]:
        entry["resource"]["code"]["text"] = text
        entry["resource"]["valueQuantity"]["unit"] = text
        entry["resource"]["referenceRange"] = [{"text": text}]
    return message


@pytest.mark.parametrize("text", HOSTILE)
def test_chart_text_changes_no_structure_of_a_card(ask_app: Ask, text: str) -> None:
    """Text of the chart adds no tag, link, image, heading, list, cell or rule to a detail, and none to a summary."""
    plain, hostile = cards(ask_app(PROBLEM, _planted("words"))), cards(ask_app(PROBLEM, _planted(text)))
    assert len(hostile) == len(plain)
    for card, same in zip(hostile, plain, strict=True):
        assert _structure(card["detail"]) == _structure(same["detail"])
        assert not re.search(r"<[A-Za-z/!?]", card["detail"])
        told = card["detail"].replace("\n", "").replace(card["source"]["url"], "")
        assert not re.search(r"://|www\.|\S@\S", told)
        shown = card["summary"] + told
        assert shown.isprintable()
        assert not re.search(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown)


def test_members_that_nobody_knows_are_kept_out_of_the_way(ask: Ask) -> None:
    """Unknown members and an extension object are read over; the context is read whole beside them."""
    message = story()
    message["extension"]["com.example.vendor"] = {"a": [None]}
    message["context"]["vendorField"] = {"conditions": "none"}
    assert cards(ask(PROBLEM, message))[0]["summary"] == cards(ask(PROBLEM, story()))[0]["summary"]


def test_a_second_page_is_not_taken_for_absent(ask: Ask) -> None:
    """A page that was not sent is noted for each key on which it was announced."""
    message = story()
    for key in ("labs", "medications", "problems"):
        message["prefetch"][key]["link"] = [
            {"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}
        ]
    found = notes(ask(PROBLEM, message))
    assert {found[f"prefetch.{key}"] for key in ("labs", "medications", "problems")} == {"more-pages"}


@pytest.mark.parametrize("key", ["labs", "medications", "problems"])
def test_hundreds_of_broken_entries_do_not_hide_a_sound_one(ask_app: Ask, key: str) -> None:
    """A bundle in which most entries are broken still gives the sound ones."""
    message = story()
    broken: list[Any] = [None, {}, {"resource": {"resourceType": 5}}, {"resource": {"code": []}}, "x"] * 100
    message["prefetch"][key]["entry"] = [*broken, *message["prefetch"][key]["entry"]]
    assert cards(ask_app(PROBLEM, message))[0]["summary"] == cards(ask_app(PROBLEM, story()))[0]["summary"]


def test_an_order_of_answers_does_not_depend_on_what_came_before(ask_app: Ask) -> None:
    """A call is answered alike before and after calls about other patients and faulty ones."""
    before = cards(ask_app(PROBLEM, story()))[0]["summary"]
    for other in (recording(), viewing(STORIES[0]), {}):
        ask_app(PROBLEM, other)
    assert cards(ask_app(PROBLEM, story()))[0]["summary"] == before


def test_feedback_holds_several_answers_each_stored_once(ask: Ask) -> None:
    """The body is `{"feedback": [...]}`; card, outcome and moment make an answer, however often it is sent."""
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    body = feedback_call(accepted(one), overridden(other), overridden(one, at="2026-06-21T00:00:00Z"))
    for _ in range(2):
        assert ask(f"{PROBLEM}/feedback", body).status == 200
    database = Database(Settings().store_url)
    kept = [sorted(answer.outcome for answer in kept_of(database, card)) for card in (one, other)]
    database.close()
    assert kept == [["accepted", "overridden"], ["overridden"]]
