"""A site that must can have critical cards sent as warnings; nothing else of an answer changes."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.app import create_app, load_knowledge
from cds_service.errors import SettingsError
from cds_service.fhir.envelope import decode_request
from cds_service.model.definitions import Knowledge
from cds_service.model.hooks import Indicator
from cds_service.pipeline import Reasoner, decide, moment_of
from cds_service.settings import Settings, read_settings
from cds_service.web.clock import now
from tests.spec.calls import (
    EXPLANATION,
    PROBLEM,
    STORY,
    asking_in_process,
    cards,
    story,
    without_uuids,
)
from tests.support.places import SAMPLES

CRITICAL_STORY = "high-potassium-in-kidney-disease"
NOTE = "critical-shown-as-warning"


SETTING = "CDS_TIME_CRITICAL_AS_WARNING"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """Return the content that ships."""
    return load_knowledge(Settings())


def sent(name: str, *, as_warning: bool) -> list[dict[str, Any]]:
    """Return the cards about one sample patient over HTTP."""
    app = create_app(Settings(time_critical_as_warning=as_warning))
    return cards(asking_in_process(app)(PROBLEM, story(name)))


def test_the_default_is_critical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting a time-critical card is critical."""
    monkeypatch.delenv(SETTING, raising=False)
    assert read_settings().critical_as is Indicator.CRITICAL
    assert sent(CRITICAL_STORY, as_warning=False)[0]["indicator"] == "critical"


@pytest.mark.parametrize("value", ["info", "", "warning", "critical"])
def test_anything_but_a_truth_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A critical card is never sent as information, and a slip of the pen is told."""
    monkeypatch.setenv(SETTING, value)
    with pytest.raises(SettingsError, match=f"{SETTING}: Input should be a valid boolean"):
        read_settings()


def test_only_the_indicator_and_a_note_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cards, their order, words and suggestions are the same; the explanation keeps the level and says why."""
    monkeypatch.setenv(SETTING, "true")
    assert read_settings().critical_as is Indicator.WARNING
    plain, lowered = (without_uuids(sent(CRITICAL_STORY, as_warning=one)) for one in (False, True))
    assert "critical" not in {card["indicator"] for card in lowered}
    explanation = lowered[0]["extension"][EXPLANATION]
    (note,) = [one for one in explanation["notes"] if one["code"] == NOTE]
    assert note["severity"] == "information"
    assert explanation["red_flags"][0]["level"] == "critical"
    explanation["notes"].remove(note)
    for card, shown in zip(plain, lowered, strict=True):
        assert shown.pop("indicator") == card.pop("indicator").replace("critical", "warning")
    assert lowered == plain


def test_without_a_critical_card_nothing_differs() -> None:
    """A warning stays a warning, and no note speaks of a level that was not there."""
    plain, lowered = (without_uuids(sent(STORY, as_warning=one)) for one in (False, True))
    assert {card["indicator"] for card in plain} == {"warning"}
    assert lowered == plain


@pytest.mark.parametrize("critical_as", [Indicator.CRITICAL, Indicator.WARNING])
def test_the_decision_keeps_its_level(knowledge: Knowledge, critical_as: Indicator) -> None:
    """What was decided is critical either way, and the note stands among those of the decision."""
    reasoner = Reasoner(knowledge, critical_as=critical_as)
    service = reasoner.service("muscle-spasm-problem")
    request = decode_request((SAMPLES / CRITICAL_STORY / "request.json").read_bytes(), service.hook)
    request, as_of = moment_of(request, now(), may_replay=True)
    decision = decide(request, service, reasoner, as_of)
    assert {flag.level for flag in decision.red_flags} == {Indicator.CRITICAL}
    assert {card.indicator for card in decision.cards[:1]} == {critical_as}
    assert (NOTE in {note.code for note in decision.notes}) is (critical_as is Indicator.WARNING)
