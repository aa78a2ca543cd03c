"""Says who is calling: the one place that the rest of the web layer asks; it checks no credentials."""

from __future__ import annotations

ANYBODY = "anonymous"
"""The client of a service that does not authenticate: then all callers are one client."""


def caller_id() -> str:
    """Return the id of the client whose request is being answered."""
    return ANYBODY
