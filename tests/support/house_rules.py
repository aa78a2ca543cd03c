"""What no card may say or do, whoever the patient is; judges wording and actions, not the clinical answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from cds_service.replay import card_text
from cds_service.replay.card_text import Response

SIGN_OFF = (
    r"\b(clinically|medically) (approved|validated|verified|reviewed)\b|\bsigned off\b"
    r"|\b(approved|validated|verified|reviewed|checked) by (a |our |the )?(clinician|doctor|physician|expert)"
)
"""Words that claim what only a clinician's signature could give."""

_FORBIDDEN = {
    "speaks to the patient": r"\byou(r|rs|rself)?\b",
    "claims a diagnosis": r"\b(the diagnosis is|diagnosed with|patient (has|suffers from))\b",
    "gives false reassurance": r"\bnothing to worry about\b|\bnothing is wrong\b",
    "claims a sign-off": SIGN_OFF,
    "gives a dose": r"\b\d+(\.\d+)?\s?(mg|mcg|micrograms?|ug|µg|μg)\b(?!\s?/)",
}
_MEDICINES = ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense")


def _without(text: str, recorded: Iterable[str]) -> str:
    for words in recorded:
        text = re.sub(re.escape(words), " ", text, flags=re.IGNORECASE)
    return text


def _medicine_actions(response: Response) -> Iterator[str]:
    for action in card_text.actions(response):
        resource: Mapping[str, object] = action.get("resource", {})
        if resource.get("resourceType") in _MEDICINES:
            yield f"proposes a medicine: {action.get('description')!r}"


def broken_rules(response: Response, recorded: Iterable[str] = ()) -> list[str]:
    """Return one line for every rule of the house that the cards break.

    `recorded` are texts of the patient's own record, which a card may repeat, strengths included.
    """
    shown = _without(card_text.shown(response), recorded)
    found = [
        f"a card {what}: …{shown[max(hit.start() - 40, 0) : hit.end() + 40]}…"
        for what, pattern in _FORBIDDEN.items()
        for hit in re.finditer(pattern, shown, re.IGNORECASE)
    ]
    return [*found, *_medicine_actions(response)]
