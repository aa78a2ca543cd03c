"""Reads the value of one answer by the type of its question; it guesses nothing and knows no question's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from cds_service.fhir.dates import read_when
from cds_service.fhir.quantities import is_printable
from cds_service.fhir.shapes import Answer, Coding
from cds_service.model.facts import When
from cds_service.model.questionnaires import NO, YES, AnswerOption, QuestionItem

_TRUE, _FALSE = frozenset({YES, "y", "true"}), frozenset({NO, "n", "false"})


def is_empty(answer: Answer) -> bool:
    """Whether an answer holds no value that is read, as one with mere extensions does."""
    values = (
        answer.value_boolean,
        answer.value_coding,
        answer.value_string,
        answer.value_integer,
        answer.value_decimal,
        answer.value_date,
        answer.value_date_time,
        answer.value_quantity,
    )
    return all(value is None for value in values)


def truth(answers: Sequence[Answer]) -> bool | None:
    """Return yes or no; None when an answer says neither, or when the answers disagree."""
    told = {_truth(answer) for answer in answers}
    return told.pop() if len(told) == 1 else None


def _truth(answer: Answer) -> bool | None:
    if answer.value_boolean is not None:
        return answer.value_boolean
    for word in _words(answer):
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    return None


def chosen(item: QuestionItem, answers: Sequence[Answer], system: str) -> list[AnswerOption] | None:
    """Return the options that were chosen, in the order of the question.

    None when an answer is none of them, or when a question with one answer has several.
    """
    found = [_option(item, answer, system) for answer in answers]
    codes = {option.code for option in found if option is not None}
    if None in found or (len(codes) > 1 and not item.repeats):
        return None
    return [option for option in item.options if option.code in codes]


def _option(item: QuestionItem, answer: Answer, system: str) -> AnswerOption | None:
    """Return the option of an answer; a code of another system counts only by its words."""
    coding = answer.value_coding
    if coding is not None and coding.system in {None, "", system}:
        for option in item.options:
            if option.code == coding.code:
                return option
    words = _words(answer, codes=coding is None)
    return next((option for option in item.options if {option.code, option.display.casefold()} & words), None)


def _words(answer: Answer, *, codes: bool = True) -> set[str]:
    """Return every word of an answer by which it can be known, without regard to case."""
    coding = answer.value_coding or Coding()
    texts = (answer.value_string, coding.display, coding.code if codes else None)
    return {" ".join(text.split()).casefold() for text in texts if text}


def free_words(answers: Sequence[Answer]) -> str:
    """Return the words of text answers, and the displays of coded ones, on one line."""
    found = (answer.value_string or (answer.value_coding or Coding()).display for answer in answers)
    return "; ".join(" ".join(text.split()) for text in found if text)


def number(item: QuestionItem, answers: Sequence[Answer]) -> Decimal | str:
    """Return the number of the only answer, or the code of the note that says why there is none."""
    if len(answers) != 1:
        return "answer-not-understood"
    (answer,) = answers
    quantity = answer.value_quantity
    if quantity is not None:
        unit = (quantity.unit or quantity.code or "").strip()
        if quantity.comparator or unit not in {"", item.unit}:
            return "unit-not-understood"
    values = (
        answer.value_decimal,
        answer.value_integer,
        quantity.value if quantity is not None else None,
        answer.value_string,
    )
    given = next((value for value in values if value is not None), None)
    if given is None:
        return "answer-not-understood"
    try:
        value = Decimal(given)
    except InvalidOperation:
        return "answer-not-understood"
    if not is_printable(value) or not _lies_between(value, item):
        return "value-implausible"
    return value


def _lies_between(value: Decimal, item: QuestionItem) -> bool:
    return (item.least is None or value >= item.least) and (item.most is None or value <= item.most)


def day(answers: Sequence[Answer]) -> When | None:
    """Return the date of the only answer; None when it is none."""
    if len(answers) != 1:
        return None
    (answer,) = answers
    return read_when(answer.value_date or answer.value_date_time or answer.value_string)
