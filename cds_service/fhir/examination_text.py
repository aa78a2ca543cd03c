"""Reads what the words of a neurological examination say of its parts; what is not named stays unknown.

It takes no sentence about another examination for one about muscles and nerves.
"""

from __future__ import annotations

import re

from cds_service.fhir.denials import Denials

_EXAM_TEXT = re.compile(
    r"\b(?:neurolog\w*|neuro|motor|muscle)\s+(?:exam\w*|assessment)\b|\bexamination\b", re.IGNORECASE
)
_EXAM_TITLE = re.compile(
    r"(?:^\s*|\b(?:neurolog\w*|neuro|motor|muscle)\s+)(?:exam\w*|assessment)\b(?!\s+of\b)", re.IGNORECASE
)
_FILLERS = r"(?:(?:is|was|all|findings?|entirely|completely|grossly|otherwise|within)\W+)*"
_WHOLE_NORMAL = re.compile(
    # Another examination (of the abdomen, say) tells nothing of muscles and nerves.
    r"(?:^\s*|[,:(]\s*|\bon\s+|\b(?:neurolog\w*|neuro|motor|muscle)\s+)(?:exam\w*|assessment)\b\W*"
    rf"{_FILLERS}(?:normal|intact|unremarkable)\b"
    r"|\b(?:normal|unremarkable)\s+(?:(?:neurolog\w*|neuro|motor|muscle)\s+)?exam\w*\b(?!\s+of\b)",
    re.IGNORECASE,
)
_ONLY_NORMAL = re.compile(
    rf"\W*{_FILLERS}(?:normal|intact|unremarkable)(?:\W+(?:throughout|today|limits|findings?))*\W*",
    re.IGNORECASE,
)

_PARTS = {
    "strength": re.compile(r"\b(?:strength|power|weak\w*|paresis)\b", re.IGNORECASE),
    "bulk": re.compile(r"\b(?:bulk|wast(?:ing|ed)|atroph\w*)\b", re.IGNORECASE),
    "reflexes": re.compile(r"\b(?:reflex(?:es)?|hyperreflexia|areflexia)\b", re.IGNORECASE),
    "tone": re.compile(r"\b(?:tone|rigid\w*|spastic\w*)\b", re.IGNORECASE),
    "plantar": re.compile(r"\b(?:plantars?|babinski)\b", re.IGNORECASE),
    "gait": re.compile(r"\bgait\b", re.IGNORECASE),
    "sensation": re.compile(r"\b(?:sensation|sensory)\b", re.IGNORECASE),
}
_WHOLE = ("strength", "bulk", "reflexes", "tone")
"""What a normal examination of muscles and nerves as a whole states; the other parts count only when named."""
_SIGN_WORDS = re.compile(
    r"\b(?:weak(?:ness)?|paresis|wast(?:ing|ed)|atroph\w*|hyperreflexia|areflexia|rigid\w*|spastic\w*)\b",
    re.IGNORECASE,
)
_ABNORMAL = re.compile(
    r"\b(?:abnormal|reduced|decreased|diminished|absent|increased|brisk|hyperactive|impaired|loss|lost|poor|"
    r"raised|high|low|extensor|upgoing|unsteady|ataxic|broad.based|[0-4](?:[+-])?/5)\b",
    re.IGNORECASE,
)
_NORMAL = re.compile(
    r"\b(?:normal|intact|full|unremarkable|symmetric(?:al)?|flexor|downgoing|steady|5/5)\b|\b2\+(?!\+)",
    re.IGNORECASE,
)
_NOT_NORMAL = re.compile(r"\bnot\s+(?:\w+\s+)?(?:normal|intact|full)\b", re.IGNORECASE)
_SEGMENT = re.compile(r"[;.\n]|\bbut\b")


def judgement_of(text: str) -> str | None:
    """Return `normal` or `abnormal` as the words say; None when they do not say, or only deny something abnormal."""
    if _NOT_NORMAL.search(text):
        return "abnormal"
    denials = Denials(text)
    if any(not denials.cover(*found.span()) for found in _ABNORMAL.finditer(text)):
        return "abnormal"
    if _NORMAL.search(text):
        return "normal"
    return None


def read_examination_text(text: str, title: str = "") -> dict[str, str]:
    """Return part → normal or abnormal for what the text of an examination states.

    "Strength, bulk, reflexes and tone normal" states these four; "neurological examination normal" states all four
    as well; "wasting of the hand; brisk reflexes" states two abnormal parts; what is not named is not returned.
    """
    found: dict[str, str] = {}
    for segment in _SEGMENT.split(text):
        parts = [part for part, pattern in _PARTS.items() if pattern.search(segment)]
        judgement = judgement_of(segment)
        if not parts:
            whole = _WHOLE_NORMAL.search(segment) or (
                _EXAM_TITLE.search(title) and _ONLY_NORMAL.fullmatch(segment)
            )
            if whole and judgement == "normal":
                for part in _WHOLE:
                    found.setdefault(part, "normal")
            continue
        for part in parts:
            result = _part_result(segment, part, judgement)
            if result is not None and found.get(part) != "abnormal":
                found[part] = result
    return found


def part_named(words: str) -> str | None:
    """Return the part of an examination that `words` name: `strength`, `bulk`, `reflexes`, `gait` and others."""
    return next((part for part, pattern in _PARTS.items() if pattern.search(words)), None)


def names_examination(words: str) -> bool:
    """Whether `words` name an examination."""
    return _EXAM_TEXT.search(words) is not None


def _part_result(segment: str, part: str, judgement: str | None) -> str | None:
    """Judge one part in its segment; a sign word ("wasting") states an abnormal part unless it is denied."""
    pattern = _PARTS[part]
    signs = [word for word in _SIGN_WORDS.finditer(segment) if pattern.search(word.group())]
    if signs:
        denials = Denials(segment)
        return "normal" if all(denials.cover(*word.span()) for word in signs) else "abnormal"
    own = {judgement_of(piece) for piece in segment.split(",") if pattern.search(piece)} - {None}
    if own:
        return "abnormal" if "abnormal" in own else "normal"
    return None if judgement == "abnormal" and _NORMAL.search(segment) else judgement
