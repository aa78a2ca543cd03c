"""What one installation does to the content; it names places, and holds no content itself."""

from __future__ import annotations

import msgspec


class SiteChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a site overlay does to one file of the content, for example `labs/potassium`."""

    where: str
    title: str
    what: str

    def __str__(self) -> str:
        """One line for a person who checks or starts the service."""
        return f"{self.where}: {self.what}"
