"""`cds-service load-samples`: puts the synthetic patients on a FHIR R4 server to try the service against; no others."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import orjson
import requests

from cds_service.errors import CDSError

_FHIR_JSON = "application/fhir+json"
_ANSWERS_WITHIN_S = 60.0
_ASKS_AGAIN_S = 1.0


class LoadError(CDSError):
    """The server did not take the samples."""


@click.command("load-samples")
@click.argument("base")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("fhir_samples"),
    show_default=True,
    help="Folder of stories; each holds a bundle.json.",
)
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0, help="Seconds to wait for the server to come up."
)
def load_samples(base: str, folder: Path, wait: float) -> None:
    """Put every sample patient on the FHIR R4 server at BASE, each in one transaction; safe to repeat."""
    bundles = sorted(folder.glob("*/bundle.json"))
    if not bundles:
        raise LoadError(f"There is no story with a bundle.json in {folder}.")
    base = base.rstrip("/")
    with requests.Session() as session:
        session.trust_env = False
        _await_server(session, base, wait)
        loaded = 0
        for path in bundles:
            transaction = as_transaction(orjson.loads(path.read_bytes()))
            _send(session, base, transaction, path.parent.name)
            loaded += len(transaction["entry"])
    click.echo(f"{len(bundles)} patients with {loaded} resources are on the server.")


def as_transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a Bundle that puts every resource under its own id, whether or not it was there before."""
    entries = [
        {
            "fullUrl": f"{entry['resource']['resourceType']}/{entry['resource']['id']}",
            "resource": entry["resource"],
            "request": {
                "method": "PUT",
                "url": f"{entry['resource']['resourceType']}/{entry['resource']['id']}",
            },
        }
        for entry in bundle["entry"]
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _await_server(session: requests.Session, base: str, seconds: float) -> None:
    """Return once the server tells what it can do. Raises `LoadError` when it does not in time."""
    until = time.monotonic() + seconds
    while not _is_up(session, base):
        if time.monotonic() >= until:
            raise LoadError(
                "No FHIR server answers at the address; check it, or give it more time with --wait."
            )
        time.sleep(_ASKS_AGAIN_S)


def _is_up(session: requests.Session, base: str) -> bool:
    try:
        answer = session.get(f"{base}/metadata", headers={"Accept": _FHIR_JSON}, timeout=_ANSWERS_WITHIN_S)
        return answer.ok and answer.json().get("resourceType") == "CapabilityStatement"
    except (requests.RequestException, ValueError, AttributeError):
        return False


def _send(session: requests.Session, base: str, transaction: dict[str, Any], story: str) -> None:
    try:
        answer = session.post(
            base,
            data=orjson.dumps(transaction),
            headers={"Content-Type": _FHIR_JSON, "Accept": _FHIR_JSON},
            timeout=_ANSWERS_WITHIN_S,
        )
    except requests.RequestException as error:
        raise LoadError(f"The server broke off ({type(error).__name__}).", story) from None
    if not answer.ok:
        raise LoadError(f"The server refused a story with status {answer.status_code}.", story)
