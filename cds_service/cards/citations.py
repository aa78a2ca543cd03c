"""Names the sources behind words on a card and tells what was added to the source document; it grades nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.cards.wording import join
from cds_service.model.trust import SOURCE_DOCUMENT, Source

_MOST_NAMES = 3


class Citations:
    """Short names of all sources, looked up once."""

    def __init__(self, sources: Mapping[str, Source], text: Mapping[str, str]) -> None:
        """Keep the names; `text` holds the sentences that they stand in."""
        self._names = {name: source.name for name, source in sources.items()}
        self._text = text

    def line(self, cites: Iterable[str]) -> str:
        """Return the line that names what a whole card rests on."""
        cited = tuple(cites)
        names = [*dict.fromkeys(self._names[name] for name in cited)]
        if len(names) > _MOST_NAMES:
            names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
        key = "sources" if SOURCE_DOCUMENT in cited else "sources_added"
        return self._text[key].format(names=join(names))

    def grouped(self, remarks: Iterable[tuple[str, str]]) -> str:
        """Return (words, source) pairs as one text in which each source is named once, after all of its words."""
        by_source: dict[str, list[str]] = {}
        for words, cited in remarks:
            by_source.setdefault(cited, []).append(words)
        return " ".join(self._with_source(" ".join(words), cited) for cited, words in by_source.items())

    def _with_source(self, words: str, cited: str) -> str:
        key = "remark" if cited == SOURCE_DOCUMENT else "remark_added"
        return self._text[key].format(text=words.removesuffix("."), names=self._names[cited])
