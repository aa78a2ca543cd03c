"""The file of clients: what stops the start and how it is told, what production refuses, whose FHIR server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app, gatherer_for, registry_for
from cds_service.clients import read_clients
from cds_service.errors import SettingsError
from cds_service.fetch.addresses import Base
from cds_service.registrations import clients_for
from cds_service.settings import Settings, read_settings
from cds_service.trust.public_sandbox import CLIENT_ID, JKU, sandbox_keys
from cds_service.trust.public_sandbox import ISSUER as SANDBOX
from tests.functional.commands import run
from tests.spec.calls import story
from tests.support.fhir_server import fhir_server
from tests.support.places import ROOT
from tests.support.production import authorized, production_environment, write_clients
from tests.support.tokens import BASE, ISSUER, SERVICE, bearer, claims, key_set, signer, token

KEYS = key_set(signer())
AUTHORIZATION = {"access_token": "made-up", "token_type": "Bearer", "expires_in": 300}
GOOD: dict[str, Any] = {"id": "hospital", "issuer": ISSUER, "jwks": KEYS}
(_public,) = sandbox_keys()
SANDBOX_JWK = {
    "kty": "EC",
    "crv": _public.material[0],
    "x": _public.material[1],
    "y": _public.material[2],
    "kid": "renamed",
}


def settings(folder: Path, *clients: dict[str, Any], **more: Any) -> Settings:
    """Return settings for development with these clients."""
    return Settings(clients=write_clients(folder, *clients), **more)


FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "anonymous": ({"id": "anonymous"}, "clients.0.id"),
    "an id with a slash": ({"id": "a/b"}, "clients.0.id"),
    "an empty issuer": ({"issuer": ""}, "clients.0.issuer"),
    "an issuer with a space": ({"issuer": "canary issuer"}, "clients.0.issuer"),
    "an issuer without keys": ({"jwks": None}, "clients.0: issuer: needs exactly one of"),
    "keys twice": ({"jwks_url": "https://canary.example/keys"}, "clients.0: issuer: needs exactly one of"),
    "keys without an issuer": ({"issuer": None}, "clients.0: issuer"),
    "a jku beside its address": (
        {"jwks": None, "jwks_url": "https://canary.example/keys", "jku": "https://canary.example/keys"},
        "clients.0: jku",
    ),
    "keys over http": ({"jwks": None, "jwks_url": "http://canary.example/keys"}, "clients.0.jwks_url"),
    "keys of a file scheme": ({"jwks": None, "jwks_url": "file:///canary"}, "clients.0.jwks_url"),
    "no such file": ({"jwks": None, "jwks_file": "canary.json"}, "clients.0.jwks_file"),
    "a private key": (
        {"jwks": {"keys": [signer().jwk(d="canary")]}},
        "clients.0.jwks: keys.0.holds members of a private",
    ),
    "a key to encrypt": ({"jwks": {"keys": [signer().jwk(use="enc")]}}, "clients.0.jwks: keys.0.use"),
    "a key of no algorithm of the client": (
        {"algorithms": ["RS384"]},
        "clients.0: jwks: holds a key that fits none",
    ),
    "HS256": ({"algorithms": ["HS256"]}, "clients.0.algorithms"),
    "none": ({"algorithms": ["none"]}, "clients.0.algorithms"),
    "no algorithm": ({"algorithms": []}, "clients.0.algorithms"),
    "ES256 without the setting": (
        {"algorithms": ["ES384", "ES256"]},
        "clients.0.algorithms: .* need CDS_ALLOW_256",
    ),
    "no tenant": ({"tenants": []}, "clients.0.tenants"),
    "an empty audience": ({"audience": ""}, "clients.0.audience"),
    "another explanation": ({"explanation": "canary"}, "clients.0.explanation"),
    "a misspelled member": ({"isuer": "canary"}, "clients.0.isuer"),
    "the public sandbox by its issuer": (
        {"issuer": SANDBOX},
        "clients.0: is the public sandbox.*CDS_TRUST_PUBLIC_SANDBOX",
    ),
    "the public sandbox by its key": ({"jwks": {"keys": [SANDBOX_JWK]}}, "clients.0: is the public sandbox"),
    "the public sandbox by its address": (
        {"jwks": None, "jwks_url": JKU},
        "clients.0: is the public sandbox",
    ),
}


@pytest.mark.parametrize(("changes", "named"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_stops_the_start_and_names_the_member(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    """Never the value, which may be an address or a key."""
    with pytest.raises(SettingsError, match=f"^CDS_CLIENTS: {named}") as refused:
        clients_for(settings(tmp_path, GOOD | changes))
    assert "canary" not in refused.value.text.replace("isuer", "")


def test_an_unknown_service_stops_the_start(tmp_path: Path) -> None:
    """A misspelled grant would lock a client out unnoticed."""
    with pytest.raises(SettingsError, match=r"clients\.0\.services"):
        create_app(settings(tmp_path, GOOD | {"services": ["canary"]}))


@pytest.mark.parametrize("name", ["id", "issuer", "fhir_base"])
def test_no_two_clients_share_what_tells_them_apart(tmp_path: Path, name: str) -> None:
    """Id, issuer and FHIR base belong to one client each."""
    base = "https://ehr.example.org/fhir"
    other = {"id": "b", "issuer": "b", "jwks": key_set(signer("ES384", "b")), "fhir_base": f"{base}/b"}
    one = GOOD | {"fhir_base": base}
    with pytest.raises(SettingsError, match=f"the same {name}"):
        clients_for(settings(tmp_path, one, other | {name: one[name]}))
    assert len(clients_for(settings(tmp_path, one, other)).clients) == 2


def test_the_example_is_a_file_of_clients_for_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the documentation shows can be used as it is, ES256 and all it names included."""
    example = ROOT / "docs" / "examples" / "clients.yaml"
    for name, value in {**production_environment(tmp_path), "CDS_CLIENTS": str(example)}.items():
        monkeypatch.setenv(name, value)
    clients = clients_for(read_settings()).clients
    assert [client.issuer is not None for client in clients] == [True, True]


