"""No spelling and no answer of a resolver leads to a server that is not registered or an address that is denied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BlockedServerError
from cds_service.fetch.addresses import Base, Policy, pinned_addresses

BASE = "https://ehr.example.org/fhir"


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        "https://ehr.example.org",
        "https://ehr.example.org:8443/api/FHIR/R4",
        "https://10.0.0.1/fhir",
        "https://[2a00::1]/fhir",
        "http://127.0.0.1:8080/fhir",
    ],
)
def test_a_plainly_written_base_is_read(text: str) -> None:
    """One trailing slash is the same base."""
    assert Base(text).text == Base(f"{text}/").text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ehr.example.org/fhir",
        "//ehr.example.org/fhir",
        "ftp://ehr.example.org/fhir",
        "file:///etc/passwd",
        "HTTPS://ehr.example.org/fhir",
        "https://EHR.example.org/fhir",
        "https://user@ehr.example.org/fhir",
        "https://user:pass@ehr.example.org/fhir",
        "http://127.0.0.1:80\\@ehr.example.org/fhir",
        "https://ehr.example.org\\@evil.example/fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir#x",
        "https://ehr.example.org//fhir",
        "https://ehr.example.org/../fhir",
        "https://ehr.example.org/fhir/..",
        "https://ehr.example.org/%66hir",
        "https://ehr.example.org:0/fhir",
        "https://ehr.example.org:99999/fhir",
        "https://ehr.example.org:80:80/fhir",
        "https://ehr.example.org./fhir",
        "https://-ehr.example.org/fhir",
        "https://ehr..example.org/fhir",
        "https://ehr.example.org /fhir",
        " https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir\n",
        "https://ehr.example.org/fhir\u200b",
        "https://ehr。example.org/fhir",
        "https://ⓔhr.example.org/fhir",
        "https://ehr.example.org\t/fhir",
        "https://ehr.example.org\x00/fhir",
        "https://[::1]:99999/fhir",
        "https://" + "a" * 64 + ".example.org",
        "https://ehr.example.org/" + "a" * 500,
    ],
)
def test_any_other_spelling_is_refused_without_being_named(text: str) -> None:
    """The pattern is strict, and the error tells nothing of the address."""
    with pytest.raises(BlockedServerError) as refused:
        Base(text)
    assert "example" not in refused.value.text


@given(st.text(max_size=60))
def test_no_text_after_the_base_makes_another_host(more: str) -> None:
    """Whatever is read as a base has exactly the host that its text shows before the first slash."""
    text = f"https://ehr.example.org{more}"
    try:
        base = Base(text)
    except BlockedServerError:
        return
    shown = text.removeprefix("https://").split("/")[0].rsplit(":", maxsplit=1)[0]
    assert base.host == shown


@pytest.mark.parametrize(
    ("url", "is_below"),
    [
        (f"{BASE}/Patient/1", True),
        (f"{BASE}?page=2", True),
        (f"{BASE}/Observation?patient=1&_sort=-date", True),
        (BASE, False),
        (f"{BASE}2/Patient/1", False),
        (f"{BASE}.evil.example/Patient/1", False),
        (f"{BASE}@evil.example/", False),
        (f"{BASE}/../admin", False),
        (f"{BASE}/./x", False),
        (f"{BASE}/%2e%2e/admin", False),
        (f"{BASE}/x\\y", False),
        (f"{BASE}/x#y", False),
        ("https://evil.example/fhir/Patient/1", False),
        ("http://ehr.example.org/fhir/Patient/1", False),
        ("//ehr.example.org/fhir/Patient/1", False),
        ("/fhir/Patient/1", False),
    ],
)
def test_only_what_lies_below_the_base_is_followed(url: str, is_below: bool) -> None:
    """A link of the server's own is as suspect as any."""
    assert Base(BASE).holds(url) is is_below


DENIED = [
    "0.0.0.0",  # noqa: S104 - an address that is refused
    *("100.64.0.1", "168.63.129.16", "169.254.169.254", "192.0.0.1", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "::", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1"),
    *("2001:db8::1", "2002:7f00:1::1", "fe80::1", "fec0::1", "ff02::1", "::ffff:169.254.169.254", "nonsense"),
]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1", "::ffff:10.0.0.1"]
LOOPBACK = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"]
PUBLIC = ["8.8.8.8", "172.32.0.1", "2a00:1450::1"]


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize("private", [True, False])
def test_each_address_is_allowed_as_its_kind_is(loopback: bool, private: bool) -> None:
    """Denied ranges are never called, private and loopback ones only where that is allowed."""
    policy = Policy(loopback=loopback, private=private)
    assert not any(map(policy.allows, DENIED))
    assert all(policy.allows(one) is private for one in PRIVATE)
    assert all(policy.allows(one) is loopback for one in LOOPBACK)
    assert all(map(policy.allows, PUBLIC))


def test_one_denied_address_among_several_blocks_all() -> None:
    """A name that also points inside is not called at its other addresses either."""
    with pytest.raises(BlockedServerError):
        pinned_addresses(Base(BASE), Policy(), lambda _host, _port: ["8.8.8.8", "169.254.169.254"])
    assert pinned_addresses(Base(BASE), Policy(), lambda _host, _port: ["8.8.8.8"]) == ["8.8.8.8"]


def test_a_name_that_leads_nowhere_is_blocked() -> None:
    """No address and a failing resolver are told alike, without the name."""

    def fail(_host: str, _port: int) -> list[str]:
        raise OSError("no such host ehr.example.org")

    def find_nothing(_host: str, _port: int) -> list[str]:
        return []

    for resolver in (fail, find_nothing):
        with pytest.raises(BlockedServerError) as refused:
            pinned_addresses(Base(BASE), Policy(), resolver)
        assert "example" not in refused.value.text


@pytest.mark.parametrize(
    ("text", "address", "loopback", "is_allowed"),
    [
        ("http://ehr.example.org", "8.8.8.8", True, False),
        ("http://localhost:80", "127.0.0.1", True, True),
        ("http://localhost:80", "127.0.0.1", False, False),
        ("http://ehr.example.org", "10.0.0.1", True, False),
        ("https://ehr.example.org", "8.8.8.8", False, True),
    ],
)
def test_plain_http_is_for_loopback_alone(text: str, address: str, loopback: bool, is_allowed: bool) -> None:
    """A token never leaves the machine unencrypted."""
    policy = Policy(loopback=loopback, private=True)
    if is_allowed:
        assert pinned_addresses(Base(text), policy, lambda _host, _port: [address]) == [address]
    else:
        with pytest.raises(BlockedServerError):
            pinned_addresses(Base(text), policy, lambda _host, _port: [address])
