"""HTTP as it arrives on the wire: framing, limits, odd clients and slow ones; never a 5xx and never a guess."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.functional.server import LiveServer
from tests.spec.calls import PROBLEM
from tests.support.places import SAMPLES

BODY = (SAMPLES / "overactive-thyroid" / "request.json").read_bytes()
LIMIT = 5 * 1024 * 1024
HEAD = f"POST {PROBLEM} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
LAST = b"Connection: close\r\n"
GET = b"GET /cds-services HTTP/1.1\r\n"
SLOW_CLIENTS = 200


def _sized(body: bytes) -> bytes:
    return f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _chunked(body: bytes, size: int = 65_536) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    framed = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def _exchange(server: LiveServer, sent: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as end:
        try:
            end.sendall(sent)
            if half_close:
                end.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server may have answered and closed before everything was sent
        parts = []
        while part := end.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def _statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def _issue(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_a_chunked_body_is_read_like_a_sized_one(live_server: LiveServer) -> None:
    """The same body gets cards in either framing, in pieces of any size."""
    for framed in (_sized(BODY), _chunked(BODY), _chunked(BODY, 100)):
        answer = _exchange(live_server, HEAD + LAST + framed)
        assert _statuses(answer) == [200]
        assert b'{"cards":[{' in answer


@pytest.mark.parametrize("over", [1, 100_000, 3 * 1024 * 1024])
@pytest.mark.parametrize("framing", [_sized, _chunked])
def test_a_body_over_the_limit_is_413_in_either_framing(
    live_server: LiveServer, framing: object, over: int
) -> None:
    """A valid request with blanks beyond five mebibytes is refused, and the client gets to read the refusal."""
    body = BODY + b" " * (LIMIT - len(BODY) + over)
    framed = _sized(body) if framing is _sized else _chunked(body)
    answer = _exchange(live_server, HEAD + LAST + framed)
    assert _statuses(answer) == [413]
    assert b'"too-long"' in _issue(answer)


def test_a_chunked_body_at_the_limit_is_read(live_server: LiveServer) -> None:
    """Exactly five mebibytes in chunks are still read."""
    answer = _exchange(live_server, HEAD + LAST + _chunked(BODY + b" " * (LIMIT - len(BODY))))
    assert _statuses(answer) == [200]


def test_an_endless_body_is_cut_off(live_server: LiveServer) -> None:
    """A body that goes on far beyond the limit is answered with 413 and not taken in to its end."""
    endless = b" " * (12 * LIMIT)
    assert _statuses(_exchange(live_server, HEAD + LAST + _chunked(endless))) in ([413], [])
    assert _statuses(_exchange(live_server, HEAD + LAST + _sized(BODY))) == [200]


def test_a_client_that_asks_first_is_told_before_it_sends(live_server: LiveServer) -> None:
    """With `Expect: 100-continue` a body over the limit is refused unsent, and another one is asked for."""
    expect = HEAD + LAST + b"Expect: 100-continue\r\n"
    refused = _exchange(live_server, expect + f"Content-Length: {LIMIT + 1}\r\n\r\n".encode())
    assert _statuses(refused) == [413]
    assert _statuses(_exchange(live_server, expect + _sized(BODY))) == [100, 200]


@pytest.mark.parametrize("kept", [0, 1, 500, len(BODY) - 1])
@pytest.mark.parametrize("framing", [_sized, _chunked])
def test_a_body_that_ends_too_early_is_400(live_server: LiveServer, framing: object, kept: int) -> None:
    """A client that goes away in the middle of its body gets 400, if it still listens."""
    framed = _sized(BODY) if framing is _sized else _chunked(BODY)
    head, _, rest = framed.partition(b"\r\n\r\n")
    answer = _exchange(live_server, HEAD + head + b"\r\n\r\n" + rest[:kept], half_close=True)
    assert _statuses(answer) == [400]


REFUSED: dict[str, tuple[bytes, set[int]]] = {
    "no request at all": (b"GARBAGE\r\n\r\n", {400}),
    "HTTP/0.9": (b"GET /cds-services\r\n\r\n", {400}),
    "two lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ", {400}),
    "negative length": (HEAD + b"Content-Length: -5\r\n\r\n{}", {400}),
    "odd length": (HEAD + b"Content-Length: 0x10\r\n\r\n{}", {400}),
    "vast length": (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", {400}),
    "unknown transfer coding": (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", {400}),
    "packed transfer coding": (
        HEAD + LAST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        {415},
    ),
    "broken chunk size": (HEAD + LAST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", {400}),
    "vast chunk size": (HEAD + LAST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}", {400}),
    "folded header": (GET + b"Host: a\r\nX-A: b\r\n c\r\n\r\n", {400}),
    "NUL in a header": (GET + b"Host: a\r\nX-A: \0\r\n\r\n", {400}),
    "NUL in the path": (b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "no Host": (GET + LAST + b"\r\n", {400}),
    "two Hosts": (GET + LAST + b"Host: a\r\nHost: b\r\n\r\n", {400}),
    "odd Host": (GET + LAST + b"Host: a b/../<x>\r\n\r\n", {400}),
    "Host with a user": (GET + LAST + b"Host: a@b\r\n\r\n", {400}),
    "vast header": (GET + b"Host: a\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n", {400, 431}),
    "hundreds of headers": (GET + b"Host: a\r\n" + b"X-A: a\r\n" * 500 + b"\r\n", {400, 431}),
    "vast path": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414}),
    "TRACE": (b"TRACE /cds-services HTTP/1.1\r\nHost: a\r\n" + LAST + b"\r\n", {405}),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n" + LAST + b"\r\n", {400, 404, 405}),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", set()),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n", {400}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_http_is_refused(live_server: LiveServer, name: str) -> None:
    """Broken framing and odd heads are refused with a 4xx or a closed connection, and nobody is named."""
    sent, expected = REFUSED[name]
    answer = _exchange(live_server, sent)
    statuses = set(_statuses(answer))
    assert statuses <= (expected or {400})
    assert statuses or not expected
    assert b"granian" not in answer.lower()
    assert b"hyper" not in answer.lower()


ACCEPTED: dict[str, bytes] = {
    "HTTP/1.0 without Host": b"GET /cds-services HTTP/1.0\r\n\r\n",
    "absolute form": b"GET http://localhost/cds-services HTTP/1.1\r\nHost: localhost\r\n" + LAST + b"\r\n",
    "Host with a port": GET + LAST + b"Host: cds.example.org:8443\r\n\r\n",
    "IPv6 Host": GET + LAST + b"Host: [::1]:8000\r\n\r\n",
    "forged forwarding": GET
    + LAST
    + b"Host: a\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-For: x\r\n\r\n",
    "Latin-1 in a header": GET + LAST + b"Host: a\r\nOrigin: \xff\xfe\r\nX-Request-Id: \xff\r\n\r\n",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_odd_but_clear_is_answered(live_server: LiveServer, name: str) -> None:
    """Discovery is answered, and nothing of an odd head is repeated."""
    answer = _exchange(live_server, ACCEPTED[name])
    assert _statuses(answer) == [200]
    assert b"evil" not in answer
    assert b"\xff" not in answer


def test_calls_on_one_connection_do_not_mix(live_server: LiveServer) -> None:
    """Pipelined calls are answered in order, and a refused one does not spoil the next."""
    one = HEAD + _sized(BODY)
    torn = HEAD + _sized(BODY[:-5])
    elsewhere = one.replace(PROBLEM.encode(), b"/cds-services/unknown")
    last = one.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" + LAST)
    answer = _exchange(live_server, one + torn + elsewhere + one + last)
    assert _statuses(answer) == [200, 400, 404, 200, 200]


def test_a_body_where_none_belongs_is_no_second_request(live_server: LiveServer) -> None:
    """A GET with a body is one request: its body is not read as the next one."""
    smuggled = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    framed = GET + b"Host: a\r\n" + _sized(smuggled)
    answer = _exchange(live_server, framed + GET + b"Host: a\r\n" + LAST + b"\r\n")
    assert _statuses(answer) == [200, 200]


@pytest.fixture
def slow_clients(live_server: LiveServer) -> Iterator[list[socket.socket]]:
    """Open connections that have sent half a body, and half as many that are in the middle of their headers."""
    ends = [socket.create_connection(("127.0.0.1", live_server.port)) for _ in range(SLOW_CLIENTS)]
    for number, end in enumerate(ends):
        end.sendall(HEAD if number % 3 == 0 else HEAD + b"Content-Length: 1000\r\n\r\n{")
    time.sleep(0.3)
    yield ends
    for end in ends:
        end.close()


def test_slow_clients_do_not_keep_others_waiting(
    live_server: LiveServer, slow_clients: list[socket.socket]
) -> None:
    """While two hundred clients dawdle, everyone else is answered at once."""
    assert len(slow_clients) == SLOW_CLIENTS
    for _ in range(10):
        began = time.monotonic()
        assert _statuses(_exchange(live_server, HEAD + LAST + _sized(BODY))) == [200]
        assert time.monotonic() - began < 2


def test_clients_that_hang_up_leave_the_service_well(live_server: LiveServer) -> None:
    """Connections dropped at any point, with a reset, are forgotten: the next call is answered, the log is calm."""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    whole = HEAD + _sized(BODY)

    def hang_up(after: int) -> None:
        with socket.create_connection(("127.0.0.1", live_server.port)) as end:
            end.sendall(whole[:after])
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    threads = [
        threading.Thread(target=hang_up, args=(after,)) for after in range(1, len(whole), len(whole) // 40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _statuses(_exchange(live_server, HEAD + LAST + _sized(BODY))) == [200]
    assert "Traceback" not in live_server.printed
    assert "unforeseen" not in live_server.printed
