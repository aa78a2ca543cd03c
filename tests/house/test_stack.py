"""The stack of docker-compose.yml keeps its promises: no secret, fixed versions, health, few rights; starts nothing."""

from __future__ import annotations

import re
import runpy
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.clients import read_clients
from cds_service.settings import Settings
from cds_service.store.database import read_url
from cds_service.store.keys import read_keys

ROOT = Path(__file__).parents[2]
STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
JOBS = {name for name, service in SERVICES.items() if service["restart"] == "no"}
OURS = {name for name, service in SERVICES.items() if service["image"] == "muscle-spasm-cds"}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
GATEWAY = (ROOT / "deploy" / "gateway.conf").read_text("utf-8")
CDS_NAME = "cds.stack.internal"
FIXED = re.compile(r"[\w./-]+:v?\d+\.\d+[\w.-]*")
FORBIDDEN_WORDS = re.compile(r"(?i)(password|secret|token|api_?key)\b(?!_file)")


def walk(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return every text of the file with its path."""
    if isinstance(value, Mapping):
        return [one for name, member in value.items() for one in walk(member, f"{path}.{name}")]
    if isinstance(value, list):
        return [one for number, member in enumerate(value) for one in walk(member, f"{path}.{number}")]
    return [(path, str(value))]


def test_there_is_everything_that_the_stack_is_for() -> None:
    """Two instances, a database, a FHIR server, a front, and the jobs that prepare, migrate, load and tell."""
    assert {*SERVICES} == {
        *("cds-a", "cds-b", "database", "fhir", "proxy"),
        *("prepare", "migrate", "load", "ready"),
    }
    assert {"prepare", "migrate", "load", "ready"} == JOBS


def test_no_secret_stands_in_the_file() -> None:
    """No variable holds a password, and no address has one in it."""
    for path, text in walk(STACK):
        assert not FORBIDDEN_WORDS.search(path.rpartition(".")[2]), path
        assert not re.search(r"://[^/@:]+:[^/@]+@", text), path
    assert not read_url(SERVICES["cds-a"]["environment"]["DATABASE_URL"]).password


@pytest.mark.parametrize("name", sorted(set(SERVICES) - OURS))
def test_images_of_others_are_fixed_to_a_version(name: str) -> None:
    """No image moves under the same name: each has a version, none is `latest`."""
    assert FIXED.fullmatch(SERVICES[name]["image"]), SERVICES[name]["image"]


def test_the_base_image_is_fixed_to_a_version() -> None:
    """The image of the service starts from one version of Python, given once."""
    assert re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE) == [
        "python:3.11.15-slim-bookworm"
    ]
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_as_few_rights_as_it_can(name: str) -> None:
    """No rights of root but those that the database needs to hand over its folder, no new ones, a cap on memory."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit"} <= set(service)
    assert not {"privileged", "pid", "ipc", "userns_mode", "devices"} & set(service)
    assert set(service.get("cap_add", ())) == (
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} if name == "database" else set()
    )
    if name in OURS or name == "proxy":
        assert service["read_only"] is True


def test_only_the_front_can_be_reached_and_only_from_this_machine() -> None:
    """One port is open, on loopback; the database is on a network that leads nowhere."""
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["127.0.0.1:8080:8080"]
    }
    assert STACK["networks"]["data"]["internal"] is True
    assert SERVICES["database"]["networks"] == ["data"]


def test_what_serves_is_watched() -> None:
    """Every service that stays up has a health check, but for the FHIR server, for which a job stands in."""
    watched = {name for name in set(SERVICES) - JOBS if "healthcheck" in SERVICES[name]}
    assert set(SERVICES) - JOBS - OURS - watched == {"fhir"}
    assert "HEALTHCHECK" in DOCKERFILE
    assert SERVICES["load"]["depends_on"]["fhir"]
    assert "--wait" in SERVICES["load"]["command"]


def test_the_database_is_asked_where_the_others_ask_it() -> None:
    """Over TCP: while the image makes a database it serves on its socket alone, and whoever waited would be refused."""
    assert "--host=127.0.0.1" in SERVICES["database"]["healthcheck"]["test"]


def test_everything_waits_for_what_it_needs() -> None:
    """Secrets, then the database, then its tables, then the instances, then the front, then the last word."""
    needs = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    assert needs["database"] == {"prepare"}
    assert needs["migrate"] == {"database"}
    assert needs["cds-a"] == needs["cds-b"] == {"migrate"}
    assert {"cds-a", "cds-b"} <= needs["proxy"]
    assert needs["ready"] == {"proxy", "load"}


def test_both_instances_share_their_state() -> None:
    """One database, one secret, one file of clients; nothing is kept in an instance."""
    first, second = SERVICES["cds-a"], SERVICES["cds-b"]
    assert first["environment"] == second["environment"]
    assert first["environment"]["DATABASE_URL"].startswith("postgresql://")
    assert all(volume.endswith(":ro") for volume in first["volumes"])


