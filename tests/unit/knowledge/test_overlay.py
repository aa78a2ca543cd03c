"""A site's folder laid over the content: how members merge, which file a fault names, and what was changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.library import Inspection, load, version_of
from cds_service.knowledge.overlay import Layers, Overlaid, changed_members, merge
from cds_service.knowledge.yaml_reader import Document
from cds_service.model.definitions import Knowledge
from cds_service.model.faults import Fault
from tests.support.overlays import LOCAL_SYSTEM, local_row, write_overlay
from tests.unit.knowledge.folders import TODAY, sound_folder

LIMIT = 'id: zorbium\nlimits:\n  critical-high: {at_least: "28"}\n'


def loaded(tmp_path: Path, files: dict[str, str], tables: dict[str, str] | None = None) -> Knowledge:
    """Return the sound content with an overlay of these files, loaded through the gates."""
    return load(sound_folder(tmp_path), "1", TODAY, write_overlay(tmp_path / "site", files, tables))


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": [1]}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}, {"a": {"y": 2}}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": 1}, None, None),
    ],
)
def test_how_members_merge(base: Any, over: Any, merged: Any) -> None:
    """Mappings merge, lists and single values replace, and null takes a member away."""
    kept = repr(base)
    assert merge(base, over) == merged
    assert repr(base) == kept


def test_a_fault_stands_in_the_file_that_said_it() -> None:
    """A path is the overlay's where the overlay speaks, and the content's where it is silent."""
    base = Document("labs/x.yaml", "id: x\nlimits:\n  low: {below: 1}\n  high: {above: 9}\ncites: [r1]\n")
    over = Document("labs/x.yaml", "# ours\nlimits:\n  high:\n    above: 8\ntitle: [a,\n  b]\n", "site")
    both = Overlaid(base, over)
    places = {
        ("limits", "low", "below"): ("", 3),
        ("cites", 0): ("", 5),
        ("limits", "high", "above"): ("site", 4),
        ("limits",): ("site", 2),
        ("title", 1): ("site", 6),
        (): ("site", 2),
        ("limits", "nothing"): ("site", 2),
    }
    for path, place in places.items():
        fault = both.fault(path, "any", "Text.", "Remedy.")
        assert (fault.folder, fault.line) == place, path


def test_a_limit_is_replaced_and_all_else_stays(tmp_path: Path) -> None:
    """One limit of a lab is the site's, its other limits, its range and its sources are the shipped ones."""
    folder = sound_folder(tmp_path)
    shipped = load(folder, "1", TODAY).labs["zorbium"]
    ours = load(folder, "1", TODAY, write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT})).labs[
        "zorbium"
    ]
    assert shipped.limits["critical-high"].at_least == Decimal(30)
    assert ours.limits["critical-high"].at_least == Decimal(28)
    assert {**ours.limits, "critical-high": None} == {**shipped.limits, "critical-high": None}
    assert (ours.default_ranges, ours.cites, ours.examples) == (
        shipped.default_ranges,
        shipped.cites,
        shipped.examples,
    )


def test_a_member_set_to_null_is_taken_away(tmp_path: Path) -> None:
    """A site that knows no critical limit leaves it out."""
    known = loaded(tmp_path, {"labs/zorbium.yaml": "limits: {critical-high: null}\n"})
    assert set(known.labs["zorbium"].limits) == {"critical-low", "marked-low", "marked-high"}
    assert [str(change) for change in known.site_changes] == [
        "labs/zorbium: changes limits.critical-high (taken away)"
    ]


def test_another_comparison_takes_the_old_one_away(tmp_path: Path) -> None:
    """`at_least: null` beside `above` replaces the comparison, where both together would be a fault."""
    over = 'limits:\n  critical-high: {at_least: null, above: "28"}\n'
    limit = loaded(tmp_path, {"labs/zorbium.yaml": over}).labs["zorbium"].limits["critical-high"]
    assert (limit.at_least, limit.above) == (None, Decimal(28))


