"""`cds-service serve`: checks the content once, then starts the server; it answers nothing itself."""

from __future__ import annotations

import ctypes
import logging
import os
import socket

import click

from cds_service.app import load_knowledge
from cds_service.errors import SettingsError
from cds_service.settings import Mode, Settings, read_settings

_HEADERS_WITHIN_MS = 10_000
_STOPS_WITHIN_S = 5
_THREADS = 256
"""Per worker: a client that sends its body slowly holds one thread, so there are many more than the work needs."""


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
    _require_free(settings)
    _say_where(settings, knowledge.version, list(knowledge.services))
    for change in knowledge.site_changes:
        click.echo(f"  site overlay  {change}")


def _require_free(settings: Settings) -> None:
    """Refuse an address that is taken: the server itself would share it silently with whoever listens there."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        reason = error.strerror or "it is not an address of this machine"
        raise SettingsError(
            f"Cannot listen on {settings.host}:{settings.port}: {reason}. Choose another HOST or PORT."
        ) from None


def _say_where(settings: Settings, version: str, services: list[str]) -> None:
    base = settings.listening_url
    click.echo(f"Muscle spasm decision support, knowledge {version}, {settings.mode.value} mode")
    click.echo(f"  discovery  {base}/cds-services")
    for name in services:
        click.echo(f"  service    {base}/cds-services/{name}")
    click.echo(f"  about      {base}/about")
    click.echo(f"  health     {base}/health/ready")
    if settings.has_sandbox:
        click.echo(f"  sandbox    {base}/sandbox")
    if settings.mode is Mode.DEVELOPMENT:
        click.echo("Development mode: any client may call. Stop with Ctrl-C.")


def _run(settings: Settings) -> None:
    # The server advises against that many threads; why there are so many is told above.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())

    from granian import Granian  # noqa: PLC0415 - only the serving command needs the server
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 - as above
    from granian.http import HTTP1Settings  # noqa: PLC0415 - as above

    Granian(
        "cds_service.app:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADERS_WITHIN_MS),
        websockets=False,
        workers=settings.workers,
        blocking_threads=_THREADS,
        workers_kill_timeout=_STOPS_WITHIN_S,
        factory=True,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()
