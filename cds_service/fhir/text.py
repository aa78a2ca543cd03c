"""Finds phrases in clinical free text, with word boundaries, negation and decoys; it knows no phrase of its own.

The phrases come from the content. What is negated ("no", "denies"), belongs to a relative, or is a screening or
a plan is not found. A text match is weak evidence and is always shown as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.model.parts import TextPattern

_BEFORE = re.compile(
    r"\b(?:no|not|non|nil|never|denies|denied|deny|without|negative for|absence of|absent|free of|"
    r"no evidence of|no sign of|no signs of|rules? out|ruled out|unlikely|resolved|"
    r"family history(?: of)?|fh of|fhx of|mother|father|brother|sister|sibling|"
    r"screening for|screen for|screened for|at risk of|at risk for|risk of|risk for|prevention of|"
    r"history of|h/o|prophylaxis against|vaccination against)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\W*(?:\b(?:is|are|was|were|has|have|been|had)\b\W*)*\b(?:absent|denied|excluded|ruled out|not present|"
    r"not seen|not found|none|negative|resolved|unlikely|in (?:father|mother|brother|sister|sibling|family))\b",
    re.IGNORECASE,
)
_SCOPE_END = re.compile(
    r"[.;:\n]|\b(?:but|however|although|though|except|apart from|yet|has|have|reports|complains|with|now|presents)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;\n]")
_REACH = 7
"""How many words a negation reaches forward."""


def _phrase(words: str) -> str:
    parts = []
    for word in words.split():
        if word == "*":
            parts.append(r"(?:\w+\W+){0,3}?")
        elif word.endswith("*"):
            parts.append(re.escape(word[:-1]) + r"\w*\W+")
        else:
            parts.append(re.escape(word) + r"\W+")
    pattern = "".join(parts)
    return pattern.removesuffix(r"\W+") + ("" if words.endswith("*") else r"(?!\w)")


def compile_phrases(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Return one pattern for all phrases. `*` ends a stem ("twitch*"); a lone `*` stands for up to three words."""
    return re.compile(r"(?<!\w)(?:" + "|".join(_phrase(phrase) for phrase in phrases) + ")", re.IGNORECASE)


class PhraseBook:
    """The phrases of many things, searched together."""

    def __init__(self, patterns: Mapping[str, TextPattern]) -> None:
        """Compile every pattern once."""
        self._entries = [
            (
                name,
                compile_phrases(pattern.match),
                compile_phrases(pattern.unless) if pattern.unless else None,
            )
            for name, pattern in patterns.items()
        ]
        every = tuple(phrase for pattern in patterns.values() for phrase in pattern.match)
        self._any = compile_phrases(every) if every else None

    def find(self, text: str | None) -> frozenset[str]:
        """Return the names that `text` states of the patient."""
        if not text or self._any is None or self._any.search(text) is None:
            return frozenset()
        return frozenset(name for name, match, decoy in self._entries if _is_stated(text, match, decoy))


def _is_stated(text: str, match: re.Pattern[str], decoy: re.Pattern[str] | None) -> bool:
    for found in match.finditer(text):
        clause = _clause_around(text, found.start(), found.end())
        if decoy is not None and decoy.search(clause):
            continue
        if not is_negated(text, found.start(), found.end()):
            return True
    return False


def _clause_around(text: str, start: int, end: int) -> str:
    begin = max((stop.end() for stop in _CLAUSE_END.finditer(text, 0, start)), default=0)
    stop = _CLAUSE_END.search(text, end)
    return text[begin : stop.start() if stop else len(text)]


def is_negated(text: str, start: int, end: int) -> bool:
    """Whether what stands at `start:end` is denied, another person's, screened for, or over."""
    before = text[:start]
    scope = max((stop.end() for stop in _SCOPE_END.finditer(before)), default=0)
    for word in _BEFORE.finditer(before, scope):
        if len(before[word.end() :].split()) < _REACH:
            return True
    return _AFTER.match(text, end) is not None
