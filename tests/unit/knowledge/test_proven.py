"""Content that was proven is loaded again as it was, and only while nothing of it, nor of the code, has changed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from cds_service.knowledge import proven
from cds_service.knowledge.library import load
from cds_service.knowledge.proven import proof_of, recall, remember, without_examples
from cds_service.model.definitions import Knowledge
from tests.support.places import CARDS
from tests.unit.knowledge.folders import TODAY, sound_folder

PROOF = "0" * 64


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    """Return the content that ships, checked."""
    return load(CARDS, "1", TODAY)


def test_what_is_recalled_is_what_was_proven(shipped: Knowledge, tmp_path: Path) -> None:
    """Every definition, code and unit comes back."""
    bare = without_examples(shipped)
    assert remember(bare, PROOF, tmp_path)
    assert recall(PROOF, tmp_path) == bare


def test_every_kind_that_has_examples_is_kept_without_them(shipped: Knowledge) -> None:
    """No kind of content drags its examples along."""
    kept = without_examples(shipped)
    for kind in msgspec.structs.asdict(kept):
        definitions = getattr(kept, kind)
        for one in definitions.values() if isinstance(definitions, dict) else ():
            assert not getattr(one, "examples", ())


def test_nothing_is_recalled_under_another_proof(shipped: Knowledge, tmp_path: Path) -> None:
    """Neither by another name, nor by the right name with another proof inside."""
    remember(shipped, PROOF, tmp_path)
    assert recall("1" * 64, tmp_path) is None
    (tmp_path / f"{PROOF}.knowledge").rename(tmp_path / f"{'1' * 64}.knowledge")
    assert recall("1" * 64, tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"\x81", b"not packed", b"\xc0"])
def test_a_broken_file_is_no_knowledge(tmp_path: Path, content: bytes) -> None:
    """Then the content is proven anew, as if nothing had been kept."""
    (tmp_path / f"{PROOF}.knowledge").write_bytes(content)
    assert recall(PROOF, tmp_path) is None


def test_another_users_file_is_not_trusted(
    shipped: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever could write it could say anything."""
    remember(shipped, PROOF, tmp_path)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert recall(PROOF, tmp_path) is None


def test_what_cannot_be_written_costs_time_only(shipped: Knowledge, tmp_path: Path) -> None:
    """A read-only system starts as it always did."""
    (tmp_path / "file").write_text("", "utf-8")
    assert not remember(shipped, PROOF, tmp_path / "file" / "below")
    assert recall(PROOF, tmp_path / "nowhere") is None


def test_only_the_newest_are_kept(shipped: Knowledge, tmp_path: Path) -> None:
    """A developer's many versions do not fill the disk, and nothing half-written stays."""
    for number in range(6):
        assert remember(shipped, f"{number}" * 64, tmp_path)
        os.utime(tmp_path / f"{f'{number}' * 64}.knowledge", (number, number))
    remember(shipped, PROOF[:-1] + "9", tmp_path)
    assert len([*tmp_path.iterdir()]) == proven._KEPT


def test_the_proof_follows_content_and_overlay(tmp_path: Path) -> None:
    """A changed file, and an overlay, are another content."""
    folder = sound_folder(tmp_path)
    before = proof_of(folder, None)
    assert proof_of(folder, None) == before
    assert proof_of(folder, folder) != before
    path = folder / "rules" / "has-oddity.yaml"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert proof_of(folder, None) != before
