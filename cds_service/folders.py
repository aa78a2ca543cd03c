"""Where content, cache and state stand when no setting says otherwise; it makes no folder."""

from __future__ import annotations

import os
from pathlib import Path


def default_cards_folder() -> Path:
    """Return the content of the installed package, or of the source checkout."""
    package = Path(__file__).parent
    installed = package / "_cards"
    return installed if installed.is_dir() else package.parent / "cards"


def default_proven_folder() -> Path:
    """Return the user's folder for what can be made again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "muscle-spasm-cds"


def default_state_folder() -> Path:
    """Return the user's folder for what must be kept."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "muscle-spasm-cds"


def default_samples_folder() -> Path:
    """Return the stories of the source checkout; an installed package has none."""
    return Path(__file__).parent.parent / "fhir_samples"
