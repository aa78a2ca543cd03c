"""`cds-service serve`: what it says, when it refuses to start, and how it stops."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cds_service.cli import main as command_line
from cds_service.errors import SettingsError
from cds_service.settings import Mode, read_settings
from tests.functional.commands import run
from tests.functional.server import LiveServer, clean_environment
from tests.support.places import CARDS, ROOT, SAMPLES
from tests.support.production import authorized, production_environment

SERVICES = ("muscle-spasm-problem", "muscle-spasm-patient-view")
SAMPLE = (SAMPLES / "overactive-thyroid" / "request.json").read_bytes()
STOPS_WITHIN_S = 8


def _get(server: LiveServer, path: str) -> tuple[int, bytes]:
    connection = server.connection()
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def _source(server: LiveServer, headers: dict[str, str] | None = None) -> str:
    connection = server.connection()
    try:
        path = f"/cds-services/{SERVICES[0]}"
        connection.request("POST", path, SAMPLE, {"Content-Type": "application/json", **(headers or {})})
        url: str = json.loads(connection.getresponse().read())["cards"][0]["source"]["url"]
        return url
    finally:
        connection.close()


def test_it_says_where_everything_is(live_server: LiveServer) -> None:
    """At the start it prints the knowledge version, the mode and the address of each service, and no warning."""
    base = f"http://127.0.0.1:{live_server.port}"
    for name in SERVICES:
        assert f"{base}/cds-services/{name}" in live_server.printed
    for path in ("/cds-services", "/about", "/health/ready"):
        assert f"{base}{path}" in live_server.printed
    assert "development mode" in live_server.printed
    assert "WARNING" not in live_server.printed


def test_live_and_ready(live_server: LiveServer) -> None:
    """Both health routes answer, and readiness names the knowledge that is being used."""
    assert _get(live_server, "/health/live") == (200, b'{"status":"live"}')
    status, body = _get(live_server, "/health/ready")
    ready = json.loads(body)
    assert (status, ready["status"]) == (200, "ready")
    assert ready["knowledge_version"] in live_server.printed


def test_an_address_given_by_options_is_the_one_that_cards_name(tmp_path: Path) -> None:
    """`--host` and `--port` overrule the environment everywhere, and the idle process stops at once."""
    server = LiveServer(tmp_path / "server.log", by_options=True)
    assert _source(server) == f"http://127.0.0.1:{server.port}/about"
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 3
    with socket.create_server(("127.0.0.1", server.port)):
        pass


def test_production_with_two_workers_stops_in_spite_of_slow_clients(tmp_path: Path) -> None:
    """In production cards name the public address, and neither a half-sent body nor an idle client delays the end."""
    server = LiveServer(
        tmp_path / "server.log",
        {
            **production_environment(tmp_path, public="https://cds.example.org/"),
            "WORKERS": "2",
            "CDS_DRAIN_SECONDS": "1",
        },
    )
    token = authorized(f"/cds-services/{SERVICES[0]}")
    assert _source(server, token) == "https://cds.example.org/about"
    assert "production mode" in server.printed
    idle = server.connection()
    idle.request("GET", "/health/live")
    idle.getresponse().read()
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        head = f"POST /cds-services/{SERVICES[0]} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        slow.sendall(head.encode() + b"Content-Length: 1000\r\n\r\n{")
        time.sleep(0.2)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
    idle.close()


def test_a_taken_address_is_refused(live_server: LiveServer) -> None:
    """A second service on the same port refuses to start, instead of sharing the calls with the first."""
    outcome = run("serve", "--port", str(live_server.port))
    assert outcome.status == 4
    assert f"127.0.0.1:{live_server.port}" in outcome.err
    assert "Choose another HOST or PORT" in outcome.err


@pytest.mark.parametrize(
    ("options", "named"),
    [(["--port", "0"], "PORT"), (["--port", "70000"], "PORT"), (["--host", "192.0.2.1"], "")],
)
def test_an_unusable_address_is_refused(options: list[str], named: str) -> None:
    """A port out of range, or an address of another machine, ends with status 4 and says which setting it is."""
    outcome = run("serve", *options)
    assert outcome.status == 4, outcome
    assert named in outcome.err
    assert "Traceback" not in outcome.err


@pytest.fixture
def broken_cards(tmp_path: Path) -> Path:
    """Return a copy of the content in which one cause names a finding that does not exist."""
    folder = tmp_path / "cards"
    shutil.copytree(CARDS, folder)
    cause = min((folder / "causes").glob("*.yaml"))
    lines = cause.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if "finding:" in line)
    lines[place] = lines[place].partition("finding:")[0] + "finding: no-such-finding"
    cause.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "where").write_text(f"causes/{cause.name}:{place + 1}", encoding="utf-8")
    return folder


def test_broken_content_refuses_the_start(broken_cards: Path) -> None:
    """The service does not start on content with an error: status 3, and the file and line to mend."""
    outcome = run("serve", "--port", "1", changes={"CDS_CARDS_FOLDER": str(broken_cards)})
    assert outcome.status == 3, outcome
    assert (broken_cards.parent / "where").read_text(encoding="utf-8") in outcome.err
    assert "no-such-finding" in outcome.err
    assert "Traceback" not in outcome.err


def test_check_names_the_fault_and_ends_with_1(broken_cards: Path) -> None:
    """`check` prints `file:line` for the fault, counts the errors and ends with status 1."""
    outcome = run("check", broken_cards)
    assert outcome.status == 1, outcome
    where = (broken_cards.parent / "where").read_text(encoding="utf-8")
    assert any(line.startswith(f"cards/{where}") and "[" in line for line in outcome.out.splitlines())
    assert "0 errors" not in outcome.out
    assert outcome.err == ""


def test_check_accepts_the_shipped_content() -> None:
    """The content that ships has no error: status 0, with the number of codes, of examples, and the version."""
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "")
    assert "0 errors" in outcome.out
    (codes,) = [line for line in outcome.out.splitlines() if line.startswith("codes: ")]
    assert all(f" {system}" in codes for system in ("SNOMED CT", "LOINC", "ICD-10-CM", "RxNorm"))
    assert codes.endswith(" with a display that is not official")
    assert "examples hold; knowledge version" in outcome.out


@pytest.mark.parametrize("what", ["a missing folder", "an empty folder", "a folder with one half file"])
def test_a_folder_without_usable_content_refuses_the_start(tmp_path: Path, what: str) -> None:
    """Content that is not there, empty or torn is told, with status 3."""
    folder = tmp_path / "content"
    if what != "a missing folder":
        (folder / "causes").mkdir(parents=True)
    if "half" in what:
        (folder / "causes" / "torn.yaml").write_text("id: torn\ntitle: [", encoding="utf-8")
    outcome = run("serve", changes={"CDS_CARDS_FOLDER": str(folder)})
    assert outcome.status == 3, outcome
    assert "content" in outcome.err
    assert "Traceback" not in outcome.err


BAD_SETTINGS: list[tuple[str, str, str]] = [
    ("CDS_MODE", "prod", ""),
    ("CDS_MODE", "", ""),
    ("CDS_MODE", "Production", ""),
    ("PORT", "0", ""),
    ("PORT", "65536", ""),
    ("PORT", "http", ""),
    ("WORKERS", "0", ""),
    ("WORKERS", "many", ""),
    ("CDS_MOST_BODY_BYTES", "10", ""),
    ("CDS_MOST_BODY_BYTES", str(21 * 1024 * 1024), ""),
    ("CDS_PUBLIC_BASE_URL", "cds.example.org", ""),
    ("CDS_PUBLIC_BASE_URL", "ftp://cds.example.org", ""),
    ("CDS_PUBLIC_BASE_URL", "https://", ""),
    ("CDS_PUBLIC_BASE_URL", "https://user:secret@cds.example.org", "secret"),
    ("CDS_PUBLIC_BASE_URL", "https://cds.example.org/?a=b", ""),
    ("CDS_PUBLIC_BASE_URL", "https://cds.example.org/)[x](", ""),
    ("CDS_ALLOWED_ORIGINS", "ehr.example.org", ""),
    ("CDS_ALLOWED_ORIGINS", "null", ""),
    ("CDS_ALLOWED_ORIGINS", "https://ehr.example.org/path", ""),
    ("CDS_ALLOWED_ORIGINS", "https://*.example.org", ""),
    ("CDS_METRICS_TOKEN", "short-secret", "short-secret"),
    ("CDS_METRICS_BIND", "9464", ""),
    ("CDS_METRICS_BIND", "127.0.0.1:0", ""),
    ("CDS_METRICS_BIND", "http://127.0.0.1:9464", ""),
    ("CDS_LOG_FORMAT", "xml", ""),
    ("CDS_DRAIN_SECONDS", "-1", ""),
    ("CDS_DRAIN_SECONDS", "61", ""),
    ("CDS_MOST_IN_FLIGHT", "0", ""),
    ("CDS_CALLS_PER_MINUTE", "-1", ""),
    ("CDS_AUDIT_REQUIRED", "perhaps", ""),
]


def _set(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("name", "value", "secret"), BAD_SETTINGS)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str) -> None:
    """A setting that cannot be used is named by its variable, and its value is not printed."""
    _set(monkeypatch, {name: value})
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert name in refused.value.text
    assert not secret or secret not in refused.value.text


UNSAFE: list[tuple[str, str | None]] = [
    ("CDS_SECRET_KEY_FILE", None),
    ("CDS_SECRET_KEY_FILE", ""),
    ("CDS_CLIENTS", None),
    ("CDS_CLIENTS", ""),
    ("CDS_OPEN", "true"),
    ("CDS_TRUST_PUBLIC_SANDBOX", "true"),
    ("CDS_ALLOW_LOOPBACK_FHIR", "true"),
    ("FLASK_DEBUG", "1"),
    ("CDS_SANDBOX", "true"),
    ("CDS_PUBLIC_BASE_URL", None),
    ("CDS_PUBLIC_BASE_URL", ""),
    ("CDS_PUBLIC_BASE_URL", "http://cds.example.org"),
    ("CDS_PUBLIC_BASE_URL", "http://127.0.0.1:8000"),
    ("CDS_PUBLIC_BASE_URL", "HTTPS//cds.example.org"),
    ("CDS_ALLOWED_ORIGINS", None),
    ("CDS_ALLOWED_ORIGINS", "*"),
    ("CDS_ALLOWED_ORIGINS", "https://ehr.example.org, *"),
    ("CDS_ALLOWED_ORIGINS", "http://ehr.example.org"),
    ("CDS_ALLOWED_ORIGINS", "http://localhost:3000"),
    ("CDS_ALLOWED_ORIGINS", "https://ehr.example.org,http://ehr.example.org"),
    ("CDS_ALLOWED_ORIGINS", "null"),
]


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_production_refuses_what_is_unsafe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str | None
) -> None:
    """In production each unsafe setting is refused by name; the safe ones beside it are not the reason."""
    safe = production_environment(tmp_path)
    _set(monkeypatch, safe)
    assert read_settings().mode is Mode.PRODUCTION
    _set(monkeypatch, {key: kept for key, kept in {**safe, name: value}.items() if kept is not None})
    with pytest.raises(SettingsError, match=name):
        read_settings()


def test_production_refuses_a_secret_that_others_may_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A secret file that is open to other users of the machine is refused by the name of its setting."""
    _set(monkeypatch, production_environment(tmp_path))
    (tmp_path / "production.key").chmod(0o640)
    with pytest.raises(SettingsError, match=r"CDS_SECRET_KEY_FILE must be closed"):
        read_settings()