def test_a_new_definition_is_added(tmp_path: Path) -> None:
    """A file with an id of its own stands beside the shipped ones and is counted."""
    folder = sound_folder(tmp_path)
    text = (folder / "sources" / "r1.yaml").read_text("utf-8").replace("r1", "r2")
    site = write_overlay(tmp_path / "site", {"sources/r2.yaml": text, "labs/zorbium.yaml": "cites: [r2]\n"})
    inspection = Inspection(folder, "1", TODAY, site)
    assert inspection.faults == []
    assert inspection.knowledge is not None
    assert set(inspection.knowledge.sources) == {"r1", "r2"}
    assert (inspection.counts["sources"], inspection.counts["labs"]) == (2, 1)
    assert [str(change) for change in inspection.site_changes] == [
        "labs/zorbium: changes cites",
        "sources/r2: added",
    ]


def test_a_changed_definition_loses_its_signature(tmp_path: Path) -> None:
    """Who signed the shipped text did not sign the site's change; the site may sign its own."""
    folder = sound_folder(tmp_path)
    lab = folder / "labs" / "zorbium.yaml"
    lab.write_text(lab.read_text("utf-8").replace("checked_by: null", 'checked_by: "A clinician"'), "utf-8")
    site = write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT})
    assert load(folder, "1", TODAY).labs["zorbium"].review.checked_by == "A clinician"
    assert load(folder, "1", TODAY, site).labs["zorbium"].review.checked_by is None
    write_overlay(site, {"labs/zorbium.yaml": LIMIT + 'review: {checked_by: "Our chemist"}\n'})
    assert load(folder, "1", TODAY, site).labs["zorbium"].review.checked_by == "Our chemist"


def test_a_file_that_changes_nothing_says_so(tmp_path: Path) -> None:
    """Repeating what is shipped is told as such."""
    known = loaded(tmp_path, {"labs/zorbium.yaml": "id: zorbium\ntitle: Zorbium\n"})
    assert [str(change) for change in known.site_changes] == ["labs/zorbium: changes nothing"]


def test_every_changed_member_is_named() -> None:
    """Members are named by their path, as deep as both sides are mappings."""
    base = {"a": {"x": 1, "y": {"z": 1}}, "b": [1], "c": 1, "d": 1}
    over = {"a": {"x": 2, "y": {"z": 2}}, "b": [2], "d": None, "e": 1}
    assert [*changed_members(base, merge(base, over))] == ["a.x", "a.y.z", "b", "d (taken away)", "e"]
    assert [*changed_members(base, base)] == []


def test_a_failing_example_of_an_untouched_file_points_there(tmp_path: Path) -> None:
    """Where a site's change breaks the example of another file, both ways out are named."""
    layers = Layers(sound_folder(tmp_path), write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT}))
    placed = layers.placed(Fault("causes/fizz.yaml", 1, "examples[1]", "example", "Text.", "Remedy."))
    assert (placed.folder, placed.line) == ("", 27)
    assert placed.remedy.endswith("into site/causes/fizz.yaml.")


def test_another_late_fault_keeps_its_remedy(tmp_path: Path) -> None:
    """A draft that is no FHIR points at the file that says it, with the remedy of its own check."""
    layers = Layers(sound_folder(tmp_path), write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT}))
    shipped = layers.placed(Fault("labs/zorbium.yaml", 1, "fresh_days", "draft-order", "Text.", "Remedy."))
    ours = layers.placed(
        Fault("labs/zorbium.yaml", 1, "limits.critical-high", "draft-order", "Text.", "Remedy.")
    )
    assert (shipped.folder, shipped.line, shipped.remedy) == ("", 15, "Remedy.")
    assert (ours.folder, ours.line, ours.remedy) == ("site", 3, "Remedy.")


