"""The sandbox as a page, in a real browser: what it opens, who can use it, what it weighs and withstands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.desk import Desk
from tests.browser.records import HOSTILE, bundle, large_bundle, observation, patient_record
from tests.functional.server import LiveServer
from tests.support.fhir_server import fhir_server, slow
from tests.support.places import SAMPLES
from tests.support.timing import best_of_three

pytestmark = pytest.mark.browser

BENIGN = "benign-twitch-with-caffeine"
SERVICE = "**/cds-services/muscle-spasm-problem"
FIRST_LOAD_BYTES = 300_000
CARD_WITHIN_S = 0.2
FROZEN_S = 0.5
STRUCTURE = "[...document.querySelectorAll('#banner *, #chart-sections *')].map((one) => one.tagName).join()"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_a_plain_bundle_is_opened(desk: Desk, page: Page) -> None:
    """An uploaded Bundle becomes a chart, is answered, and its results are sent with the digits of the file."""
    file = bundle(
        {"resourceType": "Patient", "id": "p1", "name": [{"text": "Uploaded Person"}]},
        observation("Potassium", "2.7", "2026-06-01"),
    )
    text = json.dumps(file).replace('"value": 2.7', '"value": 2.70')
    desk.upload("bundle.json", text.encode())
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("Uploaded Person")
    page.get_by_label("Read as of").fill("2026-06-02")
    with page.expect_request(SERVICE) as caught:
        desk.record("muscle twitching")
    assert '"value":2.70' in (caught.value.post_data or "")
    expect(desk.cards.first).to_contain_text("2.70 mmol/L")
    expect(desk.chart).to_contain_text("2.70 mmol/L")


def test_a_sample_request_can_be_opened_too(desk: Desk, page: Page) -> None:
    """The body of a hook call is a chart with what it records."""
    desk.upload("request.json", (SAMPLES / "meningitis" / "request.json").read_bytes())
    expect(page.get_by_label("Problem", exact=True)).to_have_value("Clonus both ankles")


def test_another_chart_shows_nothing_of_the_one_before(desk: Desk, page: Page) -> None:
    """While the service has not answered for the new chart, no card, argument or answer of the old one is left."""
    desk.open_story(BENIGN)
    desk.record()
    page.route("**/cds-services/muscle-spasm-patient-view", lambda _route: None)
    desk.open_story("meningitis")
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("19 years")
    expect(desk.cards).to_have_count(0)
    for view in ("Why", "Cards"):
        expect(desk.view(view)).not_to_contain_text("caffeine")
    expect(page.locator("#difference")).to_be_empty()


def test_of_several_patients_one_is_chosen(desk: Desk, page: Page) -> None:
    """A Bundle of two people opens the first, and the other by choice; neither sees what is the other's."""
    other = {**observation("Sodium", "140", "2026-06-01"), "subject": {"reference": "Patient/p2"}}
    desk.upload(
        "two.json",
        bundle(
            {"resourceType": "Patient", "id": "p1"},
            {"resourceType": "Patient", "id": "p2"},
            observation("Potassium", "4.0", "2026-06-01"),
            other,
        ),
    )
    expect(desk.chart).to_contain_text("Potassium")
    expect(desk.chart).not_to_contain_text("Sodium")
    page.get_by_label("2 patients in two.json").select_option(label="p2")
    expect(desk.chart).to_contain_text("Sodium")
    expect(desk.chart).not_to_contain_text("Potassium")


@pytest.mark.parametrize(
    "content", [b"{", b"null", b"[]", b"{}", b'{"resourceType":"Bundle"}', b"\xff\xfe", b"17"]
)
def test_a_file_that_is_no_chart_is_refused_with_words(content: bytes, desk: Desk, page: Page) -> None:
    """The page says what is wrong with it and stays usable."""
    desk.upload("odd.json", content)
    expect(page.get_by_role("alert")).to_contain_text("odd.json")
    desk.open_story(BENIGN)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_fhir_server_is_read_through_the_service(desk: Desk, page: Page) -> None:
    """The chart of a server on this machine is shown and answered; one that may not be called is refused with words."""
    resources = [
        entry["resource"] for entry in patient_record("Server Person", "gout", "vitamin C", "none")["entry"]
    ]
    with fhir_server(*resources) as server:
        page.get_by_role("button", name="Connect a server…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Base address").fill("https://elsewhere.example/fhir")
        dialog.get_by_label("Patient id").fill("p1")
        dialog.get_by_role("button", name="Read the chart").click()
        expect(dialog.get_by_role("alert")).to_contain_text("not registered")
        dialog.get_by_label("Base address").fill(server.base)
        dialog.get_by_role("button", name="Read the chart").click()
        expect(page.get_by_label("Patient", exact=True)).to_contain_text("Server Person")
        with page.expect_request(SERVICE) as caught:
            desk.record("cramp")
    assert json.loads(caught.value.post_data or "")["fhirServer"] == server.base


