"""Fetches one small JSON document from a registered address, guarded like FHIR servers; it reads none of it."""

from __future__ import annotations

import re
import threading

import requests
from urllib3.exceptions import HTTPError

from cds_service.errors import BlockedServerError
from cds_service.fetch.addresses import Location, Policy, Resolver, resolve
from cds_service.fetch.answers import Document
from cds_service.fetch.transport import Call, session_for

MOST_BYTES = 256 * 1024
_PIECE = 16 * 1024
_ACCEPTED = frozenset({"application/json", "application/jwk-set+json"})
_ACCEPT = "application/jwk-set+json, application/json;q=0.9"
_MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})\"?", re.IGNORECASE)
_NOT_KEPT = frozenset({"no-store", "no-cache"})


def fetch_document(
    location: Location, policy: Policy, seconds: float, resolver: Resolver = resolve
) -> Document | None:
    """Return the document, or None when it is not to be had in this time: never a redirect, a proxy or a part of it."""
    call = Call()
    alarm = threading.Timer(seconds, call.abort)
    alarm.daemon = True
    alarm.start()
    try:
        with call, session_for(location.base, policy, resolver) as session:
            return _fetch(session, location, policy, seconds)
    except (BlockedServerError, requests.RequestException, HTTPError, OSError, ValueError):
        return None
    finally:
        alarm.cancel()


def _fetch(session: requests.Session, location: Location, policy: Policy, seconds: float) -> Document | None:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity"}
    with session.get(
        location.text,
        headers=headers,
        timeout=seconds,
        stream=True,
        allow_redirects=False,
        verify=policy.ca_file or True,
    ) as response:
        if not _is_plain_json(response):
            return None
        body = b""
        while piece := response.raw.read1(_PIECE):
            body += piece
            if len(body) > MOST_BYTES:
                return None
        return Document(body, _max_age(response.headers.get("Cache-Control", "")))


def _is_plain_json(response: requests.Response) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    return response.status_code == requests.codes.ok and kind in _ACCEPTED and coding == "identity"


def _max_age(cache_control: str) -> int | None:
    parts = [part.strip() for part in cache_control.split(",")]
    if any(part.lower() in _NOT_KEPT for part in parts):
        return 0
    found = next((one for part in parts if (one := _MAX_AGE.fullmatch(part))), None)
    return int(found[1]) if found is not None else None
