"""Completes the prefetch of one call from the client's registered FHIR server; what it cannot get stays absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urljoin

from cds_service.errors import BlockedServerError
from cds_service.fetch.addresses import Base, Policy
from cds_service.fetch.answers import Answer, Errand, Failed, Fetcher, Page
from cds_service.fetch.limits import Allowance, Deadline
from cds_service.fetch.scopes import is_granted, is_narrowed, read_scopes, wanted_scopes
from cds_service.fhir.envelope import HookRequest, decode_resource
from cds_service.fhir.prefetch import PATIENT_TOKEN
from cds_service.fhir.shapes import Resource
from cds_service.model.facts import ReadingNote

_MOST_PAGES = 10
_RESERVE_S = 0.3
"""Of the deadline, kept for deciding and answering."""


class Registry(NamedTuple):
    """Which servers may be called: the registered bases with their policies, and loopback where it is allowed."""

    policies: Mapping[str, Policy]
    loopback: bool = False
    bases: Mapping[str, str] = MappingProxyType({})
    """Client → its one base."""

    def policy_of(self, base: Base, client: str | None = None) -> Policy | None:
        """Return how a base may be called for a client; None when it is not registered, or is that of another one.

        Without a client, which only an open service has, every registered base may be called.
        """
        known = self.policies.get(base.text)
        if known is None and self.loopback and base.is_loopback and client not in self.bases:
            return Policy(loopback=True)
        return known if client is None or self.bases.get(client) == base.text else None

    @property
    def is_empty(self) -> bool:
        """Whether no server may be called at all."""
        return not (self.policies or self.loopback)


class Gatherer:
    """Fetches for one call after another; what it keeps are connections and how servers have behaved."""

    def __init__(self, client: Fetcher | None, registry: Registry) -> None:
        """Keep what may be called; without a client nothing is."""
        self._client = client
        self._registry = registry

    def may_call(self, base: Base, *, has_token: bool) -> bool:
        """Whether a server may be called: it is registered and there is a token, or it is loopback that needs none."""
        policy = self._registry.policy_of(base)
        return self._client is not None and policy is not None and (has_token or policy.loopback)

    def fetch(self, base: Base, urls: Mapping[str, str], errand: Errand) -> dict[str, Answer]:
        """Return key → answer for URLs below a registered base; nothing is asked of any other."""
        policy = self._registry.policy_of(base)
        if self._client is None or policy is None:
            return dict.fromkeys(urls, Failed("blocked"))
        return self._client.fetch(base, policy, urls, errand)

    def gather(
        self,
        request: HookRequest,
        templates: Mapping[str, str],
        deadline: Deadline,
        client: str | None = None,
    ) -> HookRequest:
        """Return the request with every advertised key that could be fetched, and a note for each that could not.

        Only the server of the `client` that calls is asked. Nothing is fetched that was sent, be it null or a failure
        that the client reported: only absent keys, and the further pages of a paginated answer; of these what the
        scopes of the token cover, where they can be read.
        """
        prefetch = dict(request.prefetch or {})
        absent = {key: query for key, query in templates.items() if key not in prefetch}
        paged = [key for key, value in prefetch.items() if key in templates and value and _next_of(value)]
        if not (absent or paged) or request.fhir_server is None:
            return request
        notes: list[ReadingNote] = []
        server = self._server(request, client, notes)
        if server is None or self._client is None:
            return request._replace(notes=(*request.notes, *notes))
        scopes = read_scopes(request.authorization.scope if request.authorization is not None else None)
        granted = {key: query for key, query in templates.items() if is_granted(query, scopes)}
        refused = {key: query for key, query in templates.items() if key not in granted}
        notes += [_not_granted(key, query) for key, query in refused.items() if key in absent or key in paged]
        visit = _Visit(self._client, server, request.context.patient_id, _errand(deadline, request), notes)
        visit.fetch_absent(prefetch, {key: query for key, query in absent.items() if key in granted})
        visit.fetch_pages(
            {key: value for key, value in prefetch.items() if key in granted and value}, templates
        )
        narrowed = frozenset(
            key
            for key, query in granted.items()
            if (key in absent or key in paged) and is_narrowed(query, scopes) and key in prefetch
        )
        notes += [_narrowed(key, granted[key]) for key in sorted(narrowed)]
        return request._replace(prefetch=prefetch, notes=(*request.notes, *notes), in_part=narrowed)

    def _server(self, request: HookRequest, client: str | None, notes: list[ReadingNote]) -> _Server | None:
        """Return the server that may be called for this request; None, with a note that names none, otherwise."""
        authorization = request.authorization
        try:
            base = Base(request.fhir_server or "")
            policy = self._registry.policy_of(base, client)
        except BlockedServerError:
            base, policy = None, None
        if base is None or policy is None:
            notes.append(
                _note("fhir-server-not-registered", "fhirServer", "Register the FHIR base of the client.")
            )
            return None
        is_usable = authorization is not None and authorization.token_type.lower() == "bearer"
        if not is_usable and not (authorization is None and policy.loopback):
            notes.append(
                _note("fhir-not-authorized", "fhirAuthorization", "Send a token for the FHIR server.")
            )
            return None
        patient = authorization.patient if authorization is not None else None
        if patient is not None and patient.removeprefix("Patient/") != request.context.patient_id:
            notes.append(
                _note(
                    "other-patient", "fhirAuthorization.patient", "The token is for another patient.", "error"
                )
            )
            return None
        return _Server(base, policy)


class _Server(NamedTuple):
    base: Base
    policy: Policy


class _Visit:
    """What is fetched for one call."""

    def __init__(
        self,
        client: Fetcher,
        server: _Server,
        patient: str,
        errand: Errand,
        notes: list[ReadingNote],
    ) -> None:
        self._client = client
        self._server = server
        self._patient = patient
        self._errand = errand
        self._notes = notes

    def fetch_absent(self, prefetch: dict[str, Resource | None], absent: Mapping[str, str]) -> None:
        """Put what the server answers under its key; what it does not answer stays absent, with a note."""
        urls = {
            key: f"{self._server.base.text}/{query.replace(PATIENT_TOKEN, self._patient)}"
            for key, query in absent.items()
        }
        for key, resource in self._get(urls).items():
            if resource is None or resource.resource_type != _type_of_answer(absent[key]):
                self._notes.append(
                    _note("fetch-failed", f"prefetch.{key}", "The FHIR server did not answer this.")
                )
            else:
                prefetch[key] = resource
                self._notes.append(
                    _note("fetched", f"prefetch.{key}", "Not sent; read from the FHIR server.", "information")
                )

    def fetch_pages(self, prefetch: Mapping[str, Resource], templates: Mapping[str, str]) -> None:
        """Follow the next links of every Bundle below the same base, at most ten pages each, never one twice.

        A relative link is resolved against the address that was asked.
        A page that does not come leaves its link in place, so that the answer counts as incomplete.
        """
        bundles = {key: value for key, value in prefetch.items() if _next_of(value)}
        asked = {key: f"{self._server.base.text}/{templates[key].partition('?')[0]}" for key in bundles}
        seen: dict[str, set[str]] = {key: set() for key in bundles}
        for _round in range(_MOST_PAGES - 1):
            urls = {
                key: url
                for key, bundle in bundles.items()
                if (link := _next_of(bundle)) is not None
                and (url := _resolved(asked[key], link)) not in seen[key]
            }
            if not urls:
                return
            for key, page in self._get(urls).items():
                seen[key].add(urls[key])
                if page is None or page.resource_type != "Bundle":
                    del bundles[key]
                    continue
                bundle = bundles[key]
                bundle.entry = [*(bundle.entry or ()), *(page.entry or ())]
                bundle.link = page.link

    def _get(self, urls: Mapping[str, str]) -> dict[str, Resource | None]:
        answers = self._client.fetch(self._server.base, self._server.policy, urls, self._errand)
        return {
            key: decode_resource(answer.body, f"prefetch.{key}", self._notes)
            if isinstance(answer, Page)
            else None
            for key, answer in answers.items()
        }


def _type_of_answer(query: str) -> str:
    """Return what a query is answered with: a search with a Bundle, a read with the resource."""
    return "Bundle" if "?" in query else query.partition("/")[0]


def _errand(deadline: Deadline, request: HookRequest) -> Errand:
    """Return token and limits: something is kept for deciding, and no token is used beyond its life."""
    seconds = max(0.0, deadline.left() - _RESERVE_S)
    authorization = request.authorization
    if authorization is not None and authorization.expires_in is not None:
        seconds = min(seconds, float(max(0, authorization.expires_in)))
    token = authorization.access_token if authorization is not None else None
    return Errand(token, Deadline(seconds), Allowance())


def _next_of(bundle: Resource) -> str | None:
    """Return the address of the next page, if there is one."""
    return next((link.url for link in bundle.link or () if link.relation == "next" and link.url), None)


def _resolved(asked: str, link: str) -> str:
    """Return the absolute address of a link; one that cannot be resolved stays as it is and is not followed."""
    try:
        return urljoin(asked, link)
    except ValueError:
        return link


def _narrowed(key: str, query: str) -> ReadingNote:
    old, new = wanted_scopes(query)
    told = f"The token lets the server leave entries out; grant {old} (SMART v1) or {new} (v2)."
    return _note("scope-narrows", f"prefetch.{key}", told)


def _not_granted(key: str, query: str) -> ReadingNote:
    old, new = wanted_scopes(query)
    return _note("scope-not-granted", f"prefetch.{key}", f"Grant {old} (SMART v1) or {new} (v2).")


def _note(code: str, path: str, remedy: str, severity: str = "warning") -> ReadingNote:
    return ReadingNote(severity=severity, code=code, path=path, remedy=remedy)


Gather = Callable[[HookRequest, Mapping[str, str]], HookRequest]
"""What the pipeline is given: completes a request, or returns it as it is."""
