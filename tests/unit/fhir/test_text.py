"""Phrases are found on word boundaries and only where the text states them of the patient, in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.denials import Denials
from cds_service.fhir.text import PhraseBook, compile_phrases
from cds_service.model.parts import TextPattern

BOOK = PhraseBook(
    {
        "cramp": TextPattern(
            match=("cramp*", "charley horse", "leg * spasm"), unless=("menstrua*", "cramp* of the bowel")
        ),
        "twitch": TextPattern(match=("twitching", "muscle twitch*")),
        "stage": TextPattern(match=("kidney disease, stage 4", "carpo-pedal sign", "ckd4")),
    }
)
NOTHING: frozenset[str] = frozenset()


def states(text: str) -> bool:
    """Whether the text states a cramp."""
    return "cramp" in BOOK.find(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cramp", {"cramp"}),
        ("Leg CRAMPS at night", {"cramp"}),
        ("cramping", {"cramp"}),
        ("(cramps)", {"cramp"}),
        ("cramp/twitching", {"cramp", "twitch"}),
        ("post-cramp pain", {"cramp"}),
        ("cramps,twitching;ckd4", {"cramp", "twitch", "stage"}),
        ("Charley  horse", {"cramp"}),
        ("charley\nhorse", {"cramp"}),
        ("charley-horse", {"cramp"}),
        ("Kidney disease,   stage 4", {"stage"}),
        ("carpo-pedal sign", {"stage"}),
        ("muscle twitches", {"twitch"}),
        ("decramp", set()),
        ("scamper", set()),
        ("untwitching", set()),
        ("twitchings", set()),
        ("twitch", set()),
        ("charley went horse riding", set()),
        ("ckd45", set()),
        ("xckd4", set()),
        ("_cramp", set()),
    ],
)
def test_phrases_are_whole_words(text: str, found: set[str]) -> None:
    """A phrase begins and ends at a word, `*` lets a stem go on, and punctuation or space may stand between words."""
    assert BOOK.find(text) == found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("leg spasm", True),
        ("leg muscle spasm", True),
        ("leg and foot spasm", True),
        ("leg, thigh, foot spasm", True),
        ("leg pain in the evening spasm", False),
        ("leg one two three four spasm", False),
        ("leg spasms", False),
        ("legspasm", False),
    ],
)
def test_a_lone_star_stands_for_up_to_three_words(text: str, is_found: bool) -> None:
    """Between two words a star lets none, one, two or three others stand."""
    assert states(text) is is_found


@pytest.mark.parametrize("text", [None, "", " ", "\n", "…", "é", "\x00", "Krämpfe"])
def test_what_says_nothing_states_nothing(text: str | None) -> None:
    """No text and foreign text hold no phrase."""
    assert BOOK.find(text) == NOTHING


def test_a_book_without_phrases_finds_nothing() -> None:
    """An empty book is a book."""
    assert PhraseBook({}).find("cramp") == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        *(
            "No cramps",
            "no muscle cramps",
            "Denies cramps",
            "denied any leg cramps",
            "without cramps",
            "never cramps",
        ),
        *(
            "Negative for cramps",
            "absence of cramps",
            "no evidence of leg cramps",
            "No sign of cramps",
            "nil cramps",
        ),
        *("free of cramps", "cramps unlikely", "rules out cramps", "non-cramp", "non cramp", "not cramps"),
        *(
            "no twitching, weakness or leg cramps",
            "denies fever, chills and night cramps",
            "Denies: cramps, fever",
        ),
        *("Patient does not have cramps", "never had cramps", "doesn't have cramps", "didn’t report cramps"),
        *("no longer has cramps", "Screening for cramps", "at risk of cramps", "prevention of cramps"),
        *("history of cramps", "h/o cramps", "resolved cramps"),
    ],
)
def test_a_denial_before_the_phrase_denies_it(text: str) -> None:
    """What is denied, ruled out, screened for, prevented or over is not stated."""
    assert not states(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Family history of cramps", "FH of cramps", "Mother: cramps", "father had cramps", "sister cramps"),
        *("mother has cramps", "His brother reports cramps", "Father: heart disease, cramps"),
        *("cramps in mother", "cramps in family", "cramps, in father", "cramps in the family"),
    ],
)
def test_a_relatives_complaint_is_not_the_patients(text: str) -> None:
    """A family history is context and never the patient's condition."""
    assert not states(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "cramps: denied",
            "cramps denied by patient",
            "cramps absent",
            "cramps - none",
            "cramps (resolved)",
        ),
        *("cramps were not present", "cramps have been ruled out", "cramps is unlikely", "cramps negative"),
        *("cramps, denied", "cramps, none.", "cramps, resolved; fever", "cramps not seen today"),
    ],
)
def test_a_denial_behind_the_phrase_denies_it(text: str) -> None:
    """What is written behind a finding can take it back."""
    assert not states(text)


