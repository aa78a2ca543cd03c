"""Serves the figures of all workers on an address of their own, from a process of its own; it counts nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cds_service.web.metrics import own_server_app

_LOOKS_EVERY_S = 1.0


def address_of(bind: str) -> tuple[str, int]:
    """Return host and port of a checked `host:port`."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def start(bind: str) -> None:
    """Start the process; it ends with this one."""
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(*address_of(bind), os.getpid()), name="cds-metrics", daemon=True
    )
    process.start()


class _Quiet(WSGIRequestHandler):
    """Does without a log of its own."""

    def log_message(self, *_words: object) -> None:
        """Write nothing: scrapes are many and all alike."""


def _serve(host: str, port: int, parent: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in a terminal is for the parent, which ends this process
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with make_server(host, port, own_server_app, server_class=WSGIServer, handler_class=_Quiet) as server:
        server.serve_forever()


def _end_with(parent: int) -> None:
    """End when the parent has gone without being able to say so."""
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(0)
