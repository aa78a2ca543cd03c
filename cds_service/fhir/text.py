"""Finds phrases in clinical free text, with word boundaries, negation and decoys; it knows no phrase of its own.

The phrases come from the content. What is negated ("no", "denies"), belongs to a relative, or is a screening or
a plan is not found. A text match is weak evidence and is always shown as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.fhir.denials import Denials
from cds_service.model.parts import TextPattern

_CLAUSE_END = re.compile(r"[.;\n]")
_WORD = re.compile(r"\w+")
_NOTHING: frozenset[str] = frozenset()


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
        denials = Denials(text)
        return frozenset(name for name in candidates if _is_stated(text, *self._entries[name], denials))

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


def _is_stated(text: str, match: re.Pattern[str], decoy: re.Pattern[str] | None, denials: Denials) -> bool:
    begin = end = 0  # of the clause that was looked at last
    is_decoy = False
    for found in match.finditer(text):
        if decoy is not None and found.end() > end:
            begin, end = _clause_around(text, found.start(), found.end(), begin)
            is_decoy = decoy.search(text, begin, end) is not None
        if not is_decoy and not denials.cover(found.start(), found.end()):
            return True
    return False


def _clause_around(text: str, start: int, end: int, known: int) -> tuple[int, int]:
    """Return where the clause of `start:end` begins and ends; `known` is where it, or an earlier one, begins."""
    begin = max((stop.end() for stop in _CLAUSE_END.finditer(text, known, start)), default=known)
    stop = _CLAUSE_END.search(text, end)
    return begin, stop.start() if stop else len(text)
