"""The published samples: written from the cases, valid CDS Hooks messages, valid FHIR R4."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from fhir.resources.R4B import get_fhir_model_class

from cds_service.replay.expectations import KNOWN_KEYS
from tests.support.case_files import Case, decoys, samples, whole_patients
from tests.support.json_text import from_json
from tests.support.patients import bundle, hook_request
from tests.support.places import SAMPLES
from tests.support.schemas import resources_in, schema_faults
from tests.support.write_samples import files

EVERY_CASE = (*whole_patients(), *decoys())
PREFETCH_KEYS = {
    "patient",
    "problems",
    "medications",
    "medicationStatements",
    "labs",
    "vitals",
    "exam",
    "socialHistory",
    "serviceRequests",
    "familyHistory",
    "procedures",
    "questionnaireResponses",
}


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        inner = {value["reference"]} if "reference" in value else set()
        return inner.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_the_written_samples_are_what_the_cases_say() -> None:
    """No sample file is missing, stale or left over; `python -m tests.support.write_samples` writes them."""
    expected = {str(path): text for path, text in files().items()}
    found = {
        str(path.relative_to(SAMPLES)): path.read_bytes().decode()
        for path in SAMPLES.rglob("*")
        if path.is_file()
    }
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_there_are_at_least_eight_stories() -> None:
    """The samples tell at least eight stories, each under a name of its own."""
    assert len({case["sample"] for case in samples()}) >= 8


@pytest.mark.parametrize("case", samples(), ids=lambda case: case["sample"])
def test_an_expected_file_is_read_back_as_the_expectation(case: Case) -> None:
    """`expected.yaml` holds the moment and the expectation of the case, in keys that are checked."""
    read = yaml.safe_load((SAMPLES / case["sample"] / "expected.yaml").read_text(encoding="utf-8"))
    assert read == {"as_of": case["as_of"], "expect": case["expect"]}
    assert set(read["expect"]) <= KNOWN_KEYS


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case["id"])
def test_every_request_is_a_valid_cds_hooks_call(case: Case) -> None:
    """A request keeps the schema, answers every advertised prefetch key and says as of when it is read."""
    request = hook_request(case)
    assert not schema_faults("cds-request", request)
    assert set(request["prefetch"]) == PREFETCH_KEYS - set(case.get("not_received", ()))
    assert request["extension"] == {"org.spasm-cds.as-of": case["as_of"]}


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case["id"])
def test_every_resource_is_valid_fhir(case: Case) -> None:
    """Every resource of the request and of the bundle passes the FHIR R4 models."""
    request = hook_request(case)
    found = [*resources_in(request), bundle(case)]
    in_context = sum(name in request["context"] for name in ("conditions", "draftOrders"))
    assert len(found) == len(request["prefetch"]) + 1 + in_context
    for resource in found:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case["id"])
def test_every_reference_of_a_bundle_is_answered_inside_it(case: Case) -> None:
    """A bundle holds all that it refers to, and each resource once."""
    entries = [entry["resource"] for entry in bundle(case)["entry"]]
    present = [f"{resource['resourceType']}/{resource['id']}" for resource in entries]
    assert len(set(present)) == len(present)
    assert _references(entries) <= set(present)


@pytest.mark.parametrize("case", samples(), ids=lambda case: case["sample"])
def test_a_written_request_keeps_the_digits_of_every_result(case: Case) -> None:
    """Every value of the case stands in the written request with the digits that the laboratory printed."""
    written = (SAMPLES / case["sample"] / "request.json").read_text(encoding="utf-8")
    assert from_json(written)["hook"] == case["hook"]
    for row in (row for row in case.get("labs", ()) if "unit" in row):
        assert re.search(rf'"value": {re.escape(row["value"])}(?![\d.])', written), row
