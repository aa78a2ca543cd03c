"""The HTTP server with an end in two steps: first it says that it is not ready and goes on answering, then it stops."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from granian.server.mp import MPServer

from cds_service.web.lifecycle import begin_draining


class DrainingServer(MPServer):
    """Granian, which on a signal stops at once; a load balancer needs a while to notice and send calls elsewhere."""

    _folder: Path | None = None
    _seconds: float = 0.0
    _is_draining = False

    def drain_first(self, folder: Path, seconds: float) -> None:
        """Tell the workers through `folder` and go on for `seconds` when the process is asked to end."""
        self._folder, self._seconds = folder, seconds

    def signal_handler_interrupt(self, *_signal: Any, **_named: Any) -> None:
        """Begin to drain; a second signal, or no time to drain, stops at once."""
        if self._folder is None or self._is_draining or not self._seconds:
            self._stop()
            return
        self._is_draining = True
        begin_draining(self._folder)
        timer = threading.Timer(self._seconds, self._stop)
        timer.daemon = True
        timer.start()

    def _stop(self) -> None:
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # the library leaves it untyped
