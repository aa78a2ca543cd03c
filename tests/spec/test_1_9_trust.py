"""CDS Hooks 2.0.1, section "Trusting CDS Clients": whom the service answers, and that a refusal tells nothing.

Every refused token goes to a real application. All but the ones about time are signed by the client's own key, or
would be accepted if it were not for the one thing that is wrong with them.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.tables import seen_token
from tests.spec.calls import story
from tests.support.production import write_clients
from tests.support.tokens import (
    BASE,
    ISSUER,
    OTHER_ISSUER,
    SERVICE,
    URL,
    bearer,
    claims,
    encoded,
    key_set,
    signed,
    signed_with_secret,
    signer,
    token,
)

VIEW = "muscle-spasm-patient-view"
JKU = "https://ehr.example.org/keys.json"
UNAUTHORIZED = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login",'
    b'"details":{"text":"Unauthorized"}}]}'
)
TENANTS = ["north", "south"]
ALGORITHMS = ["ES384", "RS384", "ES256", "RS256"]


def registered(folder: Path) -> Path:
    """Return a file with three clients: all algorithms; tenants and one service; the recommended algorithms alone."""
    clients = [
        {
            "id": "general",
            "issuer": ISSUER,
            "jwks": key_set(*(signer(one) for one in ALGORITHMS)),
            "algorithms": ALGORITHMS,
            "jku": JKU,
            "explanation": "brief",
        },
        {
            "id": "clinic",
            "issuer": OTHER_ISSUER,
            "jwks": key_set(signer("ES384", "clinic")),
            "tenants": TENANTS,
            "services": [SERVICE],
        },
        {"id": "plain", "issuer": "plain", "jwks": key_set(signer("ES384", "plain"))},
    ]
    return write_clients(folder, *clients)


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of the store of the application."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite3'}"


@pytest.fixture(scope="module")
def app_client(tmp_path_factory: pytest.TempPathFactory, store_url: str) -> FlaskClient:
    """Return a client of an application that answers registered clients alone."""
    chosen: dict[str, Any] = {
        "public_base_url": BASE,
        "open": False,
        "clients": registered(tmp_path_factory.mktemp("clients")),
        "allow_256_bit_algorithms": True,
        "DATABASE_URL": store_url,
    }
    return create_app(Settings(**chosen)).test_client()


def post(
    client: FlaskClient, authorization: str | None, path: str = f"/cds-services/{SERVICE}", body: bytes = b""
) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of a call; without a body it is refused once the caller is known."""
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = client.post(path, data=body, headers=headers, content_type="application/json")
    return reply.status_code, reply.data, dict(reply.headers)


KNOWN = 400
"""The answer to a caller who is known and sent no body."""


def _now() -> int:
    return int(time.time())


def _raw(**replaced: str) -> bytes:
    """Return the JSON of good claims, with the text of some members replaced."""
    members = {name: json.dumps(value) for name, value in claims().items()} | replaced
    return ("{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}").encode()


def _doubled(member: str, text: str) -> bytes:
    return _raw()[:-1] + f',"{member}":{text}}}'.encode()


def _header(**changes: Any) -> bytes:
    return json.dumps({"alg": "ES384", "typ": "JWT", "kid": signer().kid, **changes}).encode()


def _public_pem(algorithm: str) -> bytes:
    pem: bytes = signer(algorithm).key.as_pem(private=False)
    return pem


def _with_shared_key(algorithm: str, secret: bytes, kid: str) -> str:
    header = json.dumps({"alg": algorithm, "typ": "JWT", "kid": kid}).encode()
    return signed_with_secret(header, json.dumps(claims()).encode(), f"sha{algorithm[2:]}", secret)


def _unsigned(algorithm: str, signature: str = "AA") -> str:
    return f"{encoded(_header(alg=algorithm))}.{encoded(json.dumps(claims()).encode())}.{signature}"


def _parts(text: str | None = None) -> list[str]:
    return (text or token()).split(".")


def _flipped(place: int) -> str:
    """Return a good token of which one letter in the middle of a part is another one."""
    parts = _parts()
    part = parts[place]
    middle = len(part) // 2
    parts[place] = part[:middle] + ("A" if part[middle] != "A" else "B") + part[middle + 1 :]
    return ".".join(parts)


