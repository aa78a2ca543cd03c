"""A site's overlay changes what the service answers, its version and its page; a broken one keeps it from starting."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.errors import KnowledgeError, SettingsError
from cds_service.settings import Settings, read_settings
from tests.functional.commands import run
from tests.functional.server import LiveServer
from tests.spec.calls import (
    EXPLANATION,
    PROBLEM,
    Message,
    asking_in_process,
    bundle_of,
    cards,
    recording,
    story,
)
from tests.support.overlays import LOCAL_SYSTEM, POTASSIUM, local_row, write_overlay
from tests.support.production import production_environment


def high_potassium(value: float) -> Message:
    """Return a request with one potassium result and no flag of the laboratory."""
    entries = story("high-potassium-in-kidney-disease")["prefetch"]["labs"]["entry"]
    result = next(one["resource"] for one in entries if one["resource"]["code"]["text"] == "Potassium")
    result["valueQuantity"]["value"] = value
    del result["interpretation"]
    message = recording()
    result["subject"] = message["context"]["conditions"]["entry"][0]["resource"]["subject"]
    message["prefetch"] = {"labs": bundle_of(result)}
    return message


def answered(overlay: Path | None, message: Message) -> list[dict[str, Any]]:
    """Return the cards of the service with this overlay."""
    return cards(asking_in_process(create_app(Settings(cards_overlay=overlay)))(PROBLEM, message))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return an overlay that calls a potassium of 6.2 critical."""
    return write_overlay(tmp_path / "site", {"labs/potassium.yaml": POTASSIUM})


def test_a_limit_of_the_site_changes_the_answer(site: Path) -> None:
    """A potassium of 6.3 is a warning as shipped, and critical where the site says so."""
    message = high_potassium(6.3)
    shipped, ours = answered(None, message), answered(site, message)
    assert {card["indicator"] for card in shipped} == {"warning"}
    assert ours[0]["indicator"] == "critical"
    assert answered(site, high_potassium(6.1))[0]["indicator"] == "warning"


def test_the_explanation_names_another_version(site: Path) -> None:
    """The version in the explanation differs with the overlay and stays the same from start to start."""
    message = high_potassium(6.3)
    shipped, ours, again = (
        answered(overlay, message)[0]["extension"][EXPLANATION]["knowledge_version"]
        for overlay in (None, site, site)
    )
    assert shipped != ours == again
    assert shipped.partition("+")[0] == ours.partition("+")[0]


def test_the_page_says_that_an_overlay_is_in_force(site: Path) -> None:
    """The page lists what the site changed, and says nothing of it without an overlay."""
    pages = [
        unescape(create_app(Settings(cards_overlay=overlay)).test_client().get("/about").text)
        for overlay in (site, None)
    ]
    assert "A site overlay is in force" in pages[0]
    assert "labs/potassium</code> Potassium: changes limits.critical-high.at_least, examples" in pages[0]
    assert "overlay" not in pages[1]
    assert str(site) not in pages[0]


def test_a_local_code_is_recognized(tmp_path: Path) -> None:
    """A problem under the site's own code, without words that say it, is answered with the overlay only."""
    message = recording({"labs": bundle_of()})
    (entry,) = message["context"]["conditions"]["entry"]
    entry["resource"]["code"] = {"coding": [{"system": LOCAL_SYSTEM, "code": "N-7", "display": "Entry 7"}]}
    site = write_overlay(
        tmp_path / "site", {}, {"findings": local_row("findings", "fasciculation", "N-7", "Fasciculation")}
    )
    assert answered(None, message) == []
    assert answered(site, message) != []


def test_a_text_of_the_site_is_shown(tmp_path: Path) -> None:
    """The words of an order are the site's on the card that offers it."""
    over = "title: Potassium, hospital laboratory\n"
    site = write_overlay(tmp_path / "site", {"orders/potassium.yaml": over})
    message = recording({"labs": bundle_of()})
    shown = [json.dumps(answered(overlay, message)) for overlay in (None, site)]
    assert ["Potassium, hospital laboratory" in one for one in shown] == [False, True]


