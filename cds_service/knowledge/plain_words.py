"""Says in plain English when a finding is present, for a reader who knows no YAML; it evaluates nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cds_service.knowledge import fact_words
from cds_service.knowledge.lab_words import BAND_WORDS, band_of, band_words, unit_words
from cds_service.model.definitions import Knowledge

_SHORT_LINE = 100
_ANY_RESULT = "any result of"
_INSIDE_NAME = re.compile(r"(?<=[A-Za-z,] )[A-Z][a-zé]+(?:-[A-Z][a-zé]+)*")
_LINK = re.compile(r"\]\([^)]*\)")
_RESERVED = {"red-flag": "a red flag has fired", "other-cause-supported": "another cause is supported"}
_PRESENTS, _PRESENTING = "presents-with-", "presenting with "


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return `a`, `a or b`, or `a, b or c`."""
    parts = list(words)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)


class PlainWords:
    """Words for the expressions of one body of content."""

    def __init__(self, knowledge: Knowledge, *, linked: bool = False) -> None:
        """Keep the definitions whose titles stand in the words; `linked` findings point at their own heading."""
        self._knowledge = knowledge
        self._linked = linked
        self._capitals = _capitals(knowledge)
        self._proper = _proper_names(knowledge)
        self._leaves: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
            "condition": self._condition,
            "medication": self._medication,
            "examination": fact_words.examination,
            "habit": fact_words.habit,
            "patient": fact_words.patient,
            "onset": fact_words.onset,
            "result": self._result,
            "measured": self._measured,
            "family": self._family,
            "allergy": self._allergy,
            _ANY_RESULT: self._any_result,
        }
        self._operators: Mapping[str, Callable[[Any, bool], str]] = {
            "all": self._all,
            "any": self._any,
            "not": self._not,
            "unless": self._unless,
            "count": self._count,
        }

    @property
    def operators(self) -> frozenset[str]:
        """Every operator and leaf that has words of its own."""
        return frozenset({*self._leaves, *self._operators} - {_ANY_RESULT})

    def finding(self, name: str) -> str:
        """Return one finding in words: a measurement with its limit, else the name, which says what is true."""
        band = band_of(name, self._knowledge.labs)
        if band is not None:
            lab, side = band
            return band_words(self._knowledge.labs[lab], side)
        presentation = self._knowledge.presentations.get(name.removeprefix(_PRESENTS))
        if name.startswith(_PRESENTS) and presentation is not None:
            return f"{_PRESENTING}{presentation.noun}"
        words = _RESERVED.get(name) or self.named(name)
        return f"[{words}](#{name.lower()})" if self._linked and name in self._knowledge.rules else words

    def inside(self, words: str) -> str:
        """Return words as they stand inside a sentence: `Vitamin B12` becomes `vitamin B12`; `TSH` and names stay."""
        if words.partition(" ")[0] in self._proper or not (words[1:2].islower() or words[1:2] == " "):
            return words
        return words[:1].lower() + words[1:]

    def named(self, name: str) -> str:
        """Return an id as words, with the capitals that the titles of the content give them."""
        return " ".join(self._capitals.get(word, word) for word in name.split("-"))

    def sentence(self, expression: Any, *, nested: bool = False) -> str:
        """Return an expression on one line; inner alternatives stand in brackets."""
        if isinstance(expression, str):
            return self.finding(expression)
        operator, operand = next(iter(expression.items()))
        if operator == "any":
            operand = self._with_any_result(operand)
        if operator in self._operators:
            return self._operators[operator](operand, nested)
        if operator in self._leaves:
            return self._leaves[operator](operand) + _unsaid(operator, operand)
        return f"{operator} {_members(operand)}"

    def bullets(self, expression: Any, indent: int = 0, lead: str = "") -> list[str]:
        """Return an expression as Markdown bullets, nested where one line would be long."""
        pad = "  " * indent + "- " + lead
        words = self.sentence(expression)
        if len(_LINK.sub("", words)) <= _SHORT_LINE or isinstance(expression, str):
            return [pad + words]
        operator, operand = next(iter(expression.items()))
        if operator == "unless":
            return self.bullets(operand, indent, f"{lead}unless ")
        if operator == "not":
            return self.bullets(operand, indent, f"{lead}known not to be so: ")
        heads = {"all": "all of these:", "any": "any of these:"}
        if operator == "any":
            operand = self._with_any_result(operand)
        if operator in heads:
            return [pad + heads[operator], *self._parts(operand, indent)]
        if operator == "count":
            return [f"{pad}at least {operand['at_least']} of these:", *self._parts(operand["of"], indent)]
        return [pad + words]

    def _parts(self, parts: Iterable[Any], indent: int) -> list[str]:
        return [line for part in parts for line in self.bullets(part, indent + 1)]

    def _all(self, parts: list[Any], nested: bool) -> str:  # noqa: FBT001 - called through a table
        silencers = [part["unless"] for part in parts if isinstance(part, dict) and "unless" in part]
        needed = [part for part in parts if not (isinstance(part, dict) and "unless" in part)]
        words = " and ".join(self.sentence(part, nested=len(parts) > 1) for part in needed)
        if silencers:
            words += (
                f", unless {listed(self.sentence(part, nested=len(silencers) > 1) for part in silencers)}"
            )
        return f"({words})" if nested and len(parts) > 1 else words

    def _any(self, parts: list[Any], nested: bool) -> str:  # noqa: FBT001 - called through a table
        words = " or ".join(_merged([self.sentence(part, nested=True) for part in parts]))
        return f"({words})" if nested and len(parts) > 1 else words

    def _not(self, part: Any, _nested: bool) -> str:  # noqa: FBT001 - called through a table
        return f"{self.sentence(part, nested=True)} (known not to be so)"

    def _unless(self, part: Any, _nested: bool) -> str:  # noqa: FBT001 - called through a table
        return f"unless {self.sentence(part)}"

    def _count(self, operand: Mapping[str, Any], nested: bool) -> str:  # noqa: FBT001 - called through a table
        parts = [self.sentence(part, nested=True) for part in operand["of"]]
        words = f"at least {operand['at_least']} of: {'; '.join(parts)}"
        return f"({words})" if nested else words

    def _with_any_result(self, parts: list[Any]) -> list[Any]:
        """Return alternatives in which below, in and above range of one measurement are one: any result."""
        named = [part for part in parts if isinstance(part, str)]
        for name in [name.removesuffix("-normal") for name in named]:
            three = [f"{name}-{band}" for band in ("low", "normal", "high")]
            if name in self._knowledge.labs and set(three) <= set(named):
                at = next(place for place, part in enumerate(parts) if part in three)
                parts = [part for part in parts if part not in three]
                parts.insert(at, {_ANY_RESULT: {"lab": name}})
        return parts

    def _any_result(self, operand: Mapping[str, Any]) -> str:
        return f"any {self.inside(self._knowledge.labs[operand['lab']].title)} that can be interpreted"

    def _titles(self, names: Iterable[str]) -> str:
        sets = self._knowledge.value_sets
        return listed(self.inside(sets[name].title) if name in sets else self.named(name) for name in names)

    def _condition(self, operand: Mapping[str, Any]) -> str:
        words = f"{self._titles(operand['in']).removesuffix(' on record')} on record"
        if operand.get("status") == "past-or-active":
            words += ", now or in the past"
        if operand.get("confirmed"):
            words += ", confirmed"
        if operand.get("not_after_onset"):
            words += ", not begun after the complaint"
        return words + fact_words.spans(operand, fact_words.CONDITION_SPANS)

    def _medication(self, operand: Mapping[str, Any]) -> str:
        past = operand.get("status") == "past-or-active"
        words = f"{'takes or took' if past else 'takes'} {self._titles(operand['in'])}"
        if "started" in operand:
            words += f", started {operand['started'].replace('-', ' the ', 1)}"
        return words + fact_words.spans(operand, fact_words.MEDICATION_SPANS)

    def _result(self, operand: Mapping[str, Any]) -> str:
        lab = self._knowledge.labs.get(operand["lab"])
        bands = listed(
            BAND_WORDS.get(band, band) if lab is None else _band_alone(band_words(lab, band), lab.title)
            for band in operand["bands"]
        )
        title = operand["lab"] if lab is None else self.inside(lab.title)
        taken = [
            f"{operand[f'within_{unit}']} {unit}" for unit in ("hours", "days") if f"within_{unit}" in operand
        ]
        return f"{title} {bands}" + (f", taken within {' and '.join(taken)}" if taken else "")

    def _measured(self, operand: Mapping[str, Any]) -> str:
        lab = self._knowledge.labs.get(operand["lab"])
        title, unit = (
            (operand["lab"], "") if lab is None else (self.inside(lab.title), f" {unit_words(lab.unit)}")
        )
        sides = [
            text.format(operand[side], unit)
            for side, text in (("at_least", "{}{} or more"), ("below", "below {}{}"))
            if side in operand
        ]
        if "above_upper" in operand:
            sides.append(f"above {operand['above_upper']} times the upper limit sent with it")
        return f"{title} {' and '.join(sides)}"

    def _family(self, operand: Mapping[str, Any]) -> str:
        return f"a relative with {self._titles(operand['in'])} on record"

    def _allergy(self, operand: Mapping[str, Any]) -> str:
        return f"an allergy or intolerance to {self._titles(operand['in'])} on record"