def _last_bits_set() -> str:
    """Return a good token whose claims are written in another way that decodes to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for size in range(3):
        head, body, signature = _parts(token(claims(pad="x" * size)))
        if len(body) % 4 in {2, 3}:
            other = body[:-1] + alphabet[alphabet.index(body[-1]) + 1]
            assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(body + "==")
            return f"{head}.{other}.{signature}"
    raise AssertionError


def _other_key() -> ECKey:
    return ECKey.generate_key("P-384")


def _embedded(**members: Any) -> str:
    """Return a token signed by a stranger, whose header brings the key along."""
    return signed(_header(**members), json.dumps(claims()).encode(), signer(), _other_key())


def _clinic(**changes: Any) -> str:
    return token(claims(**{"iss": OTHER_ISSUER, "tenant": "north", **changes}), signer("ES384", "clinic"))


HEADERS: dict[str, Callable[[], str | None]] = {
    "no header": lambda: None,
    "empty": lambda: "",
    "scheme alone": lambda: "Bearer",
    "scheme and space": lambda: "Bearer ",
    "token without a scheme": token,
    "Basic": lambda: "Basic " + base64.b64encode(b"a:b").decode(),
    "Digest": lambda: f"Digest {token()}",
    "JWT scheme": lambda: f"JWT {token()}",
    "Bearer twice": lambda: f"Bearer Bearer {token()}",
    "colon": lambda: f"Bearer: {token()}",
    "two spaces": lambda: f"Bearer  {token()}",
    "tab": lambda: f"Bearer\t{token()}",
    "no-break space": lambda: f"Bearer\u00a0{token()}",
    "space within": lambda: "Bearer " + ". ".join(_parts()),
    "quoted": lambda: f'Bearer "{token()}"',
    "token68 parameter": lambda: f"Bearer token={token()}",
    "two headers, as they arrive joined": lambda: f"Bearer {token()},Bearer {token()}",
    "two tokens": lambda: f"Bearer {token()} {token()}",
    "comma at the end": lambda: f"Bearer {token()},",
    "one part": lambda: "Bearer abc",
    "two parts": lambda: "Bearer " + ".".join(_parts()[:2]),
    "four parts": lambda: f"Bearer {token()}.AA",
    "five parts, as if encrypted": lambda: f"Bearer {token()}.AA.AA",
    "empty header part": lambda: "Bearer ." + ".".join(_parts()[1:]),
    "empty claims part": lambda: "Bearer {0}..{2}".format(*_parts()),
    "detached signature": lambda: "Bearer {0}..{2}".format(*_parts(token(header={"b64": False}))),
    "empty signature": lambda: "Bearer {}.{}.".format(*_parts()[:2]),
    "padding": lambda: f"Bearer {token()}==",
    "standard base64": lambda: "Bearer " + token().replace("-", "+").replace("_", "/") + "+/",
    "other bits behind the last byte": lambda: f"Bearer {_last_bits_set()}",
    "letters beyond ASCII": lambda: f"Bearer {token()}\u00e9",
    "over 8 KiB": lambda: f"Bearer {token(claims(pad='x' * 8192))}",
    "1 MB": lambda: "Bearer " + "a" * 1_000_000,
}

SIGNATURES: dict[str, Callable[[], str]] = {
    "none": lambda: _unsigned("none"),
    "None": lambda: _unsigned("None"),
    "NONE": lambda: _unsigned("NONE"),
    "nOnE with another's signature": lambda: _unsigned("nOnE", _parts()[2]),
    "none, signed": lambda: token(header={"alg": "none"}),
    "no alg": lambda: token(header={"alg": ...}),
    "alg null": lambda: token(header={"alg": None}),
    "alg as a list": lambda: token(header={"alg": ["ES384"]}),
    "alg in small letters": lambda: token(header={"alg": "es384"}),
    "alg with a space": lambda: token(header={"alg": "ES384 "}),
    "alg empty": lambda: token(header={"alg": ""}),
    "alg unknown": lambda: token(header={"alg": "XX384"}),
    "HS256 with the public key as PEM": lambda: _with_shared_key(
        "HS256", _public_pem("RS256"), signer("RS256").kid
    ),
    "HS384 with the public key as PEM": lambda: _with_shared_key("HS384", _public_pem("ES384"), signer().kid),
    "HS512 with the public key as PEM": lambda: _with_shared_key(
        "HS512", _public_pem("RS384"), signer("RS384").kid
    ),
    "HS384 with the public key as JWK": lambda: _with_shared_key(
        "HS384", json.dumps(signer().jwk()).encode(), signer().kid
    ),
    "HS256 with a short secret": lambda: _with_shared_key("HS256", b"secret", signer().kid),
    "PS384, which is not among the client's": lambda: signed(
        json.dumps({"alg": "PS384", "typ": "JWT", "kid": signer("RS384").kid}).encode(),
        json.dumps(claims()).encode(),
        signer("RS384"),
        algorithm="PS384",
    ),
    "RS512, which is not among the client's": lambda: signed(
        json.dumps({"alg": "RS512", "typ": "JWT", "kid": signer("RS384").kid}).encode(),
        json.dumps(claims()).encode(),
        signer("RS384"),
        algorithm="RS512",
    ),
    "ES256, which is not among the client's": lambda: token(claims(iss="plain"), signer("ES256")),
    "RS256, signed as RS384": lambda: token(by=signer("RS256"), header={"alg": "RS384"}),
    "RS384 named for an EC key": lambda: token(header={"alg": "RS384"}),
    "ES384 named for an RSA key": lambda: token(by=signer("RS384"), header={"alg": "ES384"}),
    "ES256 named for a P-384 key": lambda: token(header={"alg": "ES256"}),
    "key of RS384 used as RS256": lambda: signed(
        json.dumps({"alg": "RS256", "typ": "JWT", "kid": signer("RS384").kid}).encode(),
        json.dumps(claims()).encode(),
        signer("RS384"),
        algorithm="RS256",
    ),
    "one letter of the header changed": lambda: _flipped(0),
    "one letter of the claims changed": lambda: _flipped(1),
    "one letter of the signature changed": lambda: _flipped(2),
    "half a signature": lambda: ".".join([*_parts()[:2], _parts()[2][:64]]),
    "another token's signature": lambda: ".".join([*_parts()[:2], _parts(token())[2]]),
    "a signature of zeros": lambda: ".".join([*_parts()[:2], encoded(bytes(96))]),
    "a DER signature": lambda: ".".join(
        [*_parts()[:2], encoded(b"0d\x020" + b"\x01" * 48 + b"\x020" + b"\x01" * 48)]
    ),
    "a stranger's key under the client's kid": _embedded,
    "jwk brought along": lambda: _embedded(jwk=signer("ES384", "stranger").jwk()),
    "jwk brought along, for the key that signs": lambda: token(
        by=signer("ES384", "stranger"), header={"jwk": signer("ES384", "stranger").jwk()}
    ),
    "x5c brought along": lambda: _embedded(x5c=["MIIB"]),
    "x5u brought along": lambda: _embedded(x5u="https://evil.example/cert.pem"),
    "another jku": lambda: token(header={"jku": "https://evil.example/keys.json"}),
    "jku with a slash more": lambda: token(header={"jku": f"{JKU}/"}),
    "jku in capitals": lambda: token(header={"jku": JKU.upper()}),
    "jku with a user": lambda: token(header={"jku": JKU.replace("https://", "https://x@")}),
    "jku with a query": lambda: token(header={"jku": f"{JKU}?a"}),
    "jku with a fragment": lambda: token(header={"jku": f"{JKU}#a"}),
    "jku over http": lambda: token(header={"jku": JKU.replace("https", "http")}),
    "jku null": lambda: token(header={"jku": None}),
    "jku as a list": lambda: token(header={"jku": [JKU]}),
    "jku of a file": lambda: token(header={"jku": "file:///etc/passwd"}),
    "jku where none is registered": lambda: token(
        claims(iss="plain"), signer("ES384", "plain"), header={"jku": JKU}
    ),
    "no kid": lambda: token(header={"kid": ...}),
    "kid null": lambda: token(header={"kid": None}),
    "kid empty": lambda: token(header={"kid": ""}),
    "kid as a number": lambda: token(header={"kid": 1}),
    "kid as a list": lambda: token(header={"kid": [signer().kid]}),
    "kid unknown": lambda: token(header={"kid": "unknown"}),
    "kid in capitals": lambda: token(header={"kid": signer().kid.lower()}),
    "kid of another key of the client": lambda: token(header={"kid": signer("ES256").kid}),
    "kid as a path": lambda: token(header={"kid": "../../dev/null"}),
    "kid as SQL": lambda: token(header={"kid": "' OR 1=1 --"}),
    "kid with NUL": lambda: token(header={"kid": f"{signer().kid}\x00"}),
    "kid of 5000 letters": lambda: token(header={"kid": "k" * 5000}),
    "no typ": lambda: token(header={"typ": ...}),
    "typ null": lambda: token(header={"typ": None}),
    "typ jwt": lambda: token(header={"typ": "jwt"}),
    "typ at+jwt": lambda: token(header={"typ": "at+jwt"}),
    "typ JOSE": lambda: token(header={"typ": "JOSE"}),
    "typ as a list": lambda: token(header={"typ": ["JWT"]}),
    "crit empty": lambda: token(header={"crit": []}),
    "crit exp": lambda: token(header={"crit": ["exp"], "exp": 1}),
    "crit b64": lambda: token(header={"crit": ["b64"], "b64": True}),
    "crit null": lambda: token(header={"crit": None}),
    "b64": lambda: token(header={"b64": True}),
    "zip": lambda: token(header={"zip": "DEF"}),
    "cty JWT": lambda: token(header={"cty": "JWT"}),
    "enc": lambda: token(header={"enc": "A256GCM"}),
    "header with alg twice": lambda: token(header=_header()[:-1] + b',"alg":"ES384"}'),
    "header with kid twice": lambda: token(header=b'{"kid":"other",' + _header()[1:]),
    "header in UTF-16": lambda: token(header=_header().decode().encode("utf-16-le")),
    "header with a byte order mark": lambda: token(header=b"\xef\xbb\xbf" + _header()),
    "header as a list": lambda: token(header=b'["ES384"]'),
    "header as a text": lambda: token(header=b'"ES384"'),
    "header no JSON": lambda: token(header=b"{"),
    "header in Latin-1": lambda: token(header=b'{"x":"\xe9",' + _header()[1:]),
}

CLAIMS: dict[str, Callable[[], str]] = {
    "no iss": lambda: token(claims(iss=...)),
    "iss null": lambda: token(claims(iss=None)),
    "iss unknown": lambda: token(claims(iss="https://evil.example")),
    "iss with a slash more": lambda: token(claims(iss=f"{ISSUER}/")),
    "iss in capitals": lambda: token(claims(iss=ISSUER.upper())),
    "iss as a list": lambda: token(claims(iss=[ISSUER])),
    "iss with a line end": lambda: token(claims(iss=f"{ISSUER}\n")),
    "iss of another client": lambda: token(claims(iss=OTHER_ISSUER, tenant="north")),
    "iss of the public sandbox": lambda: token(claims(iss="https://sandbox.cds-hooks.org")),
    "another client's key": lambda: token(by=signer("ES384", "clinic")),
    "another client's key under this one's kid": lambda: signed(
        _header(), json.dumps(claims()).encode(), signer(), signer("ES384", "clinic").key
    ),
    "no aud": lambda: token(claims(aud=...)),
    "aud null": lambda: token(claims(aud=None)),
    "aud empty": lambda: token(claims(aud="")),
    "aud an empty list": lambda: token(claims(aud=[])),
    "aud as a number": lambda: token(claims(aud=1)),
    "aud as an object": lambda: token(claims(aud={"a": URL})),
    "aud a list with a number": lambda: token(claims(aud=[URL, 1])),
    "aud a list in a list": lambda: token(claims(aud=[[URL]])),
    "aud of 1000 entries": lambda: token(claims(aud=["x"] * 999 + [URL])),
    "aud the base": lambda: token(claims(aud=BASE)),
    "aud the discovery": lambda: token(claims(aud=f"{BASE}/cds-services")),
    "aud another service": lambda: token(claims(aud=f"{BASE}/cds-services/{VIEW}")),
    "aud the feedback": lambda: token(claims(aud=f"{URL}/feedback")),
    "aud with a slash more": lambda: token(claims(aud=f"{URL}/")),
    "aud with a query": lambda: token(claims(aud=f"{URL}?a=b")),
    "aud with a fragment": lambda: token(claims(aud=f"{URL}#a")),
    "aud over http": lambda: token(claims(aud=URL.replace("https", "http"))),
    "aud with the port": lambda: token(claims(aud=URL.replace(".org", ".org:443"))),
    "aud in capitals": lambda: token(claims(aud=URL.upper())),
    "aud another host": lambda: token(claims(aud=URL.replace("cds.", "other."))),
    "aud the host that was called": lambda: token(claims(aud=f"http://localhost/cds-services/{SERVICE}")),
    "aud the start of the address": lambda: token(claims(aud=URL[:-1])),
    "aud with a space": lambda: token(claims(aud=f" {URL}")),
    "aud sand_man": lambda: token(claims(aud="sand_man")),
    "no exp": lambda: token(claims(exp=...)),
    "exp null": lambda: token(claims(exp=None)),
    "exp as a text": lambda: token(claims(exp=str(_now() + 300))),
    "exp as a fraction": lambda: token(claims(exp=_now() + 300.5)),
    "exp as a float": lambda: token(claims(exp=float(_now() + 300))),
    "exp true": lambda: token(claims(exp=True)),
    "exp as a list": lambda: token(claims(exp=[_now() + 300])),
    "exp 1e30": lambda: token(_raw(exp="1e30")),
    "exp 1e400": lambda: token(_raw(exp="1e400")),
    "exp Infinity": lambda: token(_raw(exp="Infinity")),
    "exp NaN": lambda: token(_raw(exp="NaN")),
    "exp of 5000 digits": lambda: token(_raw(exp="9" * 5000)),
    "exp negative": lambda: token(claims(exp=-1)),
    "exp zero": lambda: token(claims(exp=0)),
    "exp in milliseconds": lambda: token(claims(exp=(_now() + 300) * 1000)),
    "exp in ten years": lambda: token(claims(exp=_now() + 315_360_000)),
    "exp past": lambda: token(claims(_now() - 1000)),
    "a life of an hour and a second": lambda: token(claims(exp=_now() + 3601, iat=_now())),
    "exp before iat": lambda: token(claims(iat=_now() + 30, exp=_now() + 20)),
    "exp the same as iat": lambda: token(claims(iat=_now(), exp=_now())),
    "no iat": lambda: token(claims(iat=...)),
    "iat null": lambda: token(claims(iat=None)),
    "iat as a text": lambda: token(claims(iat=str(_now()))),
    "iat as a float": lambda: token(claims(iat=float(_now()))),
    "iat false": lambda: token(claims(iat=False)),
    "iat in the future": lambda: token(claims(_now() + 120)),
    "iat long ago": lambda: token(claims(iat=_now() - 86_400)),
    "nbf in the future": lambda: token(claims(nbf=_now() + 120)),
    "nbf as a text": lambda: token(claims(nbf="0")),
    "nbf null": lambda: token(claims(nbf=None)),
    "nbf as a float": lambda: token(claims(nbf=0.5)),
    "no jti": lambda: token(claims(jti=...)),
    "jti null": lambda: token(claims(jti=None)),
    "jti empty": lambda: token(claims(jti="")),
    "jti as a number": lambda: token(claims(jti=1)),
    "jti as a list": lambda: token(claims(jti=["a"])),
    "jti with NUL": lambda: token(claims(jti="a\x00b")),
    "jti with a line end": lambda: token(claims(jti="a\nb")),
    "jti with DEL": lambda: token(claims(jti="a\x7f")),
    "jti with a C1 control": lambda: token(claims(jti="a\x85")),
    "jti half a surrogate pair": lambda: token(_raw(jti='"\\ud800"')),
    "jti of 257 characters": lambda: token(claims(jti="j" * 257)),
    "jti of 1 MB": lambda: token(claims(jti="j" * 1_000_000)),
    "iss twice": lambda: token(_doubled("iss", f'"{ISSUER}"')),
    "aud twice": lambda: token(_doubled("aud", f'"{URL}"')),
    "exp twice": lambda: token(_doubled("exp", str(_now() + 300))),
    "jti twice": lambda: token(_doubled("jti", '"another"')),
    "a nested name twice": lambda: token(_raw(x='{"a":1,"a":2}')),
    "a name twice, once escaped": lambda: token(_doubled("\\u0069ss", '"https://evil.example"')),
    "claims in UTF-16": lambda: token(_raw().decode().encode("utf-16")),
    "claims in UTF-32": lambda: token(_raw().decode().encode("utf-32-le")),
    "claims with a byte order mark": lambda: token(b"\xef\xbb\xbf" + _raw()),
    "claims in Latin-1": lambda: token(_raw(x='"\u00e9"').decode().encode("latin-1")),
    "claims as a list": lambda: token(b"[]"),
    "claims null": lambda: token(b"null"),
    "claims as a text": lambda: token(b'"x"'),
    "claims no JSON": lambda: token(_raw() + b"}"),
    "claims with a comment": lambda: token(_raw() + b"//"),
    "claims nested 2000 deep": lambda: token(_raw(x="[" * 2000 + "]" * 2000)),
    "tenant missing": lambda: _clinic(tenant=...),
    "tenant of nobody": lambda: _clinic(tenant="west"),
    "tenant in capitals": lambda: _clinic(tenant="NORTH"),
    "tenant empty": lambda: _clinic(tenant=""),
    "tenant null": lambda: _clinic(tenant=None),
    "tenant as a list": lambda: _clinic(tenant=["north"]),
    "tenant with a space": lambda: _clinic(tenant="north "),
    "tenant as a number, where any is allowed": lambda: token(claims(tenant=1)),
}


def refusals() -> Iterator[Any]:
    """Return every case, named."""
    for name, header in HEADERS.items():
        yield pytest.param(header, True, id=f"header: {name}")
    for group, cases in (("signature", SIGNATURES), ("claim", CLAIMS)):
        for name, made in cases.items():
            is_signed = group == "claim" and "another client" not in name
            yield pytest.param(lambda made=made: f"Bearer {made()}", is_signed, id=f"{group}: {name}")


REFUSALS = list(refusals())


def test_there_are_enough_refusals() -> None:
    """The table did not shrink by accident, and no name stands twice."""
    assert len(REFUSALS) >= 180
    assert len({case.id for case in REFUSALS}) == len(REFUSALS)


def _used(url: str) -> int:
    database = Database(url)
    with database.reading() as connection:
        count: int = connection.execute(select(func.count()).select_from(seen_token)).scalar_one()
    database.close()
    return count


@pytest.mark.parametrize(("made", "is_signed"), REFUSALS)
def test_a_token_that_proves_nothing_is_refused_barely(
    app_client: FlaskClient,
    store_url: str,
    made: Callable[[], str | None],
    is_signed: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """401 with one body for all, a bare challenge, and nothing used up; what is signed is refused for what it says."""
    before = _used(store_url)
    status, body, headers = post(app_client, made())
    assert (status, body) == (401, UNAUTHORIZED)
    assert headers["WWW-Authenticate"] == "Bearer"
    (record,) = caplog.records
    assert not (is_signed and vars(record)["reason"].startswith(("signature", "kid")))
    assert _used(store_url) == before


def _by(algorithm: str) -> str:
    return token(by=signer(algorithm))


ACCEPTED: dict[str, Callable[[], str]] = {
    **{one: partial(_by, one) for one in ALGORITHMS},
    "as Epic calls: RS384, sub, nbf": lambda: token(
        claims(sub=ISSUER, nbf=_now(), tenant="1.2.3"), signer("RS384")
    ),
    "as the public sandbox calls, with its jku": lambda: token(header={"jku": JKU}),
    "aud as a list of one": lambda: token(claims(aud=[URL])),
    "aud as a list with others": lambda: token(claims(aud=["https://other.example", URL])),
    "a life of an hour": lambda: token(claims(exp=_now() + 3600, iat=_now())),
    "jti of 256 characters": lambda: token(claims(jti="j" * 256)),
    "jti beyond ASCII": lambda: token(claims(jti="\u00e9\u4e2d\U0001f600")),
    "further claims and header members": lambda: token(
        claims(scope="x", extension={"a": [1]}), header={"x5t": "AA", "x-of-the-client": {"a": 1}}
    ),
    "a header of 2 KB": lambda: token(header={"x5c": ["M" * 2000]}),
    "tenant listed": _clinic,
    "the other tenant": lambda: _clinic(tenant="south"),
}


@pytest.mark.parametrize("made", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_good_token_is_accepted_once(app_client: FlaskClient, made: Callable[[], str]) -> None:
    """The caller is known; the same token a second time is refused like any other."""
    text = made()
    assert post(app_client, f"Bearer {text}")[0] == KNOWN
    assert post(app_client, f"Bearer {text}")[:2] == (401, UNAUTHORIZED)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_is_read_in_any_case(app_client: FlaskClient, scheme: str) -> None:
    """As HTTP has it."""
    assert post(app_client, f"{scheme} {token()}")[0] == KNOWN


def test_a_known_caller_gets_cards(app_client: FlaskClient) -> None:
    """A whole call, with a token."""
    status, body, _headers = post(app_client, f"Bearer {token()}", body=orjson.dumps(story()))
    assert status == 200
    assert orjson.loads(body)["cards"]


def test_the_id_of_a_token_counts_per_issuer(app_client: FlaskClient) -> None:
    """Two clients may use the same id; nobody can use up another's tokens."""
    jti = "the same of both"
    assert post(app_client, f"Bearer {token(claims(jti=jti))}")[0] == KNOWN
    assert post(app_client, f"Bearer {_clinic(jti=jti)}")[0] == KNOWN
    assert post(app_client, f"Bearer {token(claims(jti=jti))}")[0] == 401