def test_a_chart_that_is_no_samples_is_not_named_after_one(desk: Desk, page: Page) -> None:
    """After a file the choice of samples is empty again, its description gone, and the same sample can be chosen."""
    choice = page.get_by_label("Sample patient")
    desk.open_story(BENIGN)
    expect(page.locator("#story-line")).to_be_visible()
    desk.upload("plain.json", patient_record("Plain Person", "gout", "vitamin C", "taken daily"))
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("Plain Person")
    expect(choice).to_have_value("")
    expect(page.locator("#story-line")).to_be_hidden()
    desk.open_story(BENIGN)
    expect(page.get_by_label("Patient", exact=True)).not_to_contain_text("Plain Person")


def test_a_chart_is_asked_for_once_while_it_is_read(desk: Desk, page: Page) -> None:
    """A slow server is told of at the button, and a second press asks no second time."""
    resources = [
        entry["resource"] for entry in patient_record("Slow Person", "gout", "water", "none")["entry"]
    ]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/fhir") else None)
    with fhir_server(*resources) as server:
        server.faults["Condition"] = slow(1.0)
        page.get_by_role("button", name="Connect a server…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Base address").fill(server.base)
        dialog.get_by_label("Patient id").fill("p1")
        dialog.get_by_role("button", name="Read the chart").click()
        expect(dialog.get_by_role("button", name="Reading…")).to_be_disabled()
        dialog.get_by_label("Patient id").press("Enter")
        expect(page.get_by_label("Patient", exact=True)).to_contain_text("Slow Person")
    assert len(asked) == 1


def test_hostile_texts_stay_texts(desk: Desk, page: Page) -> None:
    """Names, problems, medicines and notes run nothing, add no element, and push nothing out of the page."""
    desk.upload("plain.json", patient_record("Plain Person", "gout", "vitamin C", "taken daily"))
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("Plain Person")
    plain = page.evaluate(STRUCTURE)
    desk.upload("hostile.json", patient_record(*HOSTILE))
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("<script>")
    assert page.evaluate(STRUCTURE) == plain
    page.get_by_label("Read as of").fill("2026-06-02")
    desk.record(f"twitching {HOSTILE[0]}")
    for view in ("Why", "History", "Inspector", "Cards"):
        desk.view(view)
        assert page.evaluate(OVERFLOW) <= 0
    expect(desk.cards.first.locator("script, img, style, iframe, h1")).to_have_count(0)
    banner = page.locator("#banner").bounding_box()
    assert banner is not None
    assert banner["height"] < 160
    assert "owned" not in page.title()


def tab_to(page: Page, found: str, most: int = 60) -> None:
    """Press Tab until the element that has the focus fits a selector."""
    for _step in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement?.matches(selector)", found):
            return
    pytest.fail(f"the keyboard does not reach {found}")


def test_the_keyboard_is_enough(desk: Desk, page: Page) -> None:
    """A story is chosen, recorded, read, a suggestion accepted and the card dismissed without a mouse."""
    page.route("**/feedback", lambda route: route.fulfill(status=200))
    tab_to(page, "#story")
    page.keyboard.type("Overactive")
    page.keyboard.press("Enter")
    desk.chart.wait_for()
    tab_to(page, "#record-button")
    page.keyboard.press("Enter")
    desk.cards.first.wait_for()
    tab_to(page, "#tab-cards")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tabpanel", name="Why")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.get_by_role("tabpanel", name="Cards")).to_be_visible()
    tab_to(page, ".suggestion")
    page.keyboard.press("Enter")
    expect(desk.cards.first).to_contain_text("Added to the orders")
    tab_to(page, ".dismiss > summary")
    page.keyboard.press("Enter")
    tab_to(page, ".dismiss input")
    page.keyboard.press("Space")
    tab_to(page, ".dismiss button")
    page.keyboard.press("Enter")
    expect(desk.cards.first).to_contain_text("Dismissed")
    expect(desk.cards.first.get_by_role("button", name="Show again")).to_be_focused()


