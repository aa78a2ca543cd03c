"""The page that tells a person how cards are made: whole, harmless and without patient data."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from cds_service.app import create_app, load_knowledge
from cds_service.model.definitions import Knowledge
from cds_service.settings import Settings
from cds_service.web import clock
from tests.functional.server import LiveServer


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """Return the content that the service uses."""
    return load_knowledge(Settings())


@pytest.fixture(scope="module")
def page(live_server: LiveServer) -> str:
    """Return the page as a browser gets it."""
    connection = live_server.connection()
    connection.request("GET", "/about")
    reply = connection.getresponse()
    assert reply.status == 200
    assert reply.getheader("Content-Type") == "text/html; charset=utf-8"
    policy = reply.getheader("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = reply.read().decode()
    connection.close()
    return text


def test_it_names_the_version_and_every_cause(page: str, knowledge: Knowledge) -> None:
    """The page shows the version of the knowledge, and each cause, red flag and source by its title."""
    shown = unescape(page)
    assert knowledge.version in shown
    assert knowledge.causes
    for group in (knowledge.causes, knowledge.red_flags, knowledge.sources):
        assert [one.title for one in group.values() if one.title not in shown] == []


def test_it_runs_nothing_and_loads_nothing_from_elsewhere(page: str) -> None:
    """There is no script, no inline style or handler, and the only file it loads is its own style sheet."""
    assert "<script" not in page
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", page)
    assert re.findall(r"<(?:link|img|iframe|object)[^>]*>", page) == [
        '<link rel="stylesheet" href="/about.css">'
    ]


def test_its_links_do_not_tell_where_they_were_followed_from(page: str) -> None:
    """Every link to a source is https or http and sends no referrer."""
    links = re.findall(r"<a [^>]*>", page)
    leading_out = [link for link in links if not re.search(r'href="[/#]', link)]
    assert leading_out
    assert all('rel="noreferrer"' in link and re.search(r'href="https?://', link) for link in leading_out)
    inside = {found[1] for link in links if (found := re.search(r'href="(/[^"]*)"', link))}
    assert inside == {"/sandbox", "/sandbox/gallery", "/sandbox/explain", "/about"}


def test_every_place_that_it_leads_to_is_there(page: str) -> None:
    """Contents and citations lead to an element of the page, and no place has two."""
    places = re.findall(r'\sid="([^"]+)"', page)
    assert len(places) == len({*places})
    wanted = {*re.findall(r'href="#([^"]+)"', page)}
    assert {"method", "red-flags", "sources"} < wanted
    assert wanted - {*places} == set()


def test_the_style_sheet_and_the_front_door() -> None:
    """The style sheet is CSS, and the bare address leads to the page."""
    client = create_app(Settings()).test_client()
    style = client.get("/about.css")
    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    front = client.get("/")
    assert (front.status_code, front.headers["Location"]) == (302, "/about")


def test_the_same_is_told_as_json(knowledge: Knowledge) -> None:
    """Programs get the data under its own address, or by asking for JSON; browsers and others get the page."""
    client = create_app(Settings()).test_client()
    data = client.get("/about.json")
    assert (data.status_code, data.content_type) == (200, "application/json")
    told = data.get_json()
    assert told["knowledge_version"] == knowledge.version
    assert len(told["attributes"]) == 13
    asked = client.get("/about", headers={"Accept": "application/json"})
    assert asked.get_json() == told
    for accepted in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
        page = client.get("/about", headers={"Accept": accepted})
        assert page.mimetype == "text/html"
        assert "Accept" in page.headers["Vary"]


def test_it_tells_the_source_attributes_and_the_limits(page: str, knowledge: Knowledge) -> None:
    """Every source attribute and every measurement stands on the page with its words."""
    shown = unescape(page)
    assert [one.id for one in knowledge.attributes.values() if one.text not in shown] == []
    assert [one.id for one in knowledge.labs.values() if one.title not in shown] == []
    assert "6.5 mmol/L or more" in shown


def test_an_overdue_review_is_told_with_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review whose day has passed is listed on the page; before that there is no such list."""
    client = create_app(Settings()).test_client()
    assert "Overdue reviews" not in client.get("/about").get_data(as_text=True)
    monkeypatch.setattr(clock, "now", lambda: datetime(2099, 1, 1, tzinfo=UTC))
    late = client.get("/about").get_data(as_text=True)
    assert "Overdue reviews" in late
    assert re.search(r"causes/caffeine · due \d{1,2} \w{3} 20\d\d", late)
