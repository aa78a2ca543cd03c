"""Finds the answers to our questionnaires that count today; what they mean is said elsewhere.

Only a response that names a questionnaire of ours is read: linkIds such as "1" are too common to tell whose they are.
The newest answer to each question counts, an older one to another question stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from cds_service.fhir.answer_meanings import AnswerMeanings, Asked
from cds_service.fhir.answers import is_empty
from cds_service.fhir.dates import moment_key, read_when
from cds_service.fhir.notebook import Placed
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import Answer, QuestionnaireItem, Reference, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import BY_PATIENT, RecordedPresentation, When
from cds_service.model.questionnaires import Questionnaire

_FINAL = frozenset({"completed", "amended"})
_UNFINISHED = "in-progress"


class _Response(NamedTuple):
    placed: Placed
    questionnaire: Questionnaire
    when: When | None


def read_answers(vocabulary: Vocabulary, intake: Intake, as_of: date) -> AnswerMeanings:
    """Return what the usable QuestionnaireResponses mean; a later answer is not overruled by an earlier one."""
    meanings = AnswerMeanings(vocabulary, intake, as_of)
    received = intake.of("QuestionnaireResponse")
    if not received:
        return meanings
    read = (_response(placed, vocabulary, intake, as_of) for placed in received)
    usable = [one for one in read if one is not None]
    seen: set[str] = set()
    for one in sorted(usable, key=lambda response: moment_key(response.when), reverse=True):
        _add_all(one, meanings, intake, seen)
    return meanings


def _response(placed: Placed, vocabulary: Vocabulary, intake: Intake, as_of: date) -> _Response | None:
    """Return the response if its answers count at `as_of`; else None, with a note that says why not."""

    def note(code: str, element: str, remedy: str) -> None:
        intake.note("information", code, placed.path + element, remedy)

    resource = placed.resource
    address = _address(resource)
    questionnaire = _named(address, vocabulary)
    if questionnaire is None:
        code = "questionnaire-not-ours" if address else "questionnaire-not-named"
        note(code, ".questionnaire", "Name the questionnaire that was answered by its address.")
        return None
    status = (resource.status or "").strip().lower()
    if status not in _FINAL and status != _UNFINISHED:
        note("status-not-usable", ".status", "It was not used.")
        return None
    when = read_when(resource.authored)
    if when is None:
        note("answers-undated", ".authored", "Send when the questions were answered.")
    elif when.earliest > as_of:
        note("answers-not-yet-given", ".authored", "Check the date; they were not used.")
        return None
    elif (as_of - when.latest).days > questionnaire.fresh_days:
        note("answers-too-old", ".authored", "They were not used; ask again.")
        return None
    if status == _UNFINISHED:
        note("answers-in-progress", ".status", "They were used as far as they go.")
    return _Response(placed, questionnaire, when)


def _address(resource: Resource) -> str | None:
    """Return which questionnaire was answered: before R4 it stands in a reference."""
    named = resource.questionnaire
    return named.reference if isinstance(named, Reference) else named


def _named(canonical: str | None, vocabulary: Vocabulary) -> Questionnaire | None:
    """Return the questionnaire of an address, whatever its version and wherever a copy of it is kept."""
    folder, _, name = (canonical or "").split("|", maxsplit=1)[0].strip().rpartition("/")
    is_one = folder == "Questionnaire" or folder.endswith("/Questionnaire")
    return vocabulary.questionnaires.get(name) if is_one else None


def _add_all(response: _Response, meanings: AnswerMeanings, intake: Intake, seen: set[str]) -> None:
    resource = response.placed.resource
    given = _answers_in([*(resource.item or ()), *([resource.group] if resource.group else ())])
    items = [item for item in response.questionnaire.every_item() if not item.is_group]
    if not given.keys() <= {item.link for item in items}:
        intake.note(
            "information",
            "unknown-question",
            response.placed.path,
            "Answer the questions as they are served.",
        )
    for item in items:
        if item.link in given and item.link not in seen:
            seen.add(item.link)
            path = f"{response.placed.path}.item[{item.link}]"
            system = response.questionnaire.answer_system
            meanings.add(
                Asked(item, path, response.placed.reference, response.when, system), given[item.link]
            )


def _answers_in(items: Sequence[QuestionnaireItem]) -> dict[str, list[Answer]]:
    """Return the answers that hold a value by linkId, however deep they stand."""
    given: dict[str, list[Answer]] = {}
    waiting = [*items]
    while waiting:
        item = waiting.pop()
        answers = [answer for answer in item.answer or () if not is_empty(answer)]
        if item.link_id is not None and answers:
            given.setdefault(item.link_id.strip(), []).extend(answers)
        for inner in (item, *(item.answer or ())):
            waiting += (*(inner.item or ()), *(inner.group or ()))
        waiting += item.question or ()
    return given


def with_onset(presentation: RecordedPresentation, told: When | None) -> RecordedPresentation:
    """Return the presentation with the onset that was told in an answer, where nobody recorded one."""
    if presentation.onset is not None or told is None:
        return presentation
    fact = msgspec.structs.replace(presentation.fact, on=told.text, note=f"onset {BY_PATIENT}")
    return msgspec.structs.replace(presentation, onset=told, fact=fact)
