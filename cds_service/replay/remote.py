"""Asks a running CDS service instead of deciding here: discovery first, then one call per patient.

It follows no redirect, reads no setting of the environment but the token, and never prints that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from cds_service.cards.markdown import clean
from cds_service.errors import CDSError
from cds_service.fhir.envelope import AS_OF_EXTENSION
from cds_service.model.facts import ReadingNote
from cds_service.replay.bundles import patient_of, prefetch_of, resources_of
from cds_service.replay.card_text import explanation
from cds_service.replay.messages import schema_faults
from cds_service.replay.moments import spelled
from cds_service.replay.plan import Plan, Result, Task
from cds_service.replay.pool import results_in_order
from cds_service.replay.reading import JSON, REQUEST, Item, items_of
from cds_service.replay.replayer import Content, judged

_DISCOVERY = "/cds-services"
_CONNECT_S, _READ_S = 5.0, 30.0
_MOST_BYTES = 20 * 1024 * 1024
_SERVICE_ID = re.compile(r"[A-Za-z0-9._~-]+")
_CHUNK = 64 * 1024
_OK = 200
_LEVELS = ("info", "warning", "critical")
_NOTE = ("severity", "code", "path", "remedy")
_CANDIDATES = frozenset({"likely", "possible"})


class UnusableServiceError(CDSError):
    """The service of `--against` cannot be asked at all."""

    exit_status = 2


class Remote:
    """A CDS service at an address, with what it advertises."""

    def __init__(self, address: str, token: str | None, *, insecure: bool, ca_file: str | None) -> None:
        """Read its discovery document. Raises `UnusableServiceError`."""
        self._address = address.rstrip("/").removesuffix(_DISCOVERY)
        _check_address(self._address, insecure=insecure)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._verify = ca_file or True
        self._services = self._discover()

    @property
    def templates(self) -> dict[str, str]:
        """The prefetch templates for a Bundle, which becomes a call of problem-list-item-create."""
        service = self.service_for("problem-list-item-create")
        return {} if service is None else dict(service.get("prefetch") or {})

    def service_for(self, hook: Any) -> Mapping[str, Any] | None:
        """Return the first service of a hook, as it was discovered."""
        return next((one for one in self._services if one["hook"] == hook), None)

    def ask(self, service: Mapping[str, Any], body: bytes) -> tuple[int, bytes]:
        """Return status and body of one hook call. Raises `requests.RequestException` or `CDSError`."""
        return self._call("POST", f"{_DISCOVERY}/{service['id']}", body)

    def _discover(self) -> list[Mapping[str, Any]]:
        try:
            status, body = self._call("GET", _DISCOVERY)
            document = msgspec.json.decode(body)
        except (requests.RequestException, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnusableServiceError(
                f"The service cannot be reached or read: {type(error).__name__}."
            ) from None
        if status != _OK:
            raise UnusableServiceError(f"The service answered discovery with {status}.")
        services = document.get("services") if isinstance(document, dict) else None
        if not isinstance(services, list):
            raise UnusableServiceError("The discovery document of the service lists no services.")
        return [one for one in services if _is_service(one)]

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {**self._headers, "Content-Type": "application/json", "Accept": "application/json"}
        with requests.Session() as session:
            session.trust_env = False  # no proxy, no .netrc
            with session.request(
                method,
                self._address + path,
                data=body,
                headers=headers,
                timeout=(_CONNECT_S, _READ_S),
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            ) as reply:
                return reply.status_code, _read(reply)


def _is_service(value: Any) -> bool:
    """Whether an entry of a discovery document can be called; what else is wrong with it does not matter here."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("hook"), str)
        and _SERVICE_ID.fullmatch(str(value.get("id"))) is not None
        and isinstance(value.get("prefetch") or {}, dict)
    )


