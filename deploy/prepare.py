"""Makes, once, what the stack must not carry in its files: a secret, a password, a certificate for the gateway.

Run by the `prepare` job of docker-compose.yml before everything else. What is there already is left as it is.
"""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GATEWAY = "fhir.stack.internal"
_YEARS = timedelta(days=3650)


def main(keys: Path, tls: Path) -> None:
    """Write the secret and the passwords into `keys`, key and certificate of the gateway into `tls`."""
    password = _kept(keys / "postgres-password", secrets.token_urlsafe(32))
    _kept(keys / "pgpass", f"database:5432:cds:cds:{password}")
    _kept(keys / "secret.key", secrets.token_urlsafe(48))
    if not (tls / "gateway.pem").exists():
        _make_certificate(tls)


def _kept(path: Path, text: str) -> str:
    """Return what the file holds; without one it is made, for its owner alone."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
    return path.read_text("utf-8")


def _make_certificate(tls: Path) -> None:
    """Write a certificate that signs itself, and its key, readable for the gateway, which runs as somebody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, GATEWAY)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(GATEWAY)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tls / "gateway.key").write_bytes(written)
    (tls / "gateway.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
