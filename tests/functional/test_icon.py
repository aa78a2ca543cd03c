"""The icon beside every card: at the address that the cards name, as the standard wants it, and as it was drawn."""

from __future__ import annotations

import struct
import zlib

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.functional.server import LiveServer
from tests.spec.calls import PROBLEM, asking_over_http, cards, story
from tests.support.draw_icon import pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(picture: bytes) -> dict[bytes, bytes]:
    """Return the chunks of a PNG by their names; a wrong checksum is no chunk."""
    found, at = {}, len(SIGNATURE)
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        kind, content = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        (check,) = struct.unpack(">I", picture[at + 8 + size : at + 12 + size])
        assert check == zlib.crc32(kind + content)
        found[kind] = content
        at += 12 + size
    return found


def test_the_icon_is_where_the_cards_say(live_server: LiveServer) -> None:
    """Every card names an absolute address below the base, and there stands a PNG that may be kept for a while."""
    ask = asking_over_http(live_server)
    for card in cards(ask(PROBLEM, story())):
        base, _, path = card["source"]["icon"].rpartition("/")
        assert (base.partition("://")[0], path) == ("http", "icon-100.png")
    answer = ask("/icon-100.png", method="GET")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.body.startswith(SIGNATURE)


def test_the_icon_is_what_the_standard_wants() -> None:
    """It is 100 by 100 pixels of plain red, green and blue: no transparency, neither as a channel nor as a chunk."""
    picture = create_app(Settings()).test_client().get("/icon-100.png").data
    found = chunks(picture)
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (100, 100, 8, 2, 0, 0, 0)
    assert set(found) == {b"IHDR", b"IDAT", b"IEND"}


def test_the_icon_is_what_was_drawn() -> None:
    """The shipped file holds the pixels that its script draws: `python -m tests.support.draw_icon` writes it again."""
    picture = create_app(Settings()).test_client().get("/icon-100.png").data
    rows = b"".join(b"\0" + row for row in pixels())
    assert zlib.decompress(chunks(picture)[b"IDAT"]) == rows


def test_the_address_follows_the_public_base() -> None:
    """Behind a proxy the icon is named by the address that the world sees."""
    settings = Settings(public_base_url="https://cds.example.org/spasm/")
    assert settings.icon_url == "https://cds.example.org/spasm/icon-100.png"