def _check_address(address: str, *, insecure: bool) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise UnusableServiceError("--against needs an https address without a user name.")
    if parts.scheme == "http" and not insecure and not _is_loopback(parts.hostname):
        raise UnusableServiceError("--against sends a chart: use https, or --insecure where that is wanted.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(reply: requests.Response) -> bytes:
    body = bytearray()
    for chunk in reply.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise CDSError("The answer of the service is over 20 MiB.")
    return bytes(body)


class RemoteReplayer:
    """Asks a service about the items of a replay and holds each answer to what is expected."""

    def __init__(self, remote: Remote, plan: Plan, content: Content) -> None:
        """Keep whom to ask, and what a comparison must know of the content."""
        self._remote = remote
        self._plan = plan
        self._content = content

    def replayed(self, tasks: Iterable[Task], jobs: int) -> Generator[Result]:
        """Yield the results of all tasks in their order, with `jobs` calls at a time."""
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for _, future in results_in_order(tasks, lambda batch: pool.submit(self._work, batch), jobs):
                    yield from future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _work(self, batch: tuple[Task, ...]) -> list[Result]:
        return [result for task in batch for result in self._results(task)]

    def _results(self, task: Task) -> list[Result]:
        found = items_of(task, self._plan, self._remote.templates)
        return [self._result(item, task.group) for item in found]

    def _result(self, item: Item, group: str) -> Result:
        base = Result(name=item.name, group=group, expected=item.expectation is not None, read=item.resources)
        if item.body is None:
            return msgspec.structs.replace(base, trouble=item.trouble, expected=False)
        try:
            sent, body = self._answer(item)
        except CDSError as error:
            return msgspec.structs.replace(base, trouble=error.text)
        answer = _decoded(body)
        if not isinstance(answer, dict) or schema_faults("cds-response", answer):
            return msgspec.structs.replace(base, trouble="The answer breaks CDS Hooks 2.0.1.", ours=True)
        result = _with_answer(base, answer, body, self._plan)
        return judged(result, sent, body, self._plan, self._content, None)

    def _answer(self, item: Item) -> tuple[Item, bytes]:
        """Return the item as it was sent and the body of the answer. Raises `CDSError` where there is none."""
        service = self._remote.service_for(item.hook)
        if service is None:
            raise CDSError("The service offers nothing for the hook of this request.")
        sent = item._replace(body=_prepared(item, service, self._plan))
        try:
            status, body = self._remote.ask(service, sent.body or b"")
        except requests.RequestException as error:
            raise CDSError(f"The service did not answer: {type(error).__name__}.") from None
        if status != _OK:
            raise CDSError(f"{status} {_told(body)}".strip())
        return sent, body


def _prepared(item: Item, service: Mapping[str, Any], plan: Plan) -> bytes:
    """Return the request with the moment of deciding and with an answer to each prefetch key of the service."""
    try:
        request = JSON.decode(item.body or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CDSError("The request is not JSON that can be read.") from None
    extension = request.get("extension")
    extension = dict(extension) if isinstance(extension, dict) else {}
    if item.moment is not None:
        extension[AS_OF_EXTENSION] = spelled(item.moment)
    extension.setdefault(AS_OF_EXTENSION, spelled(plan.started_at))
    return REQUEST.encode({**request, **_prefetch(request, service), "extension": extension})


def _prefetch(request: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """Return the prefetch by the service's own keys; what the request has under other keys is searched for them."""
    sent = request.get("prefetch")
    context = request.get("context")
    wanted = service.get("prefetch") or {}
    if not isinstance(sent, dict) or not isinstance(context, dict):
        return {}
    absent = {key: template for key, template in wanted.items() if key not in sent}
    others = [sent[key] for key in sent if key not in wanted and isinstance(sent[key], dict)]
    if not absent or not others:
        return {"prefetch": sent}
    resources = [one for value in sent.values() if isinstance(value, dict) for one in resources_of(value)]
    patient = str(context.get("patientId") or next(filter(None, map(patient_of, resources)), ""))
    kept = {key: value for key, value in sent.items() if key in wanted}
    return {"prefetch": {**kept, **prefetch_of(resources, patient, absent)}}


def _decoded(body: bytes) -> Any:
    """Return the value of a JSON body, None where it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _told(body: bytes) -> str:
    """Return the words of an OperationOutcome, if the body is one."""
    try:
        issue = msgspec.json.decode(body)["issue"][0]
        return clean(str(issue["details"]["text"]))[:200]
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return ""


def _with_answer(result: Result, answer: dict[str, Any], body: bytes, plan: Plan) -> Result:
    """Return the result with what an answer says in short, as far as it explains itself."""
    explained = explanation(answer) or {}
    levels = [card["indicator"] for card in answer["cards"]]
    return msgspec.structs.replace(
        result,
        as_of=explained.get("as_of"),
        answer=body if plan.with_answers else None,
        level=max(levels, key=_LEVELS.index, default="none"),
        candidates=tuple(
            (clean(one["cause"]), clean(one["standing"]))
            for one in explained.get("ranking", ())
            if one["standing"] in _CANDIDATES
        ),
        red_flags=tuple(clean(flag["id"]) for flag in explained.get("red_flags", ())),
        notes=tuple(
            ReadingNote(**{name: clean(str(note.get(name, ""))) for name in _NOTE})
            for note in explained.get("notes", ())
        ),
    )
