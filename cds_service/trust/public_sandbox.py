"""The public CDS Hooks sandbox: its issuer and its published key, with which anybody can sign; development only."""

from __future__ import annotations

from cds_service.trust.keys import KeySet, PublicKey, read_registered

ISSUER = "https://sandbox.cds-hooks.org"
JKU = "https://sandbox.cds-hooks.org/.well-known/jwks.json"
CLIENT_ID = "public-sandbox"


def sandbox_keys() -> KeySet:
    """Return the key that the sandbox publishes; the private one stands in its public repository."""
    return read_registered(
        {
            "keys": [
                {
                    "kty": "EC",
                    "use": "sig",
                    "crv": "P-384",
                    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
                    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
                    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
                    "alg": "ES384",
                }
            ]
        }
    )


def keys_of_anybody() -> tuple[PublicKey, ...]:
    """Return the keys that prove nothing, because their private halves are public."""
    return tuple(sandbox_keys())
