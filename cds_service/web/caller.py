"""Says who is calling: the one place that the rest of the web layer asks; it checks no credentials."""

from __future__ import annotations

from flask import g

from cds_service.trust.callers import Caller


def be_called_by(caller: Caller) -> None:
    """Keep who is calling, for as long as the request is being answered."""
    g.caller = caller


def current_caller() -> Caller:
    """Return who is calling; anybody, as long as nobody was identified."""
    known: Caller = g.get("caller") or Caller()
    return known


def caller_id() -> str:
    """Return the id of the client whose request is being answered."""
    return current_caller().client_id
