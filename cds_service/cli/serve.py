"""`cds-service serve`: checks the content once, then starts the server; it answers nothing itself."""

from __future__ import annotations

import ctypes
import logging
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cds_service.app import THREADS, load_knowledge, store_for
from cds_service.cli import metrics_server
from cds_service.clients import Clients
from cds_service.errors import SettingsError
from cds_service.registrations import clients_for
from cds_service.settings import Mode, Settings, read_settings
from cds_service.web import log_lines
from cds_service.web.metrics import FOLDER_VARIABLE

_HEADERS_WITHIN_MS = 10_000
_STOPS_WITHIN_S = 4
_MOST_HEADER_BYTES = 64 * 1024
_LOGS_OF_THE_SERVER = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}},
}
"""What the server logs goes the way of everything else that is logged."""

_MALLOC = {"M_TRIM_THRESHOLD": (-1, 262_144), "M_MMAP_THRESHOLD": (-3, 262_144), "M_ARENA_MAX": (-8, 2)}
"""Name in malloc.h → its number and value: large bodies go back to the system, many threads share two pools."""


@click.command()
@click.option("--host", default=None, help="Address to listen on (default: HOST or 127.0.0.1).")
@click.option("--port", default=None, type=int, help="Port to listen on (default: PORT or 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Start the service. The content is checked first; an error in it refuses the start."""
    for variable, value in (("HOST", host), ("PORT", port)):
        if value is not None:  # the worker processes read the environment too, and cards name the address
            os.environ[variable] = str(value)
    settings = read_settings()
    _limit_memory()
    _prove(settings)
    _run(settings)


def _limit_memory() -> None:
    """Tune the C library's allocator, for the workers too, which are forked; another library than glibc has no need."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _MALLOC.values():
            mallopt(parameter, value)


def _prove(settings: Settings) -> None:
    """Check the content and say where it is served; its memory is free again afterwards, for the workers to use."""
    knowledge = load_knowledge(settings)
    clients = clients_for(
        settings, knowledge.services
    )  # a fault in the file is told here, before there are workers
    store_for(settings).close()  # made and migrated once, before there are workers
    _require_free(settings.host, settings.port, "HOST or PORT")
    if settings.metrics_bind:
        _require_free(*metrics_server.address_of(settings.metrics_bind), "CDS_METRICS_BIND")
    _say_where(settings, knowledge.version, list(knowledge.services))
    _say_who(settings, clients)
    for change in knowledge.site_changes:
        click.echo(f"  site overlay  {change}")


def _require_free(host: str, port: int, setting: str) -> None:
    """Refuse an address that is taken: the server itself would share it silently with whoever listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror or "it is not an address of this machine"
        raise SettingsError(f"Cannot listen on {host}:{port}: {reason}. Choose another {setting}.") from None


def _say_where(settings: Settings, version: str, services: list[str]) -> None:
    base = settings.listening_url
    click.echo(f"Muscle spasm decision support, knowledge {version}, {settings.mode.value} mode")
    click.echo(f"  discovery  {base}/cds-services")
    for name in services:
        click.echo(f"  service    {base}/cds-services/{name}")
    click.echo(f"  about      {base}/about")
    click.echo(f"  health     {base}/health/ready")
    if settings.metrics_bind:
        click.echo(f"  metrics    http://{settings.metrics_bind}/metrics")
    if settings.has_sandbox:
        click.echo(f"  sandbox    {base}/sandbox")


def _say_who(settings: Settings, clients: Clients) -> None:
    for client in clients.clients:
        if client.issuer is not None:
            click.echo(f"  client     {client.id}")
    who = "any client may call" if settings.is_open else "only registered clients may call"
    if settings.mode is Mode.DEVELOPMENT:
        click.echo(f"Development mode: {who}. Stop with Ctrl-C.")


def _run(settings: Settings) -> None:
    """Serve until the process is asked to end; the folder that the workers share lives as long."""
    log_lines.install(settings.logs_as)
    with TemporaryDirectory(prefix="cds-service-") as name:
        folder = Path(name)
        figures = folder / "metrics"
        figures.mkdir()
        os.environ["CDS_RUN_FOLDER"] = name
        os.environ[FOLDER_VARIABLE] = str(figures)
        if settings.metrics_bind:
            metrics_server.start(settings.metrics_bind)
        _serve(settings, folder)


def _serve(settings: Settings, folder: Path) -> None:
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 - only the serving command needs the server
    from granian.http import HTTP1Settings  # noqa: PLC0415 - as above
    from granian.log import LogLevels  # noqa: PLC0415 - as above

    from cds_service.cli.draining_server import DrainingServer  # noqa: PLC0415 - as above

    # The server advises against that many threads; why there are so many is told where they are counted.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    server = DrainingServer(
        "cds_service.app:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADERS_WITHIN_MS, max_buffer_size=_MOST_HEADER_BYTES
        ),
        websockets=False,
        workers=settings.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=_STOPS_WITHIN_S,
        factory=True,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=_LOGS_OF_THE_SERVER,
        respawn_failed_workers=True,
    )
    server.drain_first(folder, settings.drains_seconds)
    server.serve()
