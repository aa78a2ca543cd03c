"""Which cards are shown, in what order, and what stands on them."""

from __future__ import annotations

import re

import msgspec
import pytest

from cds_service.cards.explanation import EXTENSION
from cds_service.model.definitions import Presentation
from cds_service.model.facts import Measurement, PatientFacts, ReadingNote, Relative
from cds_service.model.hooks import CDSResponse, Indicator
from tests.unit.cards.decided import ABOUT, compose, flags, kinds
from tests.unit.cards.markdown_page import structure, tokens, visible
from tests.unit.engine.neutral import (
    cause,
    condition,
    define,
    facts,
    habit,
    medication,
    placed,
    presenting,
    result,
)

LOW, CRITICAL = result("8"), result("2")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def busy() -> PatientFacts:
    """Return facts that fill every line of a card."""
    return facts(
        LOW,
        result("15", of="quendite"),
        conditions=(condition("oddity", onset="2012"),),
        medications=(medication("elixir", started="2026-05-01"),),
        habits=(habit("humming", "6"),),
        placed_orders=(placed("quendite"),),
        relatives=(Relative(value_sets=frozenset(), fact=condition("oddity").fact),),
        notes=(ReadingNote(severity="warning", code="unit-not-understood", path="x", remedy="y"),),
        missing_keys=("labs",),
        presentations=(presenting(onset="2026-06-01", by_text=True),),
    )


def test_there_is_no_card_without_a_presentation() -> None:
    """A record in which nobody recorded what we are for is answered in silence."""
    assert compose(facts(LOW, presentations=())) == ()


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        (facts(LOW), "differential-workup"),
        (facts(), "insufficient-data"),
        (facts(result("8", of="quendite")), "insufficient-data"),
    ],
)
def test_one_main_card_says_what_could_explain_it_or_that_nothing_can(about: PatientFacts, kind: str) -> None:
    """Without a red flag there is exactly one card."""
    assert kinds(compose(about)) == [kind]


def test_the_level_of_the_main_card_is_the_one_that_was_decided() -> None:
    """The composer raises nothing by itself."""
    assert [card.indicator for card in compose(facts(LOW))] == [Indicator.WARNING]


@pytest.mark.parametrize(
    ("count", "most_cards", "red_flag_cards"),
    [
        (1, 4, 1),
        (3, 4, 3),
        (4, 4, 3),
        (7, 4, 3),
        (1, 2, 1),
        (2, 2, 1),
        (2, 3, 2),
        (3, 3, 2),
        (1, 1, 1),
        (5, 1, 1),
    ],
)
def test_red_flags_have_a_card_each_while_there_is_room(
    count: int, most_cards: int, red_flag_cards: int
) -> None:
    """Red flags come first, the last place is shared by those that are left, and no answer has too many cards."""
    cards = compose(facts(CRITICAL), *flags(count), most_cards=most_cards)
    assert kinds(cards)[:red_flag_cards] == ["red-flag"] * red_flag_cards
    assert kinds(cards)[red_flag_cards:] == (["differential-workup"] if most_cards > 1 else [])
    assert len(cards) <= most_cards


def test_the_shared_card_names_every_flag_it_stands_for() -> None:
    """Summary and detail of the shared card tell each of its flags, and none of those with a card of their own."""
    cards = compose(facts(CRITICAL), *flags(5))
    assert [
        title for title in ("Flag 1", "Flag 2", "Flag 3", "Flag 4", "Flag 5") if title in cards[2].summary
    ] == [
        "Flag 3",
        "Flag 4",
        "Flag 5",
    ]
    assert (cards[2].detail or "").count("It cannot wait.") == 3


def test_the_shared_card_is_as_grave_as_its_gravest_flag() -> None:
    """One critical flag makes the shared card critical; warnings alone leave it at warning."""
    (shared, _main) = compose(facts(CRITICAL), *flags(3), most_cards=2)
    assert shared.indicator is Indicator.CRITICAL
    warnings = flags(3, level="warning")
    (shared, _main) = compose(facts(CRITICAL), *warnings, most_cards=2)
    assert shared.indicator is Indicator.WARNING
    (shared, _main) = compose(facts(CRITICAL), *flags(1), *warnings[1:], most_cards=2)
    assert shared.indicator is Indicator.CRITICAL