@pytest.mark.parametrize(
    "text",
    [
        *("No fever but cramps", "no weakness; cramps", "No fever. Cramps", "denies fever\ncramps at night"),
        *(
            "no fever, however cramps",
            "no weakness, now cramps",
            "no weakness, has cramps",
            "No rash. Reports cramps",
        ),
        *(
            "no swelling with cramps",
            "nothing new, complains of cramps",
            "no pain except cramps",
            "no fever: cramps",
        ),
        *(
            "no pain in arms or legs or back or neck or chest, cramps",
            "Non-smoker, leg cramps",
            "notable cramps",
        ),
        *("cramps. Denied smoking", "cramps; none at night", "cramps\nNegative straight leg raise"),
        *(
            "cramps, negative Trousseau sign",
            "cramps, unlikely to be vascular",
            "cramps, resolved hypertension",
        ),
        *(
            "known cramps",
            "Nocturnal cramps",
            "Noted: cramps",
            "cramps for none too long",
        ),
    ],
)
def test_a_denial_of_something_else_denies_nothing_here(text: str) -> None:
    """A denial ends with its sentence, at a contrast, after seven words, and is a word of its own."""
    assert states(text)


@pytest.mark.parametrize(("between", "is_found"), [(0, False), (1, False), (6, False), (7, True), (9, True)])
def test_a_denial_reaches_seven_words(between: int, is_found: bool) -> None:
    """It denies its own and the six words before the phrase; the next word is out of reach."""
    assert states("no " + "limb " * between + "cramp") is is_found


def test_a_denial_does_not_reach_over_an_endless_word() -> None:
    """Two hundred characters are more than any seven words."""
    assert not states("no " + "x" * 190 + " cramp")
    assert states("no " + "x" * 210 + " cramp")


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Menstrual cramps", False),
        ("cramps, menstrual", False),
        ("cramps of the bowel", False),
        ("Menstrual pain. Leg cramps", True),
        ("Menstrual cramps; leg cramps", True),
        ("leg cramps\nmenstruation regular", True),
        ("leg cramps. Menstrual cramps", True),
        ("Menstrual cramps, no leg cramps", False),
        ("menstrual cramps. no leg cramps", False),
    ],
)
def test_a_decoy_counts_in_its_own_clause(text: str, is_found: bool) -> None:
    """Another complaint with the same word hides the phrase in that clause, and only there."""
    assert states(text) is is_found


def test_one_statement_is_enough() -> None:
    """A text that denies a thing in one place and states it in another states it."""
    assert states("No cramps in the arms. Cramps in the calves.")


@pytest.mark.parametrize("text", ["cramp", "a cramp", "no cramp"])
def test_a_place_in_a_text_is_judged_by_itself(text: str) -> None:
    """The judgment of one place needs no phrase."""
    assert Denials(text).cover(text.index("cramp"), len(text)) is text.startswith("no")


