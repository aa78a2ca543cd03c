"""`cds-service load-atc`: a site's own list makes medicines known by ATC code; the list of this test is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.app import create_app, load_knowledge
from cds_service.fhir.shapes import CodeableConcept, Coding
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.settings import Settings
from tests.functional.commands import run
from tests.spec.calls import (
    EXPLANATION,
    PROBLEM,
    asking_in_process,
    bundle_of,
    cards,
    recording,
)
from tests.support.atc import ATC, ATC_OID, atc_list, ingredient_of

THIAZIDE, STEROID = ingredient_of("thiazide_diuretic"), ingredient_of("corticosteroid_systemic")
LIST = atc_list(
    ("X99", "made-up group"),
    ("X99XX01", THIAZIDE.upper()),
    ("X99XX02", f"{THIAZIDE} and {STEROID}"),
    ("X99XX03", "no such thing"),
    ("Y99YY01", STEROID),
    ("Z99ZZ01", STEROID),
)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Return a file with the list."""
    path = tmp_path / "our list.csv"
    path.write_bytes(LIST)
    return path


def test_it_says_what_it_matched_and_the_result_passes_check(listed: Path, tmp_path: Path) -> None:
    """The overlay is made, its table is pinned, and `check` finds no fault in it."""
    site = tmp_path / "new" / "site"
    outcome = run("load-atc", listed, "--into", site, "--systemic", "Y", "--systemic", "X99")
    assert (outcome.status, outcome.err) == (0, "")
    assert "3 matched, 1 unmatched\n1 left out" in outcome.out
    assert "medications.csv now holds 3 rows" in outcome.out
    checked = run("check", "--overlay", site)
    assert checked.status == 0, checked
    assert "  terminology/medications: 3 rows added\n" in checked.out
    assert f"3 {ATC}" in checked.out


def test_the_ingredients_without_a_code_are_listed(listed: Path, tmp_path: Path) -> None:
    """With --missing each is named, so that a spelling of the list can be put right."""
    short = run("load-atc", listed, "--into", tmp_path / "site").out
    long = run("load-atc", listed, "--into", tmp_path / "site", "--missing").out
    assert f"  {ingredient_of('loop_diuretic')}\n" in long
    assert f"  {THIAZIDE}\n" not in long
    assert ingredient_of("loop_diuretic") not in short


@pytest.mark.parametrize("system", [ATC, ATC_OID])
def test_a_medicine_known_by_its_atc_code_counts(listed: Path, tmp_path: Path, system: str) -> None:
    """A coding without a word is understood with the list loaded, named on the argument, and unknown without it."""
    site = tmp_path / "site"
    assert run("load-atc", listed, "--into", site).status == 0
    message = recording()
    subject = message["context"]["conditions"]["entry"][0]["resource"]["subject"]
    medicine = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": subject,
        "medicationCodeableConcept": {"coding": [{"system": system, "code": "X99XX01"}]},
    }
    message["prefetch"] = {"medications": bundle_of(medicine)}
    told = [
        str(
            cards(asking_in_process(create_app(Settings(cards_overlay=overlay)))(PROBLEM, message))[0][
                "extension"
            ][EXPLANATION]["ranking"]
        )
        for overlay in (site, None)
    ]
    assert [THIAZIDE in one for one in told] == [True, False]


def test_a_combination_means_all_its_parts(listed: Path, tmp_path: Path) -> None:
    """The code of "x and y" stands for the value sets of both."""
    site = tmp_path / "site"
    assert run("load-atc", listed, "--into", site, "--systemic", "X").status == 0
    vocabulary = Vocabulary(load_knowledge(Settings(cards_overlay=site)))
    one, both = (
        vocabulary.medicine_names(CodeableConcept(coding=[Coding(system=ATC, code=code)]))
        for code in ("X99XX01", "X99XX02")
    )
    assert one[0] < both[0]
    assert "corticosteroid" in both[0] - one[0]
    assert both[1:] == (f"{THIAZIDE} / {STEROID}", False)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The list is empty"),
        (b"code;title\nX99XX01;x\n", "no column"),
        (atc_list(("X99XX01", "no such thing")), "None of the 1 names of the list is a known ingredient"),
    ],
)
def test_a_list_that_cannot_be_used_writes_nothing(tmp_path: Path, content: bytes, told: str) -> None:
    """The command ends with status 1, says why, and leaves the overlay alone."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    outcome = run("load-atc", path, "--into", tmp_path / "site")
    assert outcome.status == 1
    assert told in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "site").exists()


def test_a_missing_list_is_a_usage_error(tmp_path: Path) -> None:
    """A file that is not there is told as such."""
    assert run("load-atc", tmp_path / "nowhere.csv", "--into", tmp_path / "site").status == 2
