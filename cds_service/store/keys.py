"""The keys of the store, derived from one secret that stands outside the database; none is ever written or shown."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cds_service.errors import StoreError

FEWEST_BYTES = 32
_SEPARATOR = b"\x1f"
_OTHERS = 0o077


class Keys:
    """Derived keys, one per purpose, so that a digest of one purpose tells nothing of another."""

    def __init__(self, secret: bytes) -> None:
        """Derive all keys. Raises `StoreError` for a secret that could be guessed."""
        if len(secret) < FEWEST_BYTES:
            raise StoreError(f"CDS_SECRET_KEY_FILE: the file must hold at least {FEWEST_BYTES} bytes.")
        self._patient = _derived(secret, "patient")
        self._advice = _derived(secret, "advice")
        self._body = _derived(secret, "body")
        self.audit = _derived(secret, "audit")

    def __repr__(self) -> str:
        """Never print a key."""
        return "Keys(<hidden>)"

    def patient(self, client: str, patient_id: str, tenant: str | None = None) -> str:
        """Return the digest that stands for a patient of a client, and of its tenant: each counts its own ids.

        Without the secret it leads back to nobody.
        """
        whose = (client, patient_id) if tenant is None else (client, patient_id, tenant)
        return _digest(self._patient, whose)

    def body(self, body: bytes) -> str:
        """Return the digest by which the body of a call can be shown to be what an answer was given to."""
        return hmac.digest(self._body, body, "sha256").hex()

    def advice(self, parts: Iterable[str]) -> str:
        """Return the digest of what an advice rests on."""
        return _digest(self._advice, parts)


def read_keys(path: Path) -> Keys:
    """Return the keys of a secret file.

    Raises `StoreError` when it cannot be read, is too short, or may be read by other users of the machine.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise StoreError(
                "CDS_SECRET_KEY_FILE: others may read the file; take that right away (chmod 600)."
            )
        return Keys(path.read_bytes())
    except OSError as error:
        raise StoreError(f"CDS_SECRET_KEY_FILE: the file cannot be read ({type(error).__name__}).") from None


def make_secret(path: Path) -> None:
    """Write a new random secret, for its owner alone, unless there is one already: its folder may be read-only then.

    Raises `StoreError` when it can be neither found nor written.
    """
    try:
        if not path.exists():
            _write_secret(path)
    except OSError as error:
        raise StoreError(
            f"CDS_SECRET_KEY_FILE: the file is missing and cannot be made ({type(error).__name__}). Name a file "
            "in a folder that this user can write to, or put the secret there."
        ) from None


def _write_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.{os.getpid()}")
    whole.touch(mode=0o600)
    try:
        whole.write_bytes(secrets.token_bytes(FEWEST_BYTES))
        with suppress(FileExistsError):  # another process has just made one, and that one counts
            os.link(whole, path)  # all or nothing, and never over what is there
    finally:
        whole.unlink()


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"muscle-spasm-cds " + purpose.encode(), "sha256")


def _digest(key: bytes, parts: Iterable[str]) -> str:
    """Return a keyed digest of the parts, each of them first made one of fixed length, so that none can run over."""
    whole = _SEPARATOR.join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
    return hmac.digest(key, whole, "sha256").hex()
