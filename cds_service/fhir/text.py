"""Finds phrases in clinical free text, with word boundaries, negation and decoys; it knows no phrase of its own.

The phrases come from the content. What is negated ("no", "denies"), belongs to a relative, or is a screening or
a plan is not found. A text match is weak evidence and is always shown as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.model.parts import TextPattern

_BEFORE = re.compile(
    r"\b(?:no|not|non(?=\W*\Z)|\w+n['’]t|nil|never|denies|denied|deny|without|negative for|absence of|absent|free of|"
    r"no evidence of|no sign of|no signs of|rules? out|ruled out|unlikely|resolved|"
    r"family history(?: of)?|fh of|fhx of|mother|father|brother|sister|sibling|"
    r"screening for|screen for|screened for|at risk of|at risk for|risk of|risk for|prevention of|"
    r"history of|h/o|prophylaxis against|vaccination against)\b",
    re.IGNORECASE,
)
_IS = r"(?:\b(?:is|are|was|were|has|have|been|had)\b[^\w.;\n]*)*"
_OVER = (
    r"\b(?:absent|denied|excluded|ruled out|not present|not seen|not found|none|negative|resolved|unlikely|"
    r"in (?:father|mother|brother|sister|sibling|family))\b"
)
_AFTER = re.compile(
    # Behind a comma such a word may begin the next thing ("cramps, negative Trousseau sign").
    rf"[^\w.,;\n]*{_IS}{_OVER}|[^\w.;\n]*{_IS}{_OVER}(?=\s*(?:[.,;:)]|$))",
    re.IGNORECASE,
)
_SCOPE_END = re.compile(
    r"[.;\n]|(?<!denies)(?<!denied)(?<!negative for):|"
    r"\b(?:but|however|although|though|except|apart from|yet|with|now|presents|"
    r"(?<!not )(?<!never )(?<!longer )(?<!n['’]t )(?:has|have|reports|complains))\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;\n]")
_WORD = re.compile(r"\w+")
_NOTHING: frozenset[str] = frozenset()
_REACH = 7
"""How many words a negation reaches forward."""
_FARTHEST = 200
"""How many characters a negation reaches at most, so that reading stays linear in the length of a text."""


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
        """Compile every pattern once, and note which words can begin a phrase of which thing."""
        self._entries = {
            name: (
                compile_phrases(pattern.match),
                compile_phrases(pattern.unless) if pattern.unless else None,
            )
            for name, pattern in patterns.items()
        }
        self._by_word: dict[str, set[str]] = {}
        stems: dict[str, set[str]] = {}
        for name, pattern in patterns.items():
            for phrase in pattern.match:
                first = phrase.split()[0].casefold()
                group = stems if first.endswith("*") else self._by_word
                for word in _WORD.findall(first.removesuffix("*"))[:1]:
                    group.setdefault(word, set()).add(name)
        self._stems = {stem: frozenset(names) for stem, names in stems.items()}
        self._stem = re.compile("|".join(sorted(map(re.escape, stems), key=len))) if stems else None

    def find(self, text: str | None) -> frozenset[str]:
        """Return the names that `text` states of the patient."""
        if not text:
            return _NOTHING
        candidates = self._candidates(text)
        if not candidates:
            return _NOTHING
        return frozenset(name for name in candidates if _is_stated(text, *self._entries[name]))

    def _candidates(self, text: str) -> set[str]:
        """Return the names of which some phrase can begin with a word of `text`."""
        found: set[str] = set()
        for word in _WORD.findall(text.casefold()):
            names = self._by_word.get(word)
            if names:
                found |= names
            if self._stem is not None and self._stem.match(word):
                for stem, of_stem in self._stems.items():
                    if word.startswith(stem):
                        found |= of_stem
        return found


def _is_stated(text: str, match: re.Pattern[str], decoy: re.Pattern[str] | None) -> bool:
    begin = end = 0  # of the clause that was looked at last
    is_decoy = False
    for found in match.finditer(text):
        if decoy is not None and found.end() > end:
            begin, end = _clause_around(text, found.start(), found.end(), begin)
            is_decoy = decoy.search(text, begin, end) is not None
        if not is_decoy and not is_negated(text, found.start(), found.end()):
            return True
    return False


def _clause_around(text: str, start: int, end: int, known: int) -> tuple[int, int]:
    """Return where the clause of `start:end` begins and ends; `known` is where it, or an earlier one, begins."""
    begin = max((stop.end() for stop in _CLAUSE_END.finditer(text, known, start)), default=known)
    stop = _CLAUSE_END.search(text, end)
    return begin, stop.start() if stop else len(text)


def is_negated(text: str, start: int, end: int) -> bool:
    """Whether what stands at `start:end` is denied, another person's, screened for, or over."""
    scope = max(0, start - _FARTHEST)
    for stop in _SCOPE_END.finditer(text, scope, start):
        scope = stop.end()
    nearest = None
    for nearest in _BEFORE.finditer(text, scope, start):  # noqa: B007 - the last one is wanted
        pass
    if nearest is not None and len(text[nearest.end() : start].split()) < _REACH:
        return True
    return _AFTER.match(text, end) is not None
