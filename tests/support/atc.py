"""Lists shaped like ATC, with codes that exist nowhere; holds no code of the real classification."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.terminology import rows

ATC = "http://www.whocc.no/atc"
ATC_OID = "urn:oid:2.16.840.1.113883.6.73"


def ingredient_of(key: str) -> str:
    """Return the first ingredient that stands in the shipped table under this key and no other."""
    names = sorted(row["ingredient"] for row in rows("medications") if row["key"] == key)
    shared = {row["ingredient"] for row in rows("medications") if row["key"] != key}
    return next(name for name in names if name not in shared)


def atc_list(
    *entries: Sequence[str], columns: Sequence[str] = ("code", "name"), separator: str = ","
) -> bytes:
    """Return a list of codes and names."""
    lines = [separator.join(columns), *(separator.join(entry) for entry in entries)]
    return "".join(f"{line}\n" for line in lines).encode()