def test_a_token_that_is_refused_can_be_used_later(app_client: FlaskClient) -> None:
    """Only a token that holds is used up: a stranger cannot use up one by guessing its id."""
    good = claims()
    assert (
        post(app_client, "Bearer " + signed(_header(), orjson.dumps(good), signer(), _other_key()))[0] == 401
    )
    assert post(app_client, f"Bearer {token(good)}")[0] == KNOWN


def test_a_service_that_was_not_granted_is_as_unknown_as_one_that_is_none(app_client: FlaskClient) -> None:
    """404, word for word the same, for hook and feedback."""
    unknown = post(app_client, None, "/cds-services/no-such-service")
    for path in (f"/cds-services/{VIEW}", f"/cds-services/{VIEW}/feedback"):
        known = post(app_client, f"Bearer {_clinic(aud=f'{BASE}/cds-services/{VIEW}')}", path)
        assert (known[0], known[1]) == (unknown[0], unknown[1]) == (404, unknown[1])


@pytest.mark.parametrize("aud", [f"{URL}/feedback", URL])
def test_feedback_is_addressed_to_itself_or_to_its_service(app_client: FlaskClient, aud: str) -> None:
    """Both are in use; the address of another service is not taken."""
    path = f"/cds-services/{SERVICE}/feedback"
    assert post(app_client, f"Bearer {token(claims(aud=aud))}", path)[0] == KNOWN
    wrong = token(claims(aud=f"{BASE}/cds-services/{VIEW}/feedback"))
    assert post(app_client, f"Bearer {wrong}", path)[:2] == (401, UNAUTHORIZED)


