"""Keys and tokens as clients make them, well formed or as crooked as a test wants; it talks to no service."""

from __future__ import annotations

import base64
import functools
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://ehr.example.org"
OTHER_ISSUER = "https://clinic.example"
BASE = "https://cds.example.org"
SERVICE = "muscle-spasm-problem"
URL = f"{BASE}/cds-services/{SERVICE}"

JSON = dict[str, Any]
Private = ECKey | RSAKey


class Signer(NamedTuple):
    """A private key with its id and algorithm."""

    kid: str
    algorithm: str
    key: ECKey | RSAKey

    def jwk(self, **changes: Any) -> JSON:
        """Return the public key as clients publish it, changed; a member that is None is left out."""
        whole = {
            **self.key.as_dict(private=False),
            "kid": self.kid,
            "use": "sig",
            "alg": self.algorithm,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}


def signer(algorithm: str = "ES384", name: str = "one") -> Signer:
    """Return the key of this algorithm and name, always the same within a run; making RSA keys takes its time."""
    return _made(algorithm, name)


@functools.cache
def _made(algorithm: str, name: str) -> Signer:
    curves = {"ES384": "P-384", "ES256": "P-256"}
    key = ECKey.generate_key(curves[algorithm]) if algorithm in curves else RSAKey.generate_key(2048)
    return Signer(f"{algorithm}-{name}", algorithm, key)


def key_set(*signers: Signer) -> JSON:
    """Return the JWK Set of these keys."""
    return {"keys": [one.jwk() for one in signers]}


def claims(now: int | None = None, /, **changes: Any) -> JSON:
    """Return the claims of a good token, changed; a claim that is `...` is left out."""
    moment = int(time.time()) if now is None else now
    whole = {
        "iss": ISSUER,
        "aud": URL,
        "iat": moment,
        "exp": moment + 300,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def token(
    payload: Mapping[str, Any] | bytes | None = None,
    by: Signer | None = None,
    header: Mapping[str, Any] | bytes | None = None,
) -> str:
    """Return a signed token. `header` changes members of a good header (`...` leaves one out), or is all of it."""
    by = by or signer()
    body = (
        payload
        if isinstance(payload, bytes)
        else json.dumps(claims() if payload is None else payload).encode()
    )
    if isinstance(header, bytes):
        return signed(header, body, by)
    whole = {"alg": by.algorithm, "typ": "JWT", "kid": by.kid, **(header or {})}
    return signed(
        json.dumps({name: value for name, value in whole.items() if value is not ...}).encode(), body, by
    )


def signed(
    header: bytes, body: bytes, by: Signer, key: Private | None = None, algorithm: str | None = None
) -> str:
    """Return header and body as they are, with a signature over both, by any key and algorithm."""
    name = algorithm or by.algorithm
    model = jws.JWSRegistry(algorithms=[name]).get_alg(name)
    text = f"{encoded(header)}.{encoded(body)}"
    return f"{text}.{encoded(model.sign(text.encode(), key or by.key))}"


def encoded(part: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def signed_with_secret(header: bytes, body: bytes, hash_name: str, secret: bytes) -> str:
    """Return header and body with an HMAC over both: what a service that trusts `alg` would take for a signature."""
    text = f"{encoded(header)}.{encoded(body)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hash_name).digest())}"


def bearer(text: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {text}"}