UNSAFE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no clients": ([], "production needs a client with an issuer"),
    "a client without an issuer": ([GOOD, {"id": "b"}], "clients.1.issuer"),
    "keys over http on this machine": (
        [GOOD | {"jwks": None, "jwks_url": "http://127.0.0.1:9/keys"}],
        "clients.0.jwks_url: production needs an https address",
    ),
    "the public sandbox": ([GOOD | {"issuer": SANDBOX}], "clients.0: is the public sandbox"),
    "its key under another issuer": (
        [GOOD | {"jwks": {"keys": [SANDBOX_JWK]}}],
        "clients.0: is the public sandbox",
    ),
    "another key under its id": (
        [GOOD | {"jwks": {"keys": [signer().jwk(kid=_public.kid)]}}],
        "clients.0: is the public sandbox",
    ),
}


@pytest.mark.parametrize(("clients", "named"), UNSAFE.values(), ids=UNSAFE.keys())
def test_production_refuses_unsafe_clients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clients: list[dict[str, Any]], named: str
) -> None:
    """The setting and the member are named; the same file but for this fault is accepted."""
    for name, value in production_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert clients_for(read_settings()).clients
    write_clients(tmp_path, *clients)
    with pytest.raises(SettingsError, match=f"CDS_CLIENTS: .*{named}"):
        clients_for(read_settings())


