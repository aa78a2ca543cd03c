"""Which keys may be registered or published: only sound public keys for signatures; a fault names the member alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.trust.keys import KeyFaultError, read_key, read_published, read_registered
from cds_service.trust.public_sandbox import keys_of_anybody, sandbox_keys
from tests.support.tokens import JSON, key_set, signer

P521 = {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "a"}
SMALL_RSA = {"kty": "RSA", "kid": "small", "e": "AQAB", "n": "x" * 171}  # 1024 bits
ODD = "y" * 342  # 2048 bits, an odd number

FAULTY: dict[str, tuple[JSON, str]] = {
    "no kty": (signer().jwk(kty=None), "kty"),
    "oct": ({"kty": "oct", "k": "AAAA", "kid": "a"}, "private or a shared"),
    "oct without k": ({"kty": "oct", "kid": "a"}, "kty"),
    "OKP": ({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "a"}, "kty"),
    "kty as a list": (signer().jwk(kty=["EC"]), "kty"),
    "private EC": (signer().jwk(d="AAAA"), "private"),
    "private RSA": (signer("RS384").jwk(p="AAAA"), "private"),
    "no kid": (signer().jwk(kid=None), "kid"),
    "kid empty": (signer().jwk(kid=""), "kid"),
    "kid as a number": (signer().jwk(kid=1), "kid"),
    "kid too long": (signer().jwk(kid="k" * 257), "kid"),
    "use enc": (signer().jwk(use="enc"), "use"),
    "use as a list": (signer().jwk(use=["sig"]), "use"),
    "key_ops encrypt": (signer().jwk(key_ops=["encrypt"]), "key_ops"),
    "key_ops sign": (signer().jwk(key_ops=["sign"]), "key_ops"),
    "key_ops as a text": (signer().jwk(key_ops="verify"), "key_ops"),
    "P-521": (P521, "crv"),
    "secp256k1": (signer().jwk(crv="secp256k1", alg=None), "crv"),
    "crv missing": (signer().jwk(crv=None, alg=None), "crv"),
    "crv as a list": (signer().jwk(crv=["P-384"], alg=None), "crv"),
    "alg HS384": (signer().jwk(alg="HS384"), "alg"),
    "alg of another curve": (signer().jwk(alg="ES256"), "alg"),
    "alg of another type": (signer().jwk(alg="RS384"), "alg"),
    "alg as a list": (signer().jwk(alg=["ES384"]), "alg"),
    "x missing": (signer().jwk(x=None), "x"),
    "x as a number": (signer().jwk(x=77), "x"),
    "x with padding": (signer().jwk(x="AA=="), "x"),
    "a point off the curve": (signer().jwk(x=signer().jwk()["y"]), "public key"),
    "a point of the other curve": (signer().jwk(crv="P-256", alg="ES256"), "public key"),
    "RSA of 1024 bits": (SMALL_RSA, "n"),
    "RSA of 16384 bits": (SMALL_RSA | {"n": "y" * 2730}, "n"),
    "an even exponent": (SMALL_RSA | {"n": ODD, "e": "AQAA"}, "e: must|public key"),
    "the exponent 1": (SMALL_RSA | {"n": ODD, "e": "AQ"}, "e: must|public key"),
    "a huge exponent": (SMALL_RSA | {"n": ODD, "e": "AQAAAAAAAAAB"}, "e: must|public key"),
    "n missing": (signer("RS384").jwk(n=None), "n"),
}


@pytest.mark.parametrize(("jwk", "named"), FAULTY.values(), ids=FAULTY.keys())
def test_a_key_that_may_not_be_used_is_refused_by_member(jwk: JSON, named: str) -> None:
    """Registered it stops the start, naming where; published it is passed over beside a good one."""
    with pytest.raises(KeyFaultError, match=named):
        read_key(jwk)
    good = signer("ES384", "good")
    with pytest.raises(KeyFaultError) as refused:
        read_registered({"keys": [good.jwk(), jwk]})
    assert str(refused.value).startswith("keys.1.")
    assert not any(str(value) in str(refused.value) for name, value in jwk.items() if name in {"x", "n", "d"})
    found = read_published(json.dumps({"keys": [jwk, good.jwk()]}).encode(), ())
    assert [one.kid for one in found] == [good.kid]


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "RS256"])
def test_a_good_key_is_found_by_id_and_algorithm(algorithm: str) -> None:
    """And by nothing else; without `use`, `alg` and `key_ops` too."""
    one = signer(algorithm)
    for jwk in (one.jwk(), one.jwk(use=None, alg=None), one.jwk(key_ops=["verify"])):
        keys = read_registered({"keys": [jwk]})
        found = keys.find(one.kid, algorithm)
        assert found is not None
        assert found.kid == one.kid
        assert keys.find("other", algorithm) is None
        assert [name for name in ("ES384", "ES256", "HS384", "none") if keys.find(one.kid, name)] == (
            [algorithm] if algorithm.startswith("ES") else []
        )


def test_a_key_that_names_its_algorithm_is_used_with_no_other() -> None:
    """A key for RS384 verifies no RS256."""
    one = signer("RS384")
    assert read_registered({"keys": [one.jwk()]}).find(one.kid, "RS256") is None
    assert read_registered({"keys": [one.jwk(alg=None)]}).find(one.kid, "RS256") is not None


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        "x",
        {},
        {"keys": None},
        {"keys": {}},
        {"keys": []},
        {"keys": [signer().jwk()] * 101},
        {"keys": [1]},
    ],
)
def test_what_is_no_set_of_keys_is_refused(jwks: Any) -> None:
    """An empty one too, where an operator wrote it down."""
    with pytest.raises(KeyFaultError, match="keys"):
        read_registered(jwks)


def test_two_keys_with_one_id_are_refused_or_not_used() -> None:
    """An operator is told; of a published set neither is used, and a key of another kind with that id is."""
    one, other = signer().jwk(kid="same"), signer("ES384", "other").jwk(kid="same")
    with pytest.raises(KeyFaultError, match="same kid"):
        read_registered({"keys": [one, other]})
    of_another_kind = signer("RS384").jwk(kid="same")
    found = read_published(json.dumps({"keys": [one, other, of_another_kind]}).encode(), ())
    assert found.find("same", "ES384") is None
    assert found.find("same", "RS384") is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"keys":1}', b'{"keys":[],"keys":[]}', b"\xff", b'{"keys":[NaN]}', b"[" * 100_000],
)
def test_what_is_no_published_set_is_refused(body: bytes) -> None:
    """The keys from before stay in use then."""
    with pytest.raises(ValueError, match=r".*"):
        read_published(body, ())


def test_a_published_set_may_be_empty() -> None:
    """A client that withdraws all its keys is believed."""
    assert list(read_published(b'{"keys":[]}', ())) == []


def test_keys_of_anybody_are_not_taken_from_a_published_set() -> None:
    """The key of the public sandbox proves nothing, under its own id or another, nor does another key under its id."""
    (public,) = sandbox_keys()
    jwk = {"kty": "EC", "crv": public.material[0], "x": public.material[1], "y": public.material[2]}
    for planted in ({**jwk, "kid": public.kid}, {**jwk, "kid": "renamed"}, signer().jwk(kid=public.kid)):
        body = json.dumps({"keys": [planted, *key_set(signer("ES384", "good"))["keys"]]}).encode()
        found = read_published(body, keys_of_anybody())
        assert [one.kid for one in found] == [signer("ES384", "good").kid]
        assert len(list(read_published(body, ()))) == 2