def test_search_results_are_reached_by_arrows(desk: Desk, page: Page) -> None:
    """Down leads from the field into the matches, up leads back, Escape closes them."""
    desk.open_story(BENIGN)
    field = page.get_by_label("Problem", exact=True)
    field.fill("clonus")
    page.keyboard.press("ArrowDown")
    matches = page.locator("#problem-matches button")
    expect(matches.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#problem-matches")).to_be_hidden()


def violations(page: Page) -> list[str]:
    """Return the serious and critical faults that axe finds."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, page: Page) -> str:
    """Return the color scheme that the browser asks for."""
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return str(request.param)


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault(scheme: str, width: int, desk: Desk, page: Page) -> None:
    """On every view, wide and narrow, light and dark, no serious or critical fault, and nothing too wide."""
    page.set_viewport_size({"width": width, "height": 844})
    faults: dict[str, list[str]] = {"welcome": violations(page)}
    desk.open_story(BENIGN)
    desk.record()
    page.get_by_text("Dismiss…").first.click()
    faults["cards"] = violations(page)
    page.get_by_role("button", name="What if…").click()
    desk.change("Value of Potassium", "2.4")
    expect(desk.cards.first).to_contain_text("Critical")
    page.get_by_role("button", name="Course of Potassium").click()
    faults["what if"] = violations(page)
    for view in ("Why", "History", "Inspector"):
        desk.view(view)
        page.wait_for_load_state("networkidle")
        faults[view] = violations(page)
        assert page.evaluate(OVERFLOW) <= 0, view
    page.get_by_role("button", name="Connect a server…").click()
    faults["connect"] = violations(page)
    for path in ("/sandbox/gallery", "/sandbox/explain", "/about"):
        page.goto(path)
        faults[path] = violations(page)
        assert page.evaluate(OVERFLOW) <= 0, path
    assert {view: found for view, found in faults.items() if found} == {}


SMALL_TARGETS = """(most) => [...document.querySelectorAll(
  "button, summary, select, nav a, .button, .choice, input:not([type=radio], [type=checkbox], [type=file])"
)].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.height > 0 && box.height < most - 0.5 && one.checkVisibility();
}).map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)}`)"""
LEAST_TARGET_PX = 44


def test_a_finger_finds_every_control_of_the_narrow_page(desk: Desk, page: Page) -> None:
    """At 390 px every button, field, choice and link of a menu is at least 44 px high, on every view."""
    page.set_viewport_size({"width": 390, "height": 844})
    small: dict[str, list[str]] = {"welcome": page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)}
    desk.open_story("ms-fasciculation-on-thiazide")
    desk.record()
    desk.cards.first.get_by_role("button", name="ECG", exact=True).click()
    page.get_by_text("Dismiss…").first.click()
    page.get_by_role("button", name="What if…").click()
    desk.change("Value of Potassium", "2.4")
    expect(desk.cards.first).to_contain_text("Critical")
    page.get_by_role("button", name="Course of Potassium").click()
    for view in ("Cards", "Why", "History", "Inspector"):
        desk.view(view)
        page.wait_for_load_state("networkidle")
        small[view] = page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)
    page.get_by_role("button", name="Connect a server…").click()
    small["connect"] = page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)
    for path in ("/sandbox/gallery", "/sandbox/explain", "/about"):
        page.goto(path)
        small[path] = page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)
    assert {view: found for view, found in small.items() if found} == {}


def test_a_page_of_320_px_is_read_without_scrolling_sideways(desk: Desk, page: Page) -> None:
    """Every view fits 320 px, which is a page of 1280 px enlarged four times."""
    page.set_viewport_size({"width": 320, "height": 800})
    wide: dict[str, int] = {}
    desk.upload("hostile.json", patient_record(*HOSTILE))
    expect(page.locator("#banner")).to_contain_text("<script>")
    wide["hostile"] = page.evaluate(OVERFLOW)
    desk.open_story("ms-spasticity-with-treatment-asked")
    desk.record()
    page.get_by_role("button", name="What if…").click()
    for view in ("Cards", "Why", "History", "Inspector"):
        desk.view(view)
        page.wait_for_load_state("networkidle")
        wide[view] = page.evaluate(OVERFLOW)
    for path in ("/sandbox/gallery", "/sandbox/explain", "/about"):
        page.goto(path)
        wide[path] = page.evaluate(OVERFLOW)
    assert {view: px for view, px in wide.items() if px > 0} == {}


def test_whose_chart_it_is_stays_in_sight(desk: Desk, page: Page) -> None:
    """On the wide page the patient stays at the top while a long answer is read, and covers nothing that is led to."""
    desk.open_story("ms-spasticity-with-treatment-asked")
    desk.record()
    desk.cards.last.scroll_into_view_if_needed()
    page.mouse.wheel(0, 3000)
    expect(page.locator("#banner .name")).to_be_in_viewport(ratio=1)
    desk.view("Why").get_by_role("button", name="Workup", exact=True).click()
    assert is_below(page, "#banner", "Workup")


def is_below(page: Page, above: str, heading: str) -> bool:
    """Whether a heading is in sight and not covered by what stays at the top."""
    found = page.get_by_role("heading", name=heading, exact=True)
    expect(found).to_be_in_viewport(ratio=1)
    cover, place = page.locator(above).bounding_box(), found.bounding_box()
    assert cover is not None
    assert place is not None
    return place["y"] >= cover["y"] + cover["height"]


def test_what_moved_covers_nothing_that_is_led_to(desk: Desk, page: Page) -> None:
    """With the differences staying in sight, a part that is jumped to stands below them."""
    desk.open_story("ms-fasciculation-on-thiazide")
    desk.record()
    page.get_by_role("button", name="What if…").click()
    desk.change("Value of Potassium", "2.4")
    expect(desk.moved).to_contain_text("New red flag")
    desk.view("Why").get_by_role("button", name="Workup", exact=True).click()
    assert is_below(page, "#difference", "Workup")


def test_a_cited_cause_is_opened_where_it_is_led_to(page: Page) -> None:
    """A link to a cause opens its arguments on the page of the method, which folds the others."""
    page.goto("/about#hypokalemia")
    expect(page.locator("#hypokalemia")).to_be_visible()
    expect(page.locator("#hypokalemia")).to_be_in_viewport()
    expect(page.locator("#caffeine")).to_be_hidden()


def test_units_and_flags_are_written_for_people(desk: Desk, page: Page) -> None:
    """A temperature has °C, creatinine µmol/L, and a marked result the word of its flag; days stand in words too."""
    desk.open_story("meningitis")
    expect(desk.chart).to_contain_text("39.4 °C")
    desk.record()
    expect(desk.view("Why")).to_contain_text("body temperature 39.4 °C")
    desk.open_story("ms-fasciculation-on-thiazide")
    expect(desk.chart).to_contain_text("70 µmol/L")
    expect(desk.chart.get_by_role("row", name="Potassium")).to_contain_text("2.8 mmol/L low")
    expect(page.locator("#as-of-words")).to_have_text("15 Jun 2026")
    expect(page.locator("#onset-words")).to_have_text("1 Jun 2026")


def test_the_narrow_page_leads_from_chart_to_advice(desk: Desk, page: Page) -> None:
    """At 390 px the advice that was asked for comes into view, and links lead between chart and advice."""
    page.set_viewport_size({"width": 390, "height": 844})
    desk.open_story(BENIGN)
    desk.record()
    expect(desk.cards.first.get_by_role("heading", level=3)).to_be_in_viewport()
    expect(page.locator("#switch-name")).to_be_in_viewport()
    expect(page.locator("#switch-name")).to_have_text("Sample Patient P10 · Man, 27 years")
    page.get_by_role("link", name="Chart", exact=True).click()
    expect(page.get_by_role("heading", name="Record a problem")).to_be_in_viewport()
    page.get_by_role("link", name="Advice (1)").click()
    expect(page.get_by_role("heading", name="Decision support", exact=True)).to_be_in_viewport()


def test_a_course_is_drawn_and_told_in_a_table(desk: Desk, page: Page) -> None:
    """Opening a test draws its points with the band, and the same values stand in a table, the newest first."""
    results = [
        observation("Potassium", value, day, place)
        for place, (value, day) in enumerate(
            [("4.1", "2026-01-05"), ("3.6", "2026-03-01"), ("2.9", "2026-06-01")]
        )
    ]
    desk.upload("course.json", bundle({"resourceType": "Patient", "id": "p1"}, *results))
    opener = page.get_by_role("button", name="Course of Potassium")
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".trend canvas")).to_be_visible()
    painted = "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert page.locator(".trend canvas").evaluate(painted) > 10
    expect(page.locator(".trend tbody tr")).to_have_text(
        ["1 Jun 20262.9 mmol/L", "1 Mar 20263.6 mmol/L", "5 Jan 20264.1 mmol/L"]
    )
    expect(page.locator(".trend figcaption")).to_contain_text("3.5–5.3")


def test_the_first_load_is_light(browser: Browser, service: LiveServer) -> None:
    """All that a fresh browser loads until the page is ready is under 300 KB, and nothing is kept in the browser."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{service.port}")
    page = context.new_page()
    loaded: list[Request] = []

    def keep(request: Request) -> None:
        loaded.append(request)

    page.on("requestfinished", keep)
    page.goto("/sandbox")
    page.wait_for_selector("html[data-ready]")
    page.wait_for_load_state("networkidle")
    sizes = {request.url: request.sizes()["responseBodySize"] for request in [*loaded]}
    assert len(sizes) > 20
    assert sum(sizes.values()) < FIRST_LOAD_BYTES
    Desk(page).open_story(BENIGN)
    Desk(page).record()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    context.close()


CARD_TIME = """() => new Promise((resolve) => {
  const began = performance.now();
  const panel = document.getElementById("panel-cards");
  new MutationObserver((_changes, observer) => {
    if (!panel.querySelector("article")) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  }).observe(panel, {childList: true});
  document.getElementById("record-button").click();
})"""


def test_a_card_is_there_at_once(desk: Desk, page: Page) -> None:
    """From the click on Record to the frame with the card: within 200 ms."""
    desk.open_story("ms-fasciculation-on-thiazide")
    desk.record()

    def seconds() -> float:
        return float(page.evaluate(CARD_TIME)) / 1000

    assert 0 < best_of_three(seconds, CARD_WITHIN_S) < CARD_WITHIN_S


def longest_task(trace: bytes) -> float:
    """Return the seconds of processor time that the longest task of a page took, whoever else kept it waiting."""
    events = json.loads(trace)["traceEvents"]
    pages = {
        (one["pid"], one["tid"]) for one in events if one.get("args", {}).get("name") == "CrRendererMain"
    }
    tasks = [one for one in events if (one["pid"], one["tid"]) in pages and "tdur" in one]
    assert tasks
    return float(max(one["tdur"] for one in tasks)) / 1_000_000


def test_four_megabytes_do_not_freeze_the_page(desk: Desk, page: Page, tmp_path: Path) -> None:
    """A Bundle of 4 MB is opened, recorded on, changed and inspected, and no task takes half a second of work."""
    file = tmp_path / "large.json"
    file.write_bytes(large_bundle(4_000_000))
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["devtools.timeline", "toplevel"])
    page.locator("#upload").set_input_files(file)  # by its path: bytes would be unpacked inside the page
    expect(page.get_by_text("Show 20 more")).to_be_visible()
    answer = desk.record("muscle twitching")
    assert answer["cards"]
    desk.view("Inspector")
    page.get_by_role("button", name="What if…").click()
    desk.change("Value of Test 1", "2.0")
    page.wait_for_load_state("networkidle")
    assert 0 < longest_task(browser.stop_tracing()) < FROZEN_S


def test_the_gallery_reads_without_scripts(browser: Browser, service: LiveServer) -> None:
    """With JavaScript off every story stands there with its cards, and one link opens it in the sandbox."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{service.port}", java_script_enabled=False)
    page = context.new_page()
    page.goto("/sandbox/gallery")
    stories = len(list(SAMPLES.glob("*/request.json")))
    expect(page.locator("section.story")).to_have_count(stories)
    assert page.locator("article.card").count() >= stories
    context.close()


def test_a_story_is_opened_by_its_address(page: Page) -> None:
    """The link of the gallery opens the story, and a name that is none opens nothing."""
    page.goto("/sandbox/gallery")
    page.locator("#meningitis").get_by_role("link", name="Open in the sandbox").click()
    expect(page.get_by_label("Problem", exact=True)).to_have_value("Clonus both ankles")
    page.goto("/sandbox#story=no%20such%20story")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.get_by_role("heading", name="See the advice beside a chart")).to_be_visible()