def test_every_setting_is_one_that_the_service_knows() -> None:
    """A misspelt variable would be passed over in silence."""
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL", "PGPASSFILE"}
    assert set(SERVICES["cds-a"]["environment"]) <= known


def test_the_image_runs_as_nobody_special() -> None:
    """The last stage has a user of its own, no compiler and no installer."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER cds$", last, re.MULTILINE)
    assert "pip" not in last
    assert "--require-hashes" in DOCKERFILE
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"


def test_the_secrets_are_made_once_and_serve(tmp_path: Path) -> None:
    """What the first job makes is what the others read: keys, a password in both its places, a certificate."""
    keys, tls = tmp_path / "keys", tmp_path / "tls"
    keys.mkdir()
    tls.mkdir()
    prepare = runpy.run_path(str(ROOT / "deploy" / "prepare.py"))
    prepare["main"](keys, tls)
    before = {path.name: path.read_bytes() for path in [*keys.iterdir(), *tls.iterdir()]}
    prepare["main"](keys, tls)
    assert before == {path.name: path.read_bytes() for path in [*keys.iterdir(), *tls.iterdir()]}
    read_keys(keys / "secret.key")
    assert before["pgpass"].decode() == f"database:5432:cds:cds:{before['postgres-password'].decode()}"
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls / "gateway.pem", tls / "gateway.key")


def test_the_front_passes_on_the_host_with_its_port() -> None:
    """The sandbox answers its own pages alone, and knows them by their Origin, which has the port."""
    (front, _server) = re.findall(r"server \{(.*?)^\}", GATEWAY, re.DOTALL | re.MULTILINE)
    assert "proxy_set_header Host $http_host;" in front
    assert "listen 8080;" in front


def test_the_front_looks_names_up_again() -> None:
    """A container made anew has another address: a name that stands in `proxy_pass` itself is looked up only once."""
    targets = re.findall(r"proxy_pass (\S+);", GATEWAY)
    named = dict(re.findall(r"set (\$\w+) (http://\S+);", GATEWAY))
    assert [named[target] for target in targets] == [f"http://{CDS_NAME}:8000", "http://fhir:8080"]
    assert re.search(r"^resolver 127\.0\.0\.11 valid=\ds", GATEWAY, re.MULTILINE)
    assert not re.search(r"^upstream ", GATEWAY, re.MULTILINE)


def test_both_instances_answer_to_the_name_that_the_front_calls() -> None:
    """Calls are spread over what the name leads to; the tables are made beside them, where nobody calls."""
    for name in ("cds-a", "cds-b"):
        assert SERVICES[name]["networks"]["front"]["aliases"] == [CDS_NAME]
    assert SERVICES["migrate"]["networks"] == ["data"]


def test_the_front_leaves_an_instance_that_is_gone_in_time() -> None:
    """Both tries together take less than the service itself may take for an answer."""
    (milliseconds,) = re.findall(r"proxy_connect_timeout (\d+)ms;", GATEWAY)
    assert 2 * int(milliseconds) / 1_000 < Settings.model_fields["deadline_seconds"].default
    assert "proxy_next_upstream error timeout;" in GATEWAY


def test_the_front_keeps_no_record_of_whose_chart_was_read() -> None:
    """The address of a search names its patient, so calls of the FHIR server are not logged."""
    (_front, server) = re.findall(r"server \{(.*?)^\}", GATEWAY, re.DOTALL | re.MULTILINE)
    assert "access_log off;" in server


def test_the_samples_are_in_the_image_and_found() -> None:
    """The page that the last line of the stack names has patients to choose."""
    assert "COPY fhir_samples /samples" in DOCKERFILE
    assert "CDS_SAMPLES_FOLDER=/samples" in DOCKERFILE


def test_the_file_of_clients_is_sound(tmp_path: Path) -> None:
    """The stack's client is read as it stands, with the certificate that the first job makes."""
    certificate = tmp_path / "gateway.pem"
    certificate.touch()
    text = (ROOT / "deploy" / "clients.yaml").read_text("utf-8").replace("/tls/gateway.pem", str(certificate))
    (tmp_path / "clients.yaml").write_text(text, "utf-8")
    (client,) = read_clients(tmp_path / "clients.yaml").clients
    assert client.fhir_base is not None
    host = client.fhir_base.removeprefix("https://").partition(":")[0]
    assert f"server_name {host};" in GATEWAY
    assert host in SERVICES["proxy"]["networks"]["front"]["aliases"]
    assert SERVICES["fhir"]["environment"]["hapi.fhir.server_address"] == client.fhir_base
