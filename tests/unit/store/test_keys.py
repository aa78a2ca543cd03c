"""Keys: digests that tell nothing, differ by purpose, client and secret, and a secret that only its owner reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import StoreError
from cds_service.store.keys import Keys, make_secret, read_keys

KEYS = Keys(bytes(32))
TEXT = st.text(max_size=20)


def test_a_digest_depends_on_client_patient_purpose_and_secret() -> None:
    """Two clients' patients with the same id are not the same patient, and no purpose repeats another."""
    other = Keys(bytes(31) + b"\x01")
    digests = [
        KEYS.patient("a", "1"),
        KEYS.patient("b", "1"),
        KEYS.patient("a", "2"),
        KEYS.advice(["a", "1"]),
        other.patient("a", "1"),
    ]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)
    assert KEYS.patient("a", "1") == digests[0]


@given(TEXT, TEXT, TEXT, TEXT)
def test_no_part_runs_over_into_the_next(one: str, two: str, three: str, four: str) -> None:
    """Only equal parts give equal digests, wherever their borders lie."""
    assert (KEYS.patient(one, two) == KEYS.patient(three, four)) == ((one, two) == (three, four))


@given(st.lists(TEXT), st.lists(TEXT))
def test_advice_is_told_apart_by_every_part(one: list[str], other: list[str]) -> None:
    """Neither order nor number of the parts is lost."""
    assert (KEYS.advice(one) == KEYS.advice(other)) == (one == other)


def test_keys_are_never_printed() -> None:
    """A trace or a log that prints the object tells nothing."""
    assert repr(KEYS) == "Keys(<hidden>)"


def test_a_short_secret_is_refused() -> None:
    """31 bytes are too few, 32 are enough."""
    with pytest.raises(StoreError, match="CDS_SECRET_KEY_FILE"):
        Keys(bytes(31))
    Keys(bytes(32))


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """A second start finds the secret of the first, and no other file is left."""
    path = tmp_path / "state" / "secret.key"
    make_secret(path)
    first = path.read_bytes()
    make_secret(path)
    assert path.read_bytes() == first
    assert len(first) == 32
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]
    read_keys(path)


def test_beside_a_secret_that_is_there_nothing_is_written(tmp_path: Path) -> None:
    """A secret may stand on a read-only volume, as in the stack: the time of its folder stays as it was."""
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(32))
    os.utime(tmp_path, (1, 1))
    make_secret(path)
    assert tmp_path.stat().st_mtime == 1


def test_a_secret_that_cannot_be_made_names_the_setting_only(tmp_path: Path) -> None:
    """Whoever starts the service reads what to do, neither the path nor a trace."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as told:
        make_secret(tmp_path / "file" / "folder" / "secret.key")
    assert told.value.text.startswith(
        "CDS_SECRET_KEY_FILE: the file is missing and cannot be made (NotADirec"
    )
    assert str(tmp_path) not in told.value.text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """The file must be closed to the group and to everybody else."""
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(32))
    path.chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        read_keys(path)


def test_a_missing_secret_names_the_setting_only(tmp_path: Path) -> None:
    """The message holds neither path nor contents."""
    with pytest.raises(StoreError) as told:
        read_keys(tmp_path / "nowhere")
    assert told.value.text == "CDS_SECRET_KEY_FILE: the file cannot be read (FileNotFoundError)."
