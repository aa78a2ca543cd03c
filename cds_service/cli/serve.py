"""`cds-service serve`: checks the content once, then starts the server; it answers nothing itself."""

from __future__ import annotations

import click

from cds_service.app import load_knowledge
from cds_service.settings import Mode, Settings, read_settings


@click.command()
@click.option("--host", default=None, help="Address to listen on (default: HOST or 127.0.0.1).")
@click.option("--port", default=None, type=int, help="Port to listen on (default: PORT or 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Start the service. The content is checked first; an error in it refuses the start."""
    settings = read_settings()
    knowledge = load_knowledge(settings)
    address, number = host or settings.host, port or settings.port
    _say_where(settings, address, number, knowledge.version, list(knowledge.services))
    _run(settings, address, number)


def _say_where(settings: Settings, host: str, port: int, version: str, services: list[str]) -> None:
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    click.echo(f"Muscle spasm decision support, knowledge {version}, {settings.mode.value} mode")
    click.echo(f"  discovery  {base}/cds-services")
    for name in services:
        click.echo(f"  service    {base}/cds-services/{name}")
    click.echo(f"  about      {base}/about")
    click.echo(f"  health     {base}/health/ready")
    if settings.mode is Mode.DEVELOPMENT:
        click.echo("Development mode: any client may call. Stop with Ctrl-C.")


def _run(settings: Settings, host: str, port: int) -> None:
    from granian import Granian  # noqa: PLC0415 - only the serving command needs the server
    from granian.constants import Interfaces  # noqa: PLC0415 - as above

    Granian(
        "cds_service.app:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        factory=True,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()
