"""Tells where a clinical text denies what it names; it knows no clinical word and changes no text.

What is denied ("no", "without"), belongs to a relative, is screened for, prevented or over, is not stated.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_BEFORE = re.compile(
    r"\b(?:no|not|\w+n['’]t|nil|never|denies|denied|deny|without|negative for|absence of|absent|free of|"
    r"no evidence of|no sign of|no signs of|rules? out|ruled out|unlikely|resolved|"
    r"family history(?: of)?|fh of|fhx of|mother|father|brother|sister|sibling|"
    r"screening for|screen for|screened for|assessment of|assessment for|"
    r"at risk of|at risk for|risk of|risk for|prevention of|"
    r"history of|h/o|prophylaxis against|vaccination against)\b",
    re.IGNORECASE,
)
_IS = r"(?:\b(?:is|are|was|were|has|have|been|had)\b[^\w.;\n]*)*"
_OVER = (
    r"\b(?:absent|denied|excluded|ruled out|none|negative|resolved|unlikely|"
    r"not (?:present|seen|found|elicited|detected|observed|noted|evident)|"
    r"in (?:the |his |her |their )?(?:father|mother|brother|sister|sibling|family))\b"
)
_AFTER = re.compile(
    # Behind a comma such a word may begin the next thing ("cramps, negative Trousseau sign").
    rf"[^\w.,;\n]*{_IS}{_OVER}|[^\w.;\n]*{_IS}{_OVER}(?=\s*(?:[.,;:)]|$))",
    re.IGNORECASE,
)
_RELATIVES = ("mother", "father", "brother", "sister", "sibling")
_NOT_YET = ("not ", "never ", "longer ", "n['’]t ", *(f"{relative} " for relative in _RELATIVES))
"""Before "has": what is said next is still denied, or still about a relative."""


def _not_after(*words: str) -> str:
    return "".join(f"(?<!{word})" for word in words)


_SCOPE_END = re.compile(
    rf"[.;\n]|{_not_after('denies', 'denied', 'negative for', *_RELATIVES)}:|"
    r"\b(?:but|however|although|though|except|apart from|yet|with|now|presents|"
    rf"{_not_after(*_NOT_YET)}(?:has|have|reports|complains))\b",
    re.IGNORECASE,
)
_NON = re.compile(r"\bnon\W{0,3}\Z", re.IGNORECASE)
"""Unlike the others it reaches the next word only ("non-smoker, leg cramps")."""
_REACH = 7
"""How many words a negation reaches forward."""
_FARTHEST = 200
"""How many characters a negation reaches at most, however long its words are."""


class Denials:
    """The denials of one text, found once, so that reading stays linear in its length."""

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is looked for before it is asked for."""
        self._text = text

    def cover(self, start: int, end: int) -> bool:
        """Whether what stands at `start:end` is denied, another person's, screened for, or over."""
        return self._before(start) or _AFTER.match(self._text, end) is not None

    def _before(self, start: int) -> bool:
        if _NON.search(self._text, max(0, start - 6), start):
            return True
        starts, ends = self._words
        nearest = bisect_right(ends, start) - 1
        if nearest < 0 or start - ends[nearest] > _FARTHEST:
            return False
        stop = bisect_right(self._stops, start) - 1
        if stop >= 0 and starts[nearest] < self._stops[stop]:
            return False
        return len(self._text[ends[nearest] : start].split()) < _REACH

    @cached_property
    def _words(self) -> tuple[list[int], list[int]]:
        """Where each denying word begins, and where it ends."""
        spans = [found.span() for found in _BEFORE.finditer(self._text)]
        return [start for start, _end in spans], [end for _start, end in spans]

    @cached_property
    def _stops(self) -> list[int]:
        """Where a denial that came before reaches no further."""
        return [found.end() for found in _SCOPE_END.finditer(self._text)]