def test_unsafe_production_does_not_start() -> None:
    """The command ends with status 4 and names every setting that is missing, without a trace."""
    outcome = run("serve", changes={"CDS_MODE": "production"})
    assert outcome.status == 4
    assert "CDS_PUBLIC_BASE_URL" in outcome.err
    assert "CDS_ALLOWED_ORIGINS" in outcome.err
    assert "CDS_SECRET_KEY_FILE" in outcome.err
    assert "Traceback" not in outcome.err


def test_production_without_its_store_does_not_start(tmp_path: Path) -> None:
    """A lost store is not quietly replaced by an empty one: status 5, and what to do; `migrate` makes a new one."""
    settings = {**production_environment(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'lost.sqlite3'}"}
    outcome = run("serve", changes=settings)
    assert outcome.status == 5
    assert outcome.err == (
        "DATABASE_URL: there is no store. Make one with `cds-service migrate`, or put the lost one back.\n"
    )
    assert run("migrate", changes=settings).out == "The store is now of this release (0001; before: none).\n"
    assert run("migrate", changes=settings).out == "The store is of this release already (0001).\n"


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - only written down, nothing listens
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_development_has_an_address_that_a_browser_can_open(
    monkeypatch: pytest.MonkeyPatch, host: str, base: str
) -> None:
    """Cards made in development name an address of this machine, never the wildcard that is listened on."""
    _set(monkeypatch, {"HOST": host})
    assert read_settings().base_url == base


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("port", ["8000", "9123"])
def test_make_run_names_the_command(port: str) -> None:
    """`make run` is `cds-service serve`, with the port that was asked for."""
    command = ["make", "--no-print-directory", "-n", "run", f"PORT={port}"]
    shown = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert "cds-service serve" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "shown"),
    [
        (["--help"], 0, ("serve", "check", "replay")),
        (["--version"], 0, ("cds-service",)),
        (["nonsense"], 2, ()),
    ],
)
def test_the_command_explains_itself(
    arguments: list[str],
    status: int,
    shown: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--help` lists the commands, `--version` names the product, and an unknown command is a usage error."""
    monkeypatch.setattr(sys, "argv", ["cds-service", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == status
    printed = capsys.readouterr().out
    assert all(words in printed for words in shown)


@pytest.mark.parametrize("name", ["CDS_FEEDBACK_DAYS", "CDS_QUIET_DAYS"])
def test_shown_cards_are_kept_as_long_as_what_rests_on_them(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without its card an answer would count as unknown, and an advice as never shown."""
    _set(monkeypatch, {"CDS_SHOWN_DAYS": "365", name: "365"})
    assert read_settings().shown_days == 365
    _set(monkeypatch, {"CDS_SHOWN_DAYS": "364", name: "365"})
    with pytest.raises(SettingsError, match="CDS_SHOWN_DAYS must not be less"):
        read_settings()
