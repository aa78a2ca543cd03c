"""Who is calling: times to the second, one use of a token, what an open service tells apart; no real clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.errors import StoreUnavailableError, UnauthorizedError, UnknownServiceError
from cds_service.fetch.limits import Deadline
from cds_service.model.explanation import ExplanationExtent
from cds_service.trust.callers import Caller, Registration
from cds_service.trust.identity import Endpoint, Identity
from cds_service.trust.key_sources import WrittenKeys
from cds_service.trust.keys import read_registered
from cds_service.trust.tokens import read_token
from tests.support.tokens import ISSUER, SERVICE, URL, claims, key_set, signer, token

NOON = 1_800_000_000
ENDPOINT = Endpoint(SERVICE, frozenset({URL}))
STRANGER = signer("ES384", "stranger")


class Seen:
    """Remembers used tokens in memory, as the store does for all processes."""

    def __init__(self) -> None:
        """Start with none."""
        self.expires: dict[tuple[str, str], datetime] = {}
        self.is_down = False

    def claim(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Use a token up."""
        if self.is_down:
            raise StoreUnavailableError("Temporarily unavailable")
        known = self.expires.get((issuer, jti))
        self.expires[issuer, jti] = expires_at
        return known is None or known <= now


def registration(**changes: Any) -> Registration:
    """Return a client with one key, changed."""
    client = Registration(
        "general", ISSUER, WrittenKeys(read_registered(key_set(signer()))), frozenset({"ES384"})
    )
    return client._replace(**changes)


def identify(
    text: str | None, now: float = NOON, seen: Seen | None = None, *, is_open: bool = False, **changes: Any
) -> Caller:
    """Return who calls with this token at this moment."""
    identity = Identity([registration(**changes)], seen or Seen(), is_open=is_open)
    moment = datetime.fromtimestamp(now, UTC)
    return identity.identify(text and f"Bearer {text}", ENDPOINT, moment, Deadline(1))


def why(text: str | None, now: float = NOON, seen: Seen | None = None, **changes: Any) -> str:
    """Return why a token is refused, in the word for the log."""
    with pytest.raises(UnauthorizedError) as refused:
        identify(text, now, seen, **changes)
    assert (refused.value.text, refused.value.where, refused.value.http_status) == ("Unauthorized", (), 401)
    return refused.value.why


EDGES: list[tuple[dict[str, int], float, str | None]] = [
    ({}, 0, None),
    ({"iat": NOON - 300, "exp": NOON}, 0, None),
    ({"iat": NOON - 300, "exp": NOON}, 59.999, None),
    ({"iat": NOON - 300, "exp": NOON}, 60, "expired"),
    ({"iat": NOON - 300, "exp": NOON}, 61, "expired"),
    ({"iat": NOON, "exp": NOON + 300}, -60, None),
    ({"iat": NOON, "exp": NOON + 300}, -60.001, "not-yet"),
    ({"iat": NOON, "exp": NOON + 300}, -61, "not-yet"),
    ({"iat": NOON - 10, "exp": NOON + 300, "nbf": NOON}, -60, None),
    ({"iat": NOON - 10, "exp": NOON + 300, "nbf": NOON}, -61, "not-yet"),
    ({"iat": NOON, "exp": NOON + 300, "nbf": NOON - 9999}, 0, None),
    ({"iat": NOON, "exp": NOON + 3600}, 0, None),
    ({"iat": NOON, "exp": NOON + 3601}, 0, "lifetime"),
    ({"iat": NOON, "exp": NOON + 1}, 0, None),
    ({"iat": NOON, "exp": NOON}, 0, "lifetime"),
    ({"iat": NOON + 1, "exp": NOON}, 0, "lifetime"),
]


@pytest.mark.parametrize(("times", "later", "refusal"), EDGES)
def test_times_hold_to_the_second(times: dict[str, int], later: float, refusal: str | None) -> None:
    """A minute of difference between the clocks is borne on both sides, and not a moment more."""
    text = token(claims(NOON, **times))
    if refusal is None:
        assert identify(text, NOON + later).client_id == "general"
    else:
        assert why(text, NOON + later) == refusal


def test_a_token_is_remembered_as_long_as_it_could_be_used() -> None:
    """That is until it expires on a clock that is a minute late."""
    seen = Seen()
    identify(token(claims(NOON, jti="one")), seen=seen)
    assert seen.expires == {(ISSUER, "one"): datetime.fromtimestamp(NOON + 300, UTC) + timedelta(seconds=60)}


def test_a_token_is_used_up_only_by_its_client() -> None:
    """Refused for whatever reason, it leaves no trace in the store; used, it is refused the second time."""
    seen = Seen()
    forged = token(claims(NOON, jti="one"), STRANGER, {"kid": signer().kid})
    assert why(forged, seen=seen) == "signature"
    assert why(token(claims(NOON, jti="one", aud="x")), seen=seen) == "aud"
    assert seen.expires == {}
    assert identify(token(claims(NOON, jti="one")), seen=seen).is_known
    assert why(token(claims(NOON, jti="one")), seen=seen) == "replayed"


def test_nobody_is_let_in_while_the_store_is_down() -> None:
    """Whether a token was used cannot be said then: 503 for the client, still 401 for a stranger."""
    seen = Seen()
    seen.is_down = True
    with pytest.raises(StoreUnavailableError):
        identify(token(claims(NOON)), seen=seen)
    assert why(token(claims(NOON), STRANGER), seen=seen) == "kid"


def test_what_is_known_of_a_caller_goes_along() -> None:
    """Id, tenant and how much of the argument it is sent."""
    caller = identify(
        token(claims(NOON, tenant="north")), tenants=frozenset({"north"}), explanation=ExplanationExtent.BRIEF
    )
    assert caller == Caller("general", "north", ExplanationExtent.BRIEF)
    assert caller.is_known


def test_an_audience_of_its_own_replaces_the_address() -> None:
    """For a client that cannot name the address it calls."""
    own = frozenset({"sand_man"})
    assert identify(token(claims(NOON, aud="sand_man")), audience=own).is_known
    assert why(token(claims(NOON)), audience=own) == "aud"


def test_a_service_that_was_not_granted_is_unknown() -> None:
    """Only to whoever proved who it is."""
    others = frozenset({"another-service"})
    with pytest.raises(UnknownServiceError):
        identify(token(claims(NOON)), services=others)
    assert why(token(claims(NOON), STRANGER), services=others) == "kid"


def test_an_open_service_lets_anybody_in_but_no_false_token() -> None:
    """Without a token the caller is anybody; a token that is sent must hold."""
    assert identify(None, is_open=True) == Caller()
    assert not identify(None, is_open=True).is_known
    assert identify(token(claims(NOON)), is_open=True).client_id == "general"
    assert why("a.b.c", is_open=True) == "not-base64url"
    assert why(None) == "no-token"


def test_an_open_service_without_clients_reads_no_token() -> None:
    """There is nothing to check it against; one that is closed refuses all the same."""
    noon = datetime.fromtimestamp(NOON, UTC)
    assert Identity([], Seen(), is_open=True).identify("Bearer x", ENDPOINT, noon, Deadline(1)) == Caller()
    with pytest.raises(UnauthorizedError):
        Identity([], Seen(), is_open=False).identify(
            f"Bearer {token(claims(NOON))}", ENDPOINT, noon, Deadline(1)
        )


def test_a_token_does_not_show_itself() -> None:
    """Neither its text nor its claims stand in what a debugger or a trace would print."""
    text = token(claims(NOON, jti="canary"))
    shown = repr(read_token(f"Bearer {text}"))
    assert text not in shown
    assert "canary" not in shown