def test_a_red_flag_card_says_what_fired_and_nothing_else() -> None:
    """The datum, why it cannot wait, where to go and what to do: no cause, no result, no question of the main card."""
    about = msgspec.structs.replace(
        busy(), measurements={"zorbium": (CRITICAL,), "quendite": (result("15", of="quendite"),)}
    )
    red, main = compose(about, *flags(1))
    detail = red.detail or ""
    assert red.summary == "Zorbium 2 U/L (14 Jun 2026): look now"
    assert "zorbium **2** U/L, 14 Jun 2026" in detail
    assert "table_open" not in structure(detail)
    for word in ("Fizz", "Drink", "Pop", "quendite", "Already", "Not known", "humming"):
        assert word not in detail
    assert "Fizz" in (main.detail or "")
    assert "Already" in (main.detail or "")


def test_each_suggestion_stands_on_one_card() -> None:
    """What a red flag asks for stands on its card, what the causes ask for on the main one."""
    red, main = compose(facts(CRITICAL), *flags(1))
    assert [one.label for one in red.suggestions] == ["Repeat zorbium"]
    assert [one.label for one in main.suggestions] == ["Quendite"]
    first, second, _main = compose(facts(CRITICAL), *flags(2))
    assert [[one.label for one in card.suggestions] for card in (first, second)] == [["Repeat zorbium"], []]
    (shared, _main) = compose(facts(CRITICAL), *flags(2), most_cards=2)
    assert [one.label for one in shared.suggestions] == ["Repeat zorbium"]


def test_a_trigger_is_not_shown_beside_a_red_flag() -> None:
    """Beside a danger a mere habit would reassure; without one it stands in the table."""
    much = (habit("humming", "6"),)
    (alone,) = compose(facts(LOW, habits=much))
    _red, beside = compose(facts(CRITICAL, habits=much), *flags(1))
    assert "Drink" in (alone.detail or "")
    assert "Drink" not in (beside.detail or "")


def test_a_medicine_as_trigger_is_shown_beside_a_red_flag() -> None:
    """A trigger that rests on a medicine, among other things, does not reassure and stays."""
    potion = cause("potion", ("hums-much", "weak-for"), ("takes-elixir", "weak-for"), group="trigger")
    taken = {"medications": (medication("elixir"),), "habits": (habit("humming", "6"),)}
    _red, main = compose(facts(CRITICAL, **taken), *flags(1), potion)
    assert "Potion" in (main.detail or "")


def test_a_cause_that_we_added_is_marked() -> None:
    """What the source document does not name is told apart in the table."""
    (card,) = compose(facts(LOW, habits=(habit("humming", "6"),)))
    page = visible(card.detail or "")
    assert "Drink (added) · likely" in page
    assert "Fizz · likely" in page


def test_the_pieces_of_a_busy_card_all_stand_there() -> None:
    """What was recorded, for, against, done, ordered, missing, received and read: nothing is lost on the way."""
    (card,) = compose(busy())
    page = visible(card.detail or "")
    for words in (
        "Wobble recorded 15 Jun 2026, since 1 Jun 2026.",
        "zorbium 8 U/L, 14 Jun 2026",
        "oddity, 2012",
        "takes-elixir is weak-against",
        "quendite 15 U/L, in range, 14 Jun 2026",
        "Quendite (14 Jun 2026)",
        "labs",
        "unit not understood: 1",
    ):
        assert words in page
    assert [token.attrs["href"] for token in tokens(card.detail or "") if token.type == "link_open"] == [
        ABOUT
    ]


def test_override_reasons_stand_in_their_order_on_every_card() -> None:
    """Their place in the content decides, not the name of their file."""
    for card in compose(facts(CRITICAL), *flags(2)):
        assert [reason.code for reason in card.override_reasons] == ["c1", "c2"]


