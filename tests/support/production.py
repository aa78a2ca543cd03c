"""The settings that a production service needs at least, with clients, a store and a secret; it starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from cds_service.store.database import Database
from cds_service.store.schema import migrate
from tests.support.tokens import ISSUER, bearer, claims, key_set, signer, token

PUBLIC = "https://cds.example.org"
ORIGINS = "https://ehr.example.org, https://b.example"
CLIENT = {"id": "hospital", "issuer": ISSUER}


def write_clients(folder: Path, *clients: Mapping[str, Any]) -> Path:
    """Return a file with these clients; a member that is None is left out."""
    path = folder / "clients.yaml"
    kept = [{name: value for name, value in one.items() if value is not None} for one in clients]
    path.write_bytes(orjson.dumps({"clients": kept}))  # JSON is YAML
    return path


def production_environment(folder: Path, *, public: str = PUBLIC) -> dict[str, str]:
    """Return the environment of a safe production service whose store, made here, stands in `folder`."""
    secret = folder / "production.key"
    secret.write_bytes(b"a secret of nobody, for tests only")
    secret.chmod(0o600)
    url = f"sqlite:///{folder / 'production.sqlite3'}"
    database = Database(url)
    migrate(database)
    database.close()
    return {
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": public,
        "CDS_ALLOWED_ORIGINS": ORIGINS,
        "CDS_SECRET_KEY_FILE": str(secret),
        "CDS_CLIENTS": str(write_clients(folder, CLIENT | {"jwks": key_set(signer())})),
        "DATABASE_URL": url,
    }


def authorized(path: str, *, public: str = PUBLIC) -> dict[str, str]:
    """Return the header with which the one client of that service calls a path, good for one call."""
    return bearer(token(claims(aud=f"{public}{path}")))
