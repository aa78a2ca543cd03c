"""The words of an examination say which parts are normal and which are not; silence and vagueness say nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.examination_text import (
    judgement_of,
    names_examination,
    part_named,
    read_examination_text,
)
from tests.support.places import CASES

PARTS = ("strength", "bulk", "reflexes", "tone")
N, A = "normal", "abnormal"
ALL_NORMAL = dict.fromkeys(PARTS, N)
NEUROLOGICAL = "Neurological examination"


def written_examinations() -> list[str]:
    """Return the texts of examinations in the cases."""
    rows: list[dict[str, Any]] = [
        row for path in CASES.glob("*.yaml") for row in _exam_rows(yaml.safe_load(path.read_text("utf-8")))
    ]
    return sorted({row["text"] for row in rows if "text" in row})


def _exam_rows(case: Any) -> list[dict[str, Any]]:
    if isinstance(case, list):
        return [row for part in case for row in _exam_rows(part)]
    if not isinstance(case, dict):
        return []
    found = [row for key, value in case.items() if key != "exam" for row in _exam_rows(value)]
    exam = case.get("exam")
    return found + (exam if isinstance(exam, list) else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Strength, bulk, reflexes, tone normal", ALL_NORMAL),
        ("Neurological examination normal", ALL_NORMAL),
        ("Strength, bulk, reflexes and tone normal.", ALL_NORMAL),
        ("strength, bulk, reflexes, tone normal", ALL_NORMAL),
        ("examination normal (strength, bulk, reflexes, tone)", ALL_NORMAL),
        ("no severe pain, urine colour normal, examination normal", ALL_NORMAL),
        (
            "wasting of thenar muscles right; brisk reflexes; sensation normal",
            {"bulk": A, "reflexes": A, "sensation": N},
        ),
        ("neurological strength normal", {"strength": N}),
    ],
)
def test_the_wording_of_the_clinical_cases(text: str, expected: dict[str, str]) -> None:
    """The texts that clinicians wrote for the cases are read as they meant them."""
    assert read_examination_text(text, NEUROLOGICAL) == expected


@pytest.mark.parametrize("text", [text for text in written_examinations() if part_named(text)])
def test_every_examination_of_the_cases_says_something(text: str) -> None:
    """No examination text of a case file that names a part passes unread; others may tell of other signs alone."""
    assert read_examination_text(text, NEUROLOGICAL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Power 5/5 throughout", {"strength": N}),
        ("Power 4/5 left deltoid", {"strength": A}),
        ("Power 4+/5", {"strength": A}),
        ("strength full and symmetrical", {"strength": N}),
        ("Reflexes 2+", {"reflexes": N}),
        ("Reflexes 2+ throughout", {"reflexes": N}),
        ("Tone normal, reflexes brisk", {"tone": N, "reflexes": A}),
        ("Brisk reflexes, tone and power normal", {"reflexes": A, "tone": N, "strength": N}),
        ("Reflexes absent at the ankles", {"reflexes": A}),
        ("Reduced strength, tone", {"strength": A, "tone": A}),
        ("strength, bulk normal, reflexes brisk", {"bulk": N, "reflexes": A}),
        ("absent reflexes", {"reflexes": A}),
        ("Reduced strength, tone normal", {"strength": A, "tone": N}),
        ("Tone increased in the legs. Strength normal.", {"tone": A, "strength": N}),
        ("strength normal on the right, strength 3/5 on the left", {"strength": A}),
        ("strength normal but reflexes brisk", {"strength": N, "reflexes": A}),
        ("strength normal\nreflexes brisk\ntone normal", {"strength": N, "reflexes": A, "tone": N}),
        ("Wasting of the hand", {"bulk": A}),
        ("wasted thenar", {"bulk": A}),
        ("Atrophy of the tongue", {"bulk": A}),
        ("Weakness of the left arm", {"strength": A}),
        ("hyperreflexia", {"reflexes": A}),
        ("areflexia", {"reflexes": A}),
        ("Spasticity of both legs", {"tone": A}),
        ("rigidity", {"tone": A}),
        ("no wasting", {"bulk": N}),
        ("No wasting, weakness or spasticity", {"bulk": N, "strength": N, "tone": N}),
        ("no weakness; wasting of the hand", {"strength": N, "bulk": A}),
        ("weakness of the arm; strength otherwise normal", {"strength": A}),
        ("strength normal; weakness of the arm", {"strength": A}),
        ("strength not normal", {"strength": A}),
        ("tone is not entirely normal", {"tone": A}),
        ("Reflexes not intact", {"reflexes": A}),
        ("reflexes abnormal", {"reflexes": A}),
        ("strength 5/5, tone not increased", {"strength": N, "tone": N}),
        ("no increased tone, reflexes absent", {"reflexes": A}),
    ],
)
def test_each_part_is_judged_by_its_own_words(text: str, expected: dict[str, str]) -> None:
    """A part is what is said of it in its own segment; an abnormal word outweighs normal ones, a denied one none."""
    assert read_examination_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "normal",
            "Strength",
            "Strength tested",
            "Strength not tested",
            "tone, bulk and reflexes recorded",
        ),
        *(
            "Strength not reduced",
            "no abnormal reflexes",
            "reflexes not brisk",
            "see letter",
            "Heart tones normal",
        ),
        *("powerful", "a normal day", "strengthen", "Reflexes 3+"),
    ],
)
def test_what_is_not_said_stays_unknown(text: str) -> None:
    """A part that is named and not judged, or of which only something abnormal is denied, is unknown and not normal."""
    assert read_examination_text(text) == {}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("normal", NEUROLOGICAL),
        ("Normal.", NEUROLOGICAL),
        ("entirely normal", NEUROLOGICAL),
        ("All findings normal throughout", "Motor examination"),
        ("Normal", "Examination"),
        ("intact", "Neurological assessment"),
        ("Neurological exam: normal", ""),
        ("Neurological examination is grossly normal", ""),
        ("Normal neurological examination", ""),
        ("On examination: normal", ""),
        ("Examination unremarkable", ""),
        ("Cramps at night; examination normal", ""),
    ],
)
def test_a_normal_neurological_examination_is_normal_in_every_part(text: str, title: str) -> None:
    """The whole is normal when the words say so of the whole examination of muscles and nerves."""
    assert read_examination_text(text, title) == ALL_NORMAL


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Abdominal examination normal", ""),
        ("Normal examination of the abdomen", ""),
        ("Examination of the breast normal", ""),
        ("Normal", "Abdominal examination"),
        ("Normal", "Examination of abdomen"),
        ("Normal", "Blood film"),
        ("Coordination normal", NEUROLOGICAL),
        ("Cranial nerves normal, vision normal", NEUROLOGICAL),
        ("Neurological examination: cranial nerves normal", ""),
        ("Neurological examination not normal", ""),
        ("not normal", NEUROLOGICAL),
        ("abnormal", NEUROLOGICAL),
        ("Examination normal except for reduced hearing", ""),
        ("not done", NEUROLOGICAL),
        ("Neurological examination deferred", ""),
    ],
)
def test_another_examination_says_nothing_of_muscles_and_nerves(text: str, title: str) -> None:
    """A normal abdomen, normal coordination or an examination that was not normal makes no part normal."""
    assert read_examination_text(text, title) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sensation normal", {"sensation": N}),
        ("Reduced sensation of both feet", {"sensation": A}),
        ("gait normal", {"gait": N}),
        ("Gait unsteady", {"gait": A}),
        ("broad-based gait", {"gait": A}),
        ("Plantars flexor", {"plantar": N}),
        ("plantars upgoing", {"plantar": A}),
        ("Extensor plantar response right", {"plantar": A}),
        ("Plantar response: not tested", {}),
    ],
)
def test_gait_sensation_and_plantar_response_are_read(text: str, expected: dict[str, str]) -> None:
    """They count when somebody names them, and a normal examination as a whole does not stand for them."""
    assert read_examination_text(text, NEUROLOGICAL) == expected


def test_what_was_found_abnormal_stays_so_when_the_rest_is_normal() -> None:
    """The words "otherwise normal" speak for the parts of which nothing else was said."""
    assert read_examination_text("Brisk reflexes; otherwise normal", NEUROLOGICAL) == {
        **ALL_NORMAL,
        "reflexes": A,
    }


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("subject", ["{}", "{} in both legs", "Distal {}", "muscle {}"])
@pytest.mark.parametrize(
    ("words", "expected"), [("normal", N), ("intact", N), ("not normal", A), ("abnormal", A), ("reduced", A)]
)
def test_every_part_is_read_alike(part: str, subject: str, words: str, expected: str) -> None:
    """Strength, bulk, reflexes and tone take the same words, before and behind, with "is" and without."""
    phrase = subject.format(part)
    for text in (
        f"{phrase} {words}",
        f"{phrase} is {words}.",
        f"{phrase}: {words}",
        f"{phrase.upper()} {words.upper()}",
    ):
        assert read_examination_text(text) == {part: expected}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        *(
            ("Strength", "strength"),
            ("Muscle power", "strength"),
            ("Bulk", "bulk"),
            ("Deep tendon reflexes", "reflexes"),
        ),
        *(("Tone", "tone"), ("Reflex", "reflexes"), ("Sensation", "sensation"), ("Stone", None), ("", None)),
    ],
)
def test_a_part_is_known_by_its_name(words: str, part: str | None) -> None:
    """The title of one component names at most one part."""
    assert part_named(words) == part


@pytest.mark.parametrize(
    "words", ["Neurological examination", "neuro exam", "Motor assessment", "Examination", "Muscle exam"]
)
def test_an_examination_is_known_by_its_name(words: str) -> None:
    """Words that name an examination do so in every case; others do not."""
    assert names_examination(words)
    assert not names_examination(words[::-1])


@settings(max_examples=200)
@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_is_read(text: str, title: str) -> None:
    """Nothing that an examination can hold raises, and only known parts and judgments come out."""
    found = read_examination_text(text, title)
    assert set(found) <= set(PARTS)
    assert set(found.values()) <= {N, A}
    assert judgement_of(text) in {None, N, A}


WORDS = st.sampled_from(
    [
        *(
            "strength",
            "tone",
            "reflexes",
            "bulk",
            "normal",
            "not",
            "no",
            "brisk",
            "reduced",
            "weakness",
            "wasting",
        ),
        *(
            "examination",
            "neurological",
            "but",
            "is",
            ",",
            ";",
            ".",
            "4/5",
            "5/5",
            "2+",
            "abdominal",
            "of",
            "absent",
        ),
    ]
)


@settings(max_examples=200)
@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_an_unnamed_part_is_normal_only_with_the_whole_examination(text: str) -> None:
    """A part of which no word was said is either unknown, or normal because the whole examination was."""
    found = read_examination_text(text, "Blood film")
    for part in found:
        if part_words(part).isdisjoint(text.split()):
            assert found[part] == N
            assert "examination" in text


def part_words(part: str) -> set[str]:
    """Return the words of these texts that name a part."""
    return {part} | {"strength": {"weakness"}, "bulk": {"wasting"}}.get(part, set())


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "no weakness ",
            "strength normal, ",
            "not ",
            "wasting, normal abnormal ",
            "neurological ",
            "normal examination ",
        ),
        *(
            "examination: is ",
            "reduced ",
            "reduced, ",
            ", ",
            "a",
            "motor  ",
            "is was all ",
            "absent ",
            "strength;",
        ),
    ],
)
def test_a_long_text_is_read_in_linear_time(unit: str) -> None:
    """Text that is made to be slow costs no more per character when it is ten times as long."""
    read_examination_text(unit * 10, unit * 3)
    times = []
    for length in (10_000, 100_000):
        text = unit * (length // len(unit))
        started = time.process_time()
        read_examination_text(text, unit * 3)
        times.append(time.process_time() - started)
    assert times[1] < max(40 * times[0], 0.5)
    assert times[1] < 3
