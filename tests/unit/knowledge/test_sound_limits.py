"""What stands exactly at the edge of a check is no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.knowledge.folders import faults_of, sound_folder


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("labs/zorbium.yaml", 'marked-low: {below: "7"}', 'marked-low: {below: "10"}'),
        ("labs/zorbium.yaml", 'marked-high: {at_least: "25"}', 'marked-high: {at_least: "20"}'),
        ("labs/zorbium.yaml", 'plausible: {low: "1", high: "99"}', 'plausible: {low: "4", high: "99"}'),
        ("labs/zorbium.yaml", 'plausible: {low: "1", high: "99"}', 'plausible: {low: "1", high: "30"}'),
        ("labs/zorbium.yaml", 'plausible: {low: "1", high: "99"}', 'plausible: {low: "1"}'),
        ("labs/zorbium.yaml", 'plausible: {low: "1", high: "99"}', 'plausible: {high: "99"}'),
        ("labs/zorbium.yaml", '[{low: "10", high: "20"}]', '[{low: "10"}]'),
        ("causes/fizz.yaml", 'next_review: "2099-01-01"', 'next_review: "2026-06-15"'),
        ("red_flags/RF1.yaml", "look at it now", "x" * (139 - 62 - len(": "))),
        ("causes/fizz.yaml", "urgency: routine", 'summary: "The {noun} may be {{fizz}}"\nurgency: routine'),
    ],
)
def test_what_stands_at_the_edge_is_sound(file: str, old: str, new: str, tmp_path: Path) -> None:
    """A limit may touch the range and the plausible window, a review is due on its day, a summary may be full."""
    folder = sound_folder(tmp_path)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    assert faults_of(folder) == []


def test_a_lab_with_one_limit_alone_is_sound(tmp_path: Path) -> None:
    """Order and plausibility are judged of what is there."""
    folder = sound_folder(tmp_path)
    path = folder / "labs" / "zorbium.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    gone = ("default_ranges", "  marked", "  critical-high")
    path.write_text(
        "".join(line for line in lines if not line.startswith(gone)).split("examples:")[0], "utf-8"
    )
    with path.open("a", encoding="utf-8") as stream:
        stream.write(
            "examples:\n"
            '  - {name: Far too low, given: {value: "3", unit: g/L}, expect: {present: [zorbium-critical-low]}}\n'
            '  - {name: Otherwise, given: {value: "15", unit: g/L}, expect: {unknown: [zorbium-low]}}\n'
        )
    assert faults_of(folder) == []


def test_the_words_of_a_template_may_take_half_of_a_summary(tmp_path: Path) -> None:
    """69 characters beside the placeholders are no fault."""
    folder = sound_folder(tmp_path)
    words = "x" * 69
    (folder / "templates" / "odd.yaml").write_text(
        f'id: odd\ntitle: Odd\ntopic: {{code: odd, display: Odd}}\ntext: {{summary: "{{causes}}{words}"}}\n',
        "utf-8",
    )
    assert faults_of(folder) == []