def test_two_answers_to_one_question_differ_in_uuids_alone() -> None:
    """Ids, order and words are the same every time."""
    one, other = (
        CDSResponse(cards=compose(busy(), *flags(4, when="zorbium-low"))).to_json().decode() for _ in range(2)
    )
    assert one != other
    assert UUID.sub("u", one) == UUID.sub("u", other)
    uuids = UUID.findall(one)
    assert len(set(uuids)) > 4
    assert not set(uuids) & set(UUID.findall(other))


def test_the_whole_explanation_stands_on_the_first_card() -> None:
    """The other cards point to it by the first card's uuid."""
    cards = compose(facts(CRITICAL), *flags(2))
    traces = [(card.extension or {})[EXTENSION] for card in cards]
    assert "ranking" in traces[0]
    assert traces[1:] == [{"see": cards[0].uuid}] * 2


def test_results_without_an_id_are_all_shown() -> None:
    """Where resources have no id, one fact in the table does not hide the other results."""
    bare = [
        msgspec.structs.replace(one, fact=msgspec.structs.replace(one.fact, reference=None))
        for one in (LOW, result("15", of="quendite"))
    ]
    (card,) = compose(facts(*bare))
    assert "quendite 15 U/L, in range" in visible(card.detail or "")
    assert "**8**" in (card.detail or "")


def test_a_remark_about_tests_never_done_names_them_and_falls_silent() -> None:
    """What was measured, even long ago, is not called unmeasured; with all measured nothing is said."""
    remark = {"text": "Taken for fizz, but {missing} never measured.", "cites": "r1"}
    fizzy = cause(
        "fizz",
        ("zorbium-low", "strong-for"),
        remarks=[{**remark, "unmeasured": ["zorbium", "quendite"]}],
    )
    (card,) = compose(facts(LOW), fizzy)
    assert "Taken for fizz, but quendite never measured (The seed)." in (card.detail or "")
    (card,) = compose(facts(LOW, result("15", of="quendite", on="2020-01-01")), fizzy)
    assert "never measured" not in (card.detail or "")


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (result("8"), "Zorbium of 8 U/L: look elsewhere first"),
        (result("8", on="2020-01-01"), None),
        (result("8", of="quendite"), None),
    ],
)
def test_a_remark_about_a_measurement_names_its_value(of: Measurement, words: str | None) -> None:
    """Value and unit stand in the remark; without a result that speaks today nothing is said."""
    remark = {"text": "Zorbium of {value}: look elsewhere first.", "cites": "r1", "measured": "zorbium"}
    fizzy = cause("fizz", ("has-oddity", "strong-for"), remarks=[remark])
    (card,) = compose(facts(of, conditions=(condition("oddity"),)), fizzy)
    assert ("look elsewhere" in (card.detail or "")) is (words is not None)
    assert words is None or words in (card.detail or "")


def test_a_rate_is_written_without_a_space() -> None:
    """A rate reads as people write it: 28/min."""
    remark = {"text": "Rate {value}.", "cites": "r1", "measured": "zorbium"}
    fizzy = cause("fizz", ("zorbium-low", "strong-for"), remarks=[remark])
    rate = msgspec.structs.replace(LOW, fact=msgspec.structs.replace(LOW.fact, unit="/min"))
    (card,) = compose(facts(rate), fizzy)
    assert "Rate 8/min" in (card.detail or "")


NEEDING = define(
    Presentation,
    "wobble",
    noun="wobble",
    needs=[
        {"finding": "zorbium-low", "name": "zorbium"},
        {"finding": "has-oddity", "name": "a look"},
    ],
)


@pytest.mark.parametrize(
    ("about", "missing"),
    [
        (facts(), "zorbium and a look"),
        (facts(conditions=(condition("oddity"),)), "zorbium"),
        (facts(LOW), None),
        (facts(CRITICAL), None),
    ],
)
def test_what_the_word_benign_needs_is_named_while_it_is_missing(
    about: PatientFacts, missing: str | None
) -> None:
    """What is on record is not asked for; beside a likely cause or a red flag nothing is said."""
    (*_, card) = compose(about, NEEDING, *flags(1))
    line = f"Insufficient data to call the wobble benign: needs {missing}."
    assert (line in visible(card.detail or "")) is (missing is not None)
    assert ("Insufficient data" in (card.detail or "")) is (missing is not None)