def test_production_answers_its_clients_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a token 401, with one the call is read."""
    for name, value in production_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    client = create_app(read_settings()).test_client()
    path = f"/cds-services/{SERVICE}"
    assert client.post(path).status_code == 401
    assert client.post(path, headers=authorized(path)).status_code == 415


def test_development_is_open_until_it_is_closed(tmp_path: Path) -> None:
    """Anybody may call; a token is checked once there are clients; CDS_OPEN closes it."""
    path = f"/cds-services/{SERVICE}"
    bare = create_app(Settings()).test_client()
    assert bare.post(path).status_code == bare.post(path, headers=bearer("x")).status_code == 415
    registered = create_app(settings(tmp_path, GOOD, public_base_url=BASE)).test_client()
    assert registered.post(path).status_code == 415
    assert registered.post(path, headers=bearer("x")).status_code == 401
    assert registered.post(path, headers=bearer(token())).status_code == 415
    closed = create_app(settings(tmp_path, GOOD, public_base_url=BASE, open=False)).test_client()
    assert closed.post(path).status_code == 401


def test_the_public_sandbox_is_a_client_where_it_is_trusted(tmp_path: Path) -> None:
    """With its published key and its jku; a file may describe it itself, with keys of its own."""
    (sandbox,) = clients_for(Settings(trust_public_sandbox=True)).clients
    assert (sandbox.id, sandbox.issuer, sandbox.jku) == (CLIENT_ID, SANDBOX, JKU)
    own = GOOD | {"id": "sandbox", "issuer": SANDBOX, "jku": JKU}
    chosen = settings(tmp_path, own, trust_public_sandbox=True, open=False, public_base_url=BASE)
    assert [client.id for client in clients_for(chosen).clients] == ["sandbox"]
    client = create_app(chosen).test_client()
    called = token(claims(iss=SANDBOX), header={"jku": JKU})
    assert client.post(f"/cds-services/{SERVICE}", headers=bearer(called)).status_code == 415
    with pytest.raises(SettingsError, match="public-sandbox"):
        clients_for(settings(tmp_path, GOOD | {"id": CLIENT_ID}, trust_public_sandbox=True))


def test_a_caller_reaches_its_own_fhir_server_alone(tmp_path: Path) -> None:
    """Another client's base is no base for it; only an open service lets anybody name any registered one."""
    ours, theirs, loopback = "https://a.example/fhir", "https://b.example/fhir", "http://127.0.0.1:9/fhir"
    other = GOOD | {"id": "b", "issuer": "b", "fhir_base": theirs}
    third = GOOD | {"id": "c", "issuer": "c"}
    registry = registry_for(
        settings(tmp_path, GOOD | {"fhir_base": ours}, other, third, allow_loopback_fhir=True)
    )
    reached = {
        client: [registry.policy_of(Base(base), client) is not None for base in (ours, theirs, loopback)]
        for client in ("hospital", "b", "c", None)
    }
    assert reached == {
        "hospital": [True, False, False],
        "b": [False, True, False],
        "c": [False, False, True],
        None: [True, True, True],
    }


def test_without_any_server_nothing_is_fetched(tmp_path: Path) -> None:
    """A client without a FHIR base is one that sends its chart."""
    assert registry_for(settings(tmp_path, GOOD)).is_empty
    assert gatherer_for(settings(tmp_path, GOOD)) is not None
    assert read_clients(None).clients == ()


def test_a_call_reads_the_server_of_its_caller_and_no_other(tmp_path: Path) -> None:
    """A token of one client with the server of another fetches nothing, although that server is registered."""
    patient = {"resourceType": "Patient", "id": "p1"}
    with fhir_server(patient) as ours, fhir_server(patient) as theirs:
        chosen = settings(
            tmp_path,
            GOOD | {"fhir_base": ours.base},
            {"id": "b", "issuer": "b", "jwks": key_set(signer("ES384", "b")), "fhir_base": theirs.base},
            allow_loopback_fhir=True,
            public_base_url=BASE,
        )
        client = create_app(chosen).test_client()
        for server in (theirs, ours):
            message = story()
            del message["prefetch"]["labs"]
            message |= {"fhirServer": server.base, "fhirAuthorization": AUTHORIZATION}
            reply = client.post(f"/cds-services/{SERVICE}", json=message, headers=bearer(token()))
            assert reply.status_code == 200
        assert (len(theirs.seen), len(ours.seen) > 0) == (0, True)


def test_an_unknown_service_is_told_before_there_are_workers(tmp_path: Path) -> None:
    """`serve` ends with the status of a faulty setting and one sentence, before it says where it listens."""
    path = write_clients(tmp_path, GOOD | {"services": ["canary"]})
    outcome = run("serve", changes={"CDS_CLIENTS": str(path), "CDS_STATE_FOLDER": str(tmp_path)})
    assert (outcome.status, outcome.out) == (4, "")
    assert outcome.err == "CDS_CLIENTS: clients.0.services: names a service that is not offered.\n"
