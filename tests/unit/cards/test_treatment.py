"""The treatment card and the drug-safety card: what stands on them, when they come, and what they never hold."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.explanation import EXTENSION
from cds_service.model.definitions import Definition
from cds_service.model.facts import PatientFacts
from cds_service.model.findings import State
from cds_service.model.hooks import Card, Indicator
from cds_service.model.treatments import Treatment
from tests.unit.cards.decided import compose, flags, kinds, page
from tests.unit.engine.neutral import ALWAYS, PAIR, define, fact, facts, medication, result

STEP = define(Treatment, "rest", title="Rest first", medicine=False, text="Lie down.")
BARRED = {"text": "Not for the odd.", "when": "has-oddity", "rules_out": True, "cites": "r1"}
ELIXIR = medication("elixir", started="2026-05-01")
ON_ELIXIR = facts(medications=(ELIXIR,))


def balm(**members: Any) -> Treatment:
    """Return a medicine that is an option for everybody who wobbles."""
    return define(Treatment, "balm", **{"place": 2, "text": "It soothes."} | members)


def told_of(cards: tuple[Card, ...]) -> dict[str, Any]:
    """Return the explanation."""
    extension = cards[0].extension
    assert extension is not None
    explained: dict[str, Any] = extension[EXTENSION]
    return explained


def last(*more: Definition, about: PatientFacts | None = None, odd: bool = False) -> Card:
    """Return the last card about a patient, who may be odd."""
    if not odd:
        return compose(about or facts(), *more)[-1]
    return compose(about or facts(), *more, has_oddity=State.PRESENT, presents_with_wobble=State.PRESENT)[-1]


def test_options_have_a_card_of_their_own_after_the_main_card() -> None:
    """It informs, and a click on it orders nothing."""
    cards = compose(facts(), STEP, balm())
    assert kinds(cards) == ["insufficient-data", "treatment-options"]
    assert (cards[1].indicator, cards[1].suggestions) == (Indicator.INFO, ())


def test_first_steps_stand_before_the_table_of_medicines() -> None:
    """Whoever reads from the top reads about the cause before any medicine."""
    text = last(balm(place=1), STEP).detail or ""
    assert text.index("Rest first") < text.index("| Balm |")
    assert "**Balm" not in text


def test_what_the_source_document_does_not_name_is_marked() -> None:
    """An option of our own says so, one of the document does not."""
    text = page(last(balm(in_source_document=[]), STEP))
    assert "Balm (added)" in text
    assert "Rest first (added)" not in text


def test_the_facts_of_the_chart_come_before_what_holds_for_everybody() -> None:
    """A caution that this patient brings is read first, with its facts, each shown once."""
    asked = {"text": "It adds to {what}.", "when": "takes-elixir", "cites": "r1"}
    text = page(last(balm(cautions=[ALWAYS, asked, asked | {"text": "Once more."}]), about=ON_ELIXIR))
    assert "It adds to elixir (elixir since 1 May 2026). · Once more. · Mind it always." in text


def test_the_number_that_asks_for_a_caution_stands_out() -> None:
    """A value of the chart is what the eye is to find."""
    low = {"text": "Mind the low zorbium.", "when": "zorbium-low", "cites": "r1"}
    text = last(balm(cautions=[low]), about=facts(result("8"))).detail or ""
    assert "Mind the low zorbium (zorbium **8** U/L, 14 Jun 2026)." in text


def test_every_option_names_its_sources() -> None:
    """Each line of the card can be traced: steps, medicines, what rules one out, and a danger."""
    odd = {"when": "takes-elixir", "text": "Not for the odd.", "rules_out": True, "cites": "r1"}
    barred = define(Treatment, "salve", title="Salve", cautions=[odd])
    text = page(last(STEP, balm(), barred, about=ON_ELIXIR))
    assert "Lie down. Sources: The seed." in text
    assert "It soothes.\nSources: The seed." in text
    assert "(elixir since 1 May 2026). (The seed)" in text
    pair = balm(when=None, active_when="takes-elixir", cautions=[PAIR])
    assert "elixir since 1 May 2026 (source: The seed)" in page(compose(ON_ELIXIR, pair)[0])


def test_a_medicine_that_is_ruled_out_is_named_with_the_reason() -> None:
    """It leaves the table and stands below with what took it off."""
    text = last(balm(cautions=[BARRED]), define(Treatment, "salve", title="Salve"), odd=True).detail or ""
    assert "| Balm" not in text
    assert "**Not offered here** balm: Not for the odd" in text


def test_without_any_medicine_left_none_is_named() -> None:
    """Where a specialist decides, the card gives the reason once and no list of medicines."""
    options = (balm(cautions=[BARRED]), define(Treatment, "salve", title="Salve", cautions=[BARRED]), STEP)
    text = page(last(*options, odd=True))
    assert "Balm" not in text
    assert "balm" not in text
    assert text.count("Not for the odd") == 1
    assert "Rest first" in text


def test_where_no_medicine_is_left_only_the_common_reason_is_given() -> None:
    """What takes off one of them alone would name a medicine that is not in question."""
    alone = BARRED | {"when": "presents-with-wobble", "text": "Balm is too strong."}
    options = (balm(cautions=[BARRED, alone]), define(Treatment, "salve", title="Salve", cautions=[BARRED]))
    text = page(last(*options, odd=True))
    assert "Not for the odd" in text
    assert "too strong" not in text


def test_a_medicine_that_is_taken_is_marked_and_keeps_its_cautions_when_ruled_out() -> None:
    """What must be known about a medicine in use does not vanish with the offer."""
    barred = BARRED | {"when": "takes-elixir"}
    taken = balm(active_when="takes-elixir", cautions=[ALWAYS])
    assert "Balm · taken now: elixir since 1 May 2026" in page(last(taken, about=ON_ELIXIR))
    text = page(last(balm(active_when="takes-elixir", cautions=[barred, ALWAYS]), about=ON_ELIXIR))
    assert "Balm, taken now elixir since 1 May 2026. Mind it always." in text


def test_a_dangerous_pair_has_one_warning_card_before_the_main_card() -> None:
    """Summary and detail name both sides; no medicine is changed from the card."""
    cards = compose(ON_ELIXIR, balm(when=None, active_when="takes-elixir", cautions=[PAIR]))
    assert kinds(cards)[0] == "drug-safety"
    assert len(cards) == 2
    assert cards[0].indicator is Indicator.WARNING
    assert cards[0].summary == "Drug safety: balm with elixir"
    assert "Balm Not with elixir. In this chart: elixir since 1 May 2026" in page(cards[0])
    assert cards[0].suggestions == ()


def test_several_pairs_share_one_card() -> None:
    """Two dangers are two paragraphs, not two cards."""
    other = {**PAIR, "short": "salve with {what}"}
    pairs = [
        define(Treatment, name, when=None, active_when="takes-elixir", cautions=[caution])
        for name, caution in (("balm", PAIR), ("salve", other))
    ]
    cards = compose(ON_ELIXIR, *pairs)
    assert kinds(cards).count("drug-safety") == 1
    assert cards[0].summary == "Drug safety: balm with elixir; salve with elixir"


def test_a_red_flag_takes_the_options_away_and_leaves_the_danger() -> None:
    """Symptom treatment waits; a pair that is taken does not."""
    about = facts(result("2"), medications=(ELIXIR,))
    cards = compose(about, *flags(1), balm(active_when="takes-elixir", cautions=[PAIR]))
    assert kinds(cards) == ["red-flag", "drug-safety", "differential-workup"]


@pytest.mark.parametrize(("count", "most_cards"), [(3, 4), (1, 2), (5, 4)])
def test_without_room_for_its_card_the_danger_stands_on_the_main_card(count: int, most_cards: int) -> None:
    """A warning is never lost to the number of cards."""
    about = facts(result("2"), medications=(ELIXIR,))
    option = balm(active_when="takes-elixir", cautions=[PAIR])
    cards = compose(about, *flags(count), option, most_cards=most_cards)
    assert "drug-safety" not in kinds(cards)
    assert len(cards) == most_cards
    assert "Balm Not with elixir." in page(cards[-1])


def test_the_treatment_card_is_the_first_to_give_way() -> None:
    """With two places the danger and the main card stay."""
    option = balm(active_when="takes-elixir", cautions=[PAIR])
    cards = compose(ON_ELIXIR, option, most_cards=2)
    assert kinds(cards) == ["drug-safety", "insufficient-data"]
    assert told_of(cards)["treatment"] == []


def test_a_remark_is_a_line_of_the_main_card() -> None:
    """What is not offered at all can still be spoken about, once."""
    remark = {"when": "takes-elixir", "text": "Balm is not for this.", "cites": "r1"}
    (main,) = compose(ON_ELIXIR, balm(when=None, remarks=[remark, remark]))
    assert page(main).count("Balm is not for this.") == 1


def test_the_name_of_a_medicine_cannot_write_on_the_card() -> None:
    """Words of the chart are shown as they are, never as Markdown."""
    hostile = medication("elixir")
    hostile = type(hostile)(
        **{name: getattr(hostile, name) for name in hostile.__struct_fields__}
        | {"fact": fact("**elixir** [x](http://evil.example)", reference="MedicationRequest/1")}
    )
    option = balm(when=None, active_when="takes-elixir", cautions=[PAIR])
    detail = compose(facts(medications=(hostile,)), option)[0].detail or ""
    assert "\\*\\*elixir\\*\\*" in detail
    assert "://" not in detail


def test_the_explanation_tells_every_option_with_its_sources() -> None:
    """Offered or not, why, and each caution with level, source and facts."""
    option = balm(cautions=[BARRED | {"when": "takes-elixir"}, ALWAYS], in_source_document=[])
    rest, told = told_of(compose(ON_ELIXIR, option, STEP))["treatment"]
    assert rest == {
        "option": "rest",
        "offered": True,
        "because": "Lie down.",
        "in_source_document": True,
        "cautions": [],
    }
    shown = {"reference": "MedicationRequest/elixir", "what": "elixir", "on": "2026-05-01"}
    assert told == {
        "option": "balm",
        "offered": False,
        "because": "Not for the odd.",
        "in_source_document": False,
        "cautions": [
            {"text": "Not for the odd.", "level": "info", "cites": "r1", "facts": [shown]},
            {"text": "Mind it always.", "level": "info", "cites": "r1", "facts": []},
        ],
    }


def test_the_explanation_tells_every_danger_with_its_source() -> None:
    """A pair that warns can be traced, also where no option has a card."""
    option = balm(when=None, active_when="takes-elixir", cautions=[PAIR])
    (told,) = told_of(compose(ON_ELIXIR, option))["drug_safety"]
    shown = {"reference": "MedicationRequest/elixir", "what": "elixir", "on": "2026-05-01"}
    assert told == {
        "option": "balm",
        "text": "Not with elixir.",
        "level": "warning",
        "cites": "r1",
        "facts": [shown],
        "taken": [shown],
    }