WORDS = st.sampled_from(
    [
        *(
            "no",
            "not",
            "denies",
            "cramp",
            "cramps",
            "charley",
            "horse",
            "leg",
            "spasm",
            "twitching",
            "muscle",
            "twitch",
        ),
        *(
            "menstrual",
            "of",
            "the",
            "bowel",
            "but",
            "with",
            "has",
            "is",
            "absent",
            "in",
            "mother",
            "history",
            "ckd4",
        ),
        *(".", ",", ";", ":", "\n", "-", "(", ")", "ß", "İ", "x", "_", "'t"),
    ]
)
SENTENCES = st.lists(WORDS, max_size=25).map(" ".join) | st.lists(WORDS, max_size=12).map("".join)
PATTERNS = {
    "cramp": ("cramp*", "charley horse", "leg * spasm"),
    "twitch": ("twitching", "muscle twitch*"),
    "stage": ("kidney disease, stage 4", "carpo-pedal sign", "ckd4"),
}


@settings(max_examples=200)
@given(st.text() | SENTENCES)
def test_any_text_is_read(text: str) -> None:
    """Nothing that a record can hold raises, and only known names come out."""
    assert BOOK.find(text) <= set(PATTERNS)


@settings(max_examples=200)
@given(SENTENCES)
def test_what_is_found_matches_a_phrase(text: str) -> None:
    """A name is found only where one of its own phrases stands; the index of first words loses none."""
    plain = PhraseBook({name: TextPattern(match=phrases) for name, phrases in PATTERNS.items()})
    for name, phrases in PATTERNS.items():
        spans = [found.span() for found in compile_phrases(phrases).finditer(text)]
        stated = any(not Denials(text).cover(*span) for span in spans)
        assert (name in plain.find(text)) is stated
        assert name not in BOOK.find(text) or stated


@pytest.mark.parametrize("phrase", [phrase for phrases in PATTERNS.values() for phrase in phrases])
@pytest.mark.parametrize(
    "denial", ["no ", "No ", "denies ", "without ", "no evidence of ", "negative for ", "not "]
)
def test_a_denial_in_front_denies_every_phrase(phrase: str, denial: str) -> None:
    """Whatever the phrase, a denial right before it denies it."""
    words = phrase.replace("*", "")
    assert BOOK.find(words)
    assert BOOK.find(denial + words) == NOTHING


@given(
    st.lists(
        st.from_regex(r"\A[a-z]{2,8}\Z").filter(lambda word: word != "yet"),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    st.sampled_from(["", "s", "ing"]),
)
def test_no_denies_any_phrase_that_content_can_hold(words: list[str], ending: str) -> None:
    """For any phrase of plain words: stated when written, denied behind "no"."""
    phrase = " ".join(words)
    book = PhraseBook({"it": TextPattern(match=(phrase + ("*" if ending else ""),))})
    assert book.find("no " + phrase + ending) == NOTHING


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "no cramp ",
            "cramp menstrual ",
            "menstrual cramp, ",
            "no no no cramp ",
            "cramp is ",
            "cramp is absent ",
        ),
        *(
            "leg a ",
            "leg leg leg ",
            "charley ",
            "cramp.",
            "no cramp.\n",
            "cramp, negative ",
            "not have cramp ",
        ),
        *("a", " ", ".", "no ", "crampcramp", "cramp-", "is ", "ab\u0307", "no cramp" + " " * 50),
    ],
)
def test_a_text_of_a_hundred_thousand_characters_is_read_in_linear_time(unit: str) -> None:
    """Text that is made to be slow costs no more per character when it is ten times as long."""
    BOOK.find(unit * 100)
    times = []
    for length in (10_000, 100_000):
        text = unit * (length // len(unit))
        started = time.process_time()
        BOOK.find(text)
        times.append(time.process_time() - started)
    assert times[1] < max(40 * times[0], 0.5)
    assert times[1] < 3
