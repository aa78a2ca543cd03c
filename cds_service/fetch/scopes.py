"""Reads SMART scopes, v1 and v2, and tells which queries they cover; it grants nothing and keeps no token."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

_SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\."
    r"(?P<rights>read|write|\*|(?=[cruds])c?r?u?d?s?)"
    r"(?:\?(?P<filters>\S+))?"
)
_CONTEXTS = ("patient/", "user/", "system/")
_BOTH = frozenset({"read", "*"})
"""What grants reads and searches alike in v1."""


class Scope(NamedTuple):
    """What one scope grants of one resource type (`*` for all); `filters` narrow it to (parameter, code) pairs."""

    type: str
    reads: bool
    searches: bool
    filters: tuple[tuple[str, str], ...] = ()

    def covers(self, query: str) -> bool:
        """Whether a read (`Patient/1`) or a search (`Condition?…`) is granted.

        A scope with filters covers a search that names the same parameters with the same codes, or none of them: the
        server then leaves out what is not granted.
        """
        path, _, search = query.partition("?")
        kind, _, instance = path.partition("/")
        if self.type not in {"*", kind}:
            return False
        if instance:
            return self.reads
        asked = dict(parse_qsl(search))
        return self.searches and all(
            name not in asked or _code(asked[name]) == _code(value) for name, value in self.filters
        )

    def narrows(self, query: str) -> bool:
        """Whether the server would answer less than a query asks for, which the scope covers: by filters of its own."""
        asked = dict(parse_qsl(query.partition("?")[2]))
        return any(name not in asked for name, _value in self.filters)


def read_scopes(text: str | None) -> tuple[Scope, ...] | None:
    """Return the scopes for resources; None where there is none, or one that cannot be read: then nobody knows."""
    scopes = []
    for word in (text or "").split():
        if not word.startswith(_CONTEXTS):
            continue  # launch, openid, fhirUser, offline_access and the like say nothing of resources
        found = _SCOPE.fullmatch(word)
        if found is None:
            return None
        rights = found["rights"]
        scopes.append(
            Scope(
                type=found["type"],
                reads=rights in _BOTH or (rights != "write" and "r" in rights),
                searches=rights in _BOTH or "s" in rights,
                filters=tuple(parse_qsl(found["filters"] or "")),
            )
        )
    return tuple(scopes) or None


def is_granted(query: str, scopes: tuple[Scope, ...] | None) -> bool:
    """Whether any scope covers a query; what cannot be told from the scopes is left to the server."""
    return scopes is None or any(scope.covers(query) for scope in scopes)


def is_narrowed(query: str, scopes: tuple[Scope, ...] | None) -> bool:
    """Whether a query is covered by scopes alone that let the server leave something out without a word."""
    covering = [scope for scope in scopes or () if scope.covers(query)]
    return bool(covering) and all(scope.narrows(query) for scope in covering)


def wanted_scopes(query: str) -> tuple[str, str]:
    """Return the scope that would cover a query, in the words of SMART v1 and of v2."""
    kind, _, instance = query.partition("?")[0].partition("/")
    return f"patient/{kind}.read", f"patient/{kind}.{'r' if instance else 's'}"


def _code(token: str) -> str:
    """Return the code of a FHIR token, without its system."""
    return token.rpartition("|")[2]
