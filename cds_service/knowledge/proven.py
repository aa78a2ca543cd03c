"""Keeps content that has passed every gate, so that it need not be proven again; it proves nothing itself.

What is kept is bound to a proof: a hash over every file of the content, of the site's overlay and of this package.
A change in any of them makes the kept content useless.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from cds_service.knowledge.library import content_digest
from cds_service.model.definitions import Knowledge
from cds_service.model.parts import CodeRow

_KEPT = 4
"""So many proven contents are kept; a developer goes back and forth between a few."""
_ENDING = ".knowledge"
_WITH_EXAMPLES = (
    *("presentations", "value_sets", "labs", "rules", "red_flags", "orders", "causes", "treatments"),
)


class _Kept(msgspec.Struct, frozen=True):
    """Knowledge as it is written: the code tables have keys of two parts, which no format has as names."""

    proof: str
    knowledge: Knowledge
    codes: list[tuple[str, str, tuple[CodeRow, ...]]]


def proof_of(folder: Path, overlay: Path | None) -> str:
    """Return the SHA-256 over every file of the content, of the overlay and of this package."""
    digest = hashlib.sha256(content_digest(folder, overlay).encode())
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def recall(proof: str, kept_in: Path) -> Knowledge | None:
    """Return the knowledge that was proven under this very proof; None when there is none that can be trusted."""
    path = kept_in / f"{proof}{_ENDING}"
    try:
        if path.stat().st_uid != os.getuid():
            return None
        kept = msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None
    if kept.proof != proof:
        return None
    codes = {(table, key): rows for table, key, rows in kept.codes}
    return msgspec.structs.replace(kept.knowledge, codes=codes)


def without_examples(knowledge: Knowledge) -> Knowledge:
    """Return the knowledge less its examples: once they hold, nobody who serves has a use for them."""
    bare = {
        kind: {
            name: msgspec.structs.replace(one, examples=()) for name, one in getattr(knowledge, kind).items()
        }
        for kind in _WITH_EXAMPLES
    }
    return msgspec.structs.replace(knowledge, **bare)


def remember(knowledge: Knowledge, proof: str, kept_in: Path) -> bool:
    """Keep proven knowledge for the next start; False where nothing can be written, which costs time only."""
    codes = [(table, key, rows) for (table, key), rows in knowledge.codes.items()]
    kept = _Kept(proof, msgspec.structs.replace(knowledge, codes={}), codes)
    try:
        kept_in.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=kept_in)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.msgpack.encode(kept))
        Path(name).replace(kept_in / f"{proof}{_ENDING}")
    except OSError:
        return False
    _forget_the_oldest(kept_in)
    return True


def _forget_the_oldest(kept_in: Path) -> None:
    with contextlib.suppress(OSError):  # another start is tidying up at the same time
        kept = sorted(kept_in.glob(f"*{_ENDING}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_KEPT:]:
            path.unlink(missing_ok=True)
