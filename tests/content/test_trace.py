"""The trace is complete and up to date: every statement and id has its file and its proof; judges no wording."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.app import prove_knowledge
from cds_service.cli.trace import trace
from cds_service.knowledge.proofs import gaps, parts_of, proof_of, proof_of_statement, traced_kinds
from cds_service.knowledge.trace import trace_page
from cds_service.knowledge.whole_patients import WholePatient, read_whole_patients
from cds_service.model.definitions import Knowledge
from cds_service.settings import Settings
from tests.support.case_files import read_yaml, whole_patients
from tests.support.places import CARDS, CASES, ROOT

PAGE = ROOT / "docs" / "trace.md"
PARTS = {"S12": "abcdefghij", "S16": "abcdefghi", "S19": "abc", "S21": "abcde", "S23": "abcdefg"}
CONTRACT = read_yaml(ROOT / "tests" / "content" / "contract_ids.yaml")
"""The ids that clients, expectations and reports rely on."""


@cache
def knowledge() -> Knowledge:
    """Return the shipped content."""
    return prove_knowledge(Settings(cards_folder=CARDS))


@cache
def patients() -> tuple[WholePatient, ...]:
    """Return what the whole-patient cases name."""
    return read_whole_patients(CASES)


def test_every_statement_of_the_source_document_has_its_file() -> None:
    """S1 to S38 and their lettered parts have a file each, and there are no others."""
    wanted = {f"S{number}" for number in range(1, 39)}
    wanted |= {f"{name}{letter}" for name, letters in PARTS.items() for letter in letters}
    assert set(knowledge().statements) == wanted


@pytest.mark.parametrize("kind", CONTRACT)
def test_every_id_of_the_contract_has_its_file(kind: str) -> None:
    """No cause, red flag, lab, order or presentation that others rely on is missing."""
    assert sorted(set(CONTRACT[kind]) - set(getattr(knowledge(), kind))) == []


def test_every_statement_cause_red_flag_and_lab_is_proven() -> None:
    """A statement has the definitions and cases it needs; causes, red flags and labs have examples both ways."""
    assert list(gaps(knowledge(), patients())) == []


def test_a_case_proves_only_statements_that_exist() -> None:
    """What a case says it proves is a statement of the source document."""
    known = set(knowledge().statements)
    assert [case["id"] for case in whole_patients() if not set(case.get("proves", ())) <= known] == []


def test_the_page_is_up_to_date() -> None:
    """docs/trace.md is what the content and the cases say today: `cds-service trace --write docs/trace.md`."""
    assert PAGE.read_text("utf-8") == trace_page(knowledge(), patients())


def test_the_page_names_every_statement_and_every_id() -> None:
    """Every statement, presentation, cause, red flag, lab and order has its row, with a link to a file that exists."""
    page = trace_page(knowledge(), patients())
    for kind, group in {**traced_kinds(knowledge()), "statements": knowledge().statements}.items():
        for name in group:
            assert f"| [{name}](../cards/{kind}/{name}.yaml) |" in page
            assert (CARDS / kind / f"{name}.yaml").is_file()


def test_what_lacks_a_proof_is_told() -> None:
    """Without cases, a statement that cases must prove and a red flag that needs a patient are named as gaps."""
    found = list(gaps(knowledge(), ()))
    assert "statements/S6: no whole patient names it in proves" in found
    assert "red_flags/RF10: no whole patient expects it" in found
    assert "statements/S6" in trace_page(knowledge(), ())


def test_a_statement_in_parts_is_proven_by_its_parts() -> None:
    """The parent statement shows the definitions of its lettered parts."""
    parent = knowledge().statements["S21"]
    assert parts_of(parent, knowledge()) == ["S21a", "S21b", "S21c", "S21d", "S21e"]
    named = {name for _kind, name in proof_of_statement(parent, knowledge(), ()).definitions}
    assert {"hyperthyroidism", "hypercalcemia", "hypokalemia"} <= named


def test_a_case_is_found_by_what_it_expects_and_by_what_it_refuses() -> None:
    """A case names a cause by ranking it, and keeps one down by refusing it."""
    proof = proof_of("causes", knowledge().causes["hypokalemia"], patients())
    assert "P02" in {one.id for one in proof.cases}
    assert "P03" in {one.id for one in proof.left_out_by}
    assert proof.firing > 0
    assert proof.silent > 0


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    """The page is written, found up to date, and found out of date once a line is lost."""
    page = tmp_path / "trace.md"
    run = CliRunner().invoke
    assert run(trace, ["--write", str(page)]).exit_code == 0
    assert run(trace, ["--check", str(page)]).exit_code == 0
    page.write_text(page.read_text("utf-8") + "\n", "utf-8")
    outcome = run(trace, ["--check", str(page)])
    assert outcome.exit_code == 1
    assert "out of date" in outcome.output
