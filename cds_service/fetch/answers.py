"""What comes back for a URL, and who brings it; importing it loads no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from cds_service.fetch.addresses import Base, Policy
from cds_service.fetch.limits import Allowance, Deadline


class Page(NamedTuple):
    """The bytes of one answer."""

    body: bytes


class Document(NamedTuple):
    """The bytes of one answer, and for how many seconds it says that they hold; None where it says nothing."""

    body: bytes
    max_age: int | None


class Failed(NamedTuple):
    """Why there is no answer, for the log: a word of ours, never what the server said."""

    why: str


Answer = Page | Failed


class Errand(NamedTuple):
    """What all requests for one hook call share. It never shows its token."""

    token: str | None
    deadline: Deadline
    allowance: Allowance

    def __repr__(self) -> str:
        """Never print the token."""
        return "Errand(token=<hidden>)"


class Fetcher(Protocol):
    """Brings the answers to URLs below a registered base."""

    def fetch(self, base: Base, policy: Policy, urls: Mapping[str, str], errand: Errand) -> dict[str, Answer]:
        """Return key → answer, all of them when the deadline has passed at the latest."""
        ...