def test_what_was_called_is_not_told_by_headers(app_client: FlaskClient) -> None:
    """Neither Host nor X-Forwarded-Host moves the address that a token must name."""
    forged = {
        "Authorization": f"Bearer {token(claims(aud=f'https://evil.example/cds-services/{SERVICE}'))}",
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
    }
    assert app_client.post(f"/cds-services/{SERVICE}", headers=forged).status_code == 401


def test_discovery_and_preflights_need_no_token(app_client: FlaskClient) -> None:
    """A browser asks first, and sends no token with that; a refusal can be read by its page."""
    assert app_client.get("/cds-services").status_code == 200
    assert app_client.get("/cds-services", headers=bearer("a.b.c")).status_code == 200
    origin = {"Origin": "https://ehr.example.org"}
    assert app_client.options(f"/cds-services/{SERVICE}", headers=origin).status_code == 204
    refused = app_client.post(f"/cds-services/{SERVICE}", headers=origin)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")


def test_the_log_tells_why_and_never_shows_a_token(
    app_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads which check failed for which client and request; the token and its id stay out."""
    text = token(claims(jti="canary-jti", aud="canary-aud"))
    _status, _body, headers = post(app_client, f"Bearer {text}")
    told = vars(caplog.records[0])
    assert (told["reason"], told["client"], told["request_id"]) == ("aud", "general", headers["X-Request-Id"])
    post(app_client, "Bearer canary.canary.canary")
    assert all("canary" not in str(vars(record)) for record in caplog.records)