def test_a_broken_overlay_keeps_the_service_from_starting(tmp_path: Path) -> None:
    """The refusal names the overlay's file and line; so does that of a limit whose shipped examples fail."""
    site = write_overlay(tmp_path / "site", {"labs/potassium.yaml": "id: potassium\nfresh_dayz: 7\n"})
    with pytest.raises(KnowledgeError) as refusal:
        create_app(Settings(cards_overlay=site))
    assert refusal.value.where[0].startswith("site/labs/potassium.yaml:2: fresh_dayz [schema]")
    write_overlay(site, {"labs/potassium.yaml": POTASSIUM.partition("examples:")[0]})
    with pytest.raises(KnowledgeError) as refusal:
        create_app(Settings(cards_overlay=site))
    assert refusal.value.where[0].startswith("site/labs/potassium.yaml:1: examples[10] [example]")
    assert "replace the shipped ones" in refusal.value.where[0]


@pytest.mark.parametrize("mode", ["development", "production"])
def test_an_overlay_that_is_not_there_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str
) -> None:
    """A missing folder is not passed over: the service would answer by limits that are not the site's."""
    for name, value in {**production_environment(tmp_path), "CDS_MODE": mode}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CDS_CARDS_OVERLAY", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="CDS_CARDS_OVERLAY: must name a folder that exists") as refusal:
        read_settings()
    assert "nowhere" not in refusal.value.text
    monkeypatch.setenv("CDS_CARDS_OVERLAY", "")
    assert read_settings().cards_overlay is None


def test_check_says_what_a_site_changed(site: Path) -> None:
    """`check --overlay` lists each changed definition on a line of its own, and the version of the whole."""
    shipped, ours = run("check"), run("check", "--overlay", site)
    assert (ours.status, ours.err) == (0, "")
    assert "site overlay site changes or adds:" in ours.out
    assert "  labs/potassium: changes limits.critical-high.at_least, examples\n" in ours.out
    assert "overlay" not in shipped.out
    assert shipped.out.split()[-1] != ours.out.split()[-1]


def test_check_names_the_line_of_the_overlay(site: Path) -> None:
    """A fault of the overlay begins with its folder, file and line, and the command ends with status 1."""
    text = (site / "labs" / "potassium.yaml").read_text("utf-8")
    (site / "labs" / "potassium.yaml").write_text(text + "workups: []\n", "utf-8")
    outcome = run("check", "--overlay", site)
    assert outcome.status == 1
    assert outcome.out.startswith(f"site/labs/potassium.yaml:{text.count(chr(10)) + 1}: workups [schema]")
    assert run("check", "--overlay", site / "nowhere").status == 2


def test_replay_uses_the_overlay(site: Path, tmp_path: Path) -> None:
    """`replay --overlay` and CDS_CARDS_OVERLAY give the same answer, another one than the shipped content."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(high_potassium(6.3)), "utf-8")
    shipped = run("replay", "--summary", path)
    by_option = run("replay", "--summary", "--overlay", site, path)
    by_setting = run("replay", "--summary", path, changes={"CDS_CARDS_OVERLAY": str(site)})
    assert ": warning;" in shipped.out
    assert ": critical;" in by_option.out
    assert (by_option.status, by_option.out) == (by_setting.status, by_setting.out)


def test_serving_workers_use_the_overlay(site: Path, tmp_path: Path) -> None:
    """The starting process proves the whole for its workers, says what the site changed, and they answer by it."""
    server = LiveServer(tmp_path / "server.log", {"CDS_CARDS_OVERLAY": str(site), "WORKERS": "2"})
    try:
        connection = server.connection()
        body = json.dumps(high_potassium(6.3))
        connection.request("POST", PROBLEM, body, {"Content-Type": "application/json"})
        (first, *_) = json.loads(connection.getresponse().read())["cards"]
        connection.close()
    finally:
        assert server.stop() == 0
    assert first["indicator"] == "critical"
    assert first["extension"][EXPLANATION]["knowledge_version"] in server.printed
    assert "site overlay  labs/potassium: changes limits.critical-high.at_least, examples" in server.printed