def test_local_codes_come_after_the_shipped_ones(tmp_path: Path) -> None:
    """A row of a site's own system stands under its key beside the shipped rows, and under a new key alone."""
    table = local_row("findings", "clonus", "C1", "Clonus in our list")
    table += table.splitlines()[1].replace("clonus", "tremble").replace("C1", "T1") + "\n"
    known = loaded(tmp_path, {}, {"findings": table})
    assert [row.code for row in known.codes["findings", "clonus"]] == ["36649002", "C1"]
    (tremble,) = known.codes["findings", "tremble"]
    assert (tremble.system, tremble.code) == (LOCAL_SYSTEM, "T1")
    assert [str(change) for change in known.site_changes] == ["terminology/findings: 2 rows added"]


def test_units_of_a_site_are_added(tmp_path: Path) -> None:
    """A unit and a spelling that the shipped tables lack are known with the overlay; a byte order mark is no harm."""
    units = "concept_key,ucum,canonical_ucum,factor,offset,molar_mass,note\nalbumin,mg/L,g/L,0.001,0,,\n"
    spellings = "\ufeffspelling,ucum\nmilligram/l,mg/L\n"
    known = loaded(tmp_path, {}, {"unit_conversions": units, "unit_spellings": spellings})
    assert known.conversions["albumin"]["mg/L"] == (Decimal("0.001"), Decimal(0))
    assert known.conversions["albumin"]["g/dL"] == (Decimal("10.0"), Decimal(0))
    assert known.spellings["milligram/l"] == "mg/L"


def test_the_version_holds_the_overlay_wherever_it_lies(tmp_path: Path) -> None:
    """With an overlay the version differs, follows its content, and does not depend on its place or its notes."""
    folder = sound_folder(tmp_path)
    site = write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT})
    plain, ours = version_of(folder, "1"), version_of(folder, "1", site)
    assert ours != plain
    assert load(folder, "1", TODAY, site).version == ours
    (site / "README.md").write_text("notes", "utf-8")
    assert version_of(folder, "1", site.rename(tmp_path / "elsewhere")) == ours
    write_overlay(tmp_path / "elsewhere", {"labs/zorbium.yaml": LIMIT.replace("28", "27")})
    assert version_of(folder, "1", tmp_path / "elsewhere") not in {plain, ours}


def test_a_file_counts_as_the_overlay_it_stands_in(tmp_path: Path) -> None:
    """The same file in the content and in the overlay are two versions."""
    folder = sound_folder(tmp_path)
    site = write_overlay(tmp_path / "site", {"labs/pop.yaml": LIMIT})
    with_overlay = version_of(folder, "1", site)
    write_overlay(folder, {"labs/pop.yaml": LIMIT})
    assert version_of(folder, "1") != with_overlay


def test_faults_of_both_folders_are_told_apart(tmp_path: Path) -> None:
    """An overlay with the name of the content is called by its path; content faults keep their short names."""
    folder = sound_folder(tmp_path)
    site = write_overlay(tmp_path / "etc" / "cards", {"labs/zorbium.yaml": "fresh_dayz: 1\n"})
    with pytest.raises(KnowledgeError) as refusal:
        load(folder, "1", TODAY, site)
    (fault,) = refusal.value.where
    assert fault.startswith(f"{site.as_posix()}/labs/zorbium.yaml:1: fresh_dayz [schema]")


def test_files_that_a_system_hides_are_no_fault(tmp_path: Path) -> None:
    """Folders that begin with a dot belong to how the overlay was mounted."""
    site = write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT, ".git/config": "x"})
    assert Inspection(sound_folder(tmp_path), "1", TODAY, site).faults == []


def test_an_overlay_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a fault of the overlay's file, and the definition is not used without it."""
    site = write_overlay(tmp_path / "site", {"labs/zorbium.yaml": LIMIT})
    (site / "labs" / "zorbium.yaml").write_bytes(b"title: \xb5\n")
    inspection = Inspection(sound_folder(tmp_path), "1", TODAY, site)
    assert [(one.folder, one.file, one.check) for one in inspection.faults] == [
        ("site", "labs/zorbium.yaml", "strict-yaml")
    ]
    assert inspection.knowledge is None
