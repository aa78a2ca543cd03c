"""Reads one patient's chart from a registered FHIR server, as an EHR would fill the prefetch; it never calls another.

The guard is the one of the hook calls: the same registered bases, the same limits. Without a token only a server
on this machine is called, and that only where the settings allow it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.errors import BlockedServerError, MalformedRequestError, RequiredDataUnavailableError
from cds_service.fetch.addresses import Base
from cds_service.fetch.answers import Errand, Page
from cds_service.fetch.limits import Allowance, Deadline
from cds_service.fhir.envelope import FHIR_ID
from cds_service.fhir.prefetch import PATIENT_TOKEN
from cds_service.gathering import Gatherer


class ChartWish(msgspec.Struct, rename="camel"):
    """Which chart is wished for; the token is used for this one reading and kept nowhere."""

    fhir_server: str
    patient_id: str
    access_token: str | None = None

    def __repr__(self) -> str:
        """Never print the token or whose chart it is."""
        return "ChartWish(<hidden>)"


def read_wish(body: bytes) -> ChartWish:
    """Return what a body asks for. Raises `MalformedRequestError`, which repeats no value."""
    try:
        wish = msgspec.json.decode(body, type=ChartWish)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequestError("Name fhirServer and patientId as texts.", "$") from None
    if not FHIR_ID.fullmatch(wish.patient_id):
        raise MalformedRequestError("The id of a patient is a FHIR id.", "patientId")
    return wish


def read_chart(
    wish: ChartWish, gatherer: Gatherer, templates: Mapping[str, str], seconds: float
) -> dict[str, object]:
    """Return `prefetch` (key → resource as it came) and `failed` (the keys that were not answered).

    Raises `MalformedRequestError` when the server may not be called and `RequiredDataUnavailableError` when it
    answers nothing; neither says why, so that nobody learns what can be reached from here.
    """
    base = _allowed_base(wish, gatherer)
    urls = {
        key: f"{base.text}/{template.replace(PATIENT_TOKEN, wish.patient_id)}"
        for key, template in templates.items()
    }
    errand = Errand(wish.access_token or None, Deadline(seconds), Allowance())
    answers = gatherer.fetch(base, urls, errand)
    read = {key: _resource(answer.body) for key, answer in answers.items() if isinstance(answer, Page)}
    prefetch = {key: resource for key, resource in read.items() if resource is not None}
    if not prefetch:
        raise RequiredDataUnavailableError("The FHIR server did not answer.", "fhirServer")
    return {"prefetch": prefetch, "failed": [key for key in templates if key not in prefetch]}


def _allowed_base(wish: ChartWish, gatherer: Gatherer) -> Base:
    try:
        base = Base(wish.fhir_server)
    except BlockedServerError:
        base = None
    if base is None or not gatherer.may_call(base, has_token=bool(wish.access_token)):
        raise MalformedRequestError("This FHIR server is not registered for the sandbox.", "fhirServer")
    return base


def _resource(body: bytes) -> msgspec.Raw | None:
    """Return a JSON object as it came, byte for byte, so that no digit of a result is lost; None for anything else."""
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.Raw(body)