def _merged(parts: list[str]) -> list[str]:
    """Return alternatives without repeating what they share: presenting with twitching or cramps."""
    return [
        part.removeprefix(_PRESENTING) if place and parts[place - 1].startswith(_PRESENTING) else part
        for place, part in enumerate(parts)
    ]


def _band_alone(words: str, title: str) -> str:
    return words[len(title) :].strip()


def _unsaid(operator: str, operand: Mapping[str, Any]) -> str:
    """Return the members of a question that have no words of their own yet, so that none is lost."""
    left = {
        name: value
        for name, value in operand.items()
        if name not in fact_words.MEMBERS.get(operator, operand)
    }
    return f", {_members(left)}" if left else ""


def _members(operand: Any) -> str:
    """Return the members of a question that has no words of its own yet."""
    if not isinstance(operand, Mapping):
        return str(operand)
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in operand.items())


def _capitals(knowledge: Knowledge) -> dict[str, str]:
    """Return the words that titles write in capitals, such as an abbreviation, by their lower-case form."""
    groups = (knowledge.rules, knowledge.orders, knowledge.labs, knowledge.value_sets, knowledge.causes)
    words = {word.strip("(),:") for group in groups for one in group.values() for word in one.title.split()}
    return {word.lower(): word for word in words if sum(map(str.isupper, word)) > 1}


def _proper_names(knowledge: Knowledge) -> frozenset[str]:
    """Return the words that the content writes with a capital inside a sentence, such as the name of a person."""
    texts = [one.title for group in (knowledge.value_sets, knowledge.rules) for one in group.values()]
    texts += [part.because for cause in knowledge.causes.values() for part in cause.evidence]
    texts += [level.because for flag in knowledge.red_flags.values() for level in flag.levels]
    return frozenset(word for text in texts for word in _INSIDE_NAME.findall(text))
