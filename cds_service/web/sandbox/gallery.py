"""Answers every sample story for the gallery, as the hook call would be answered; it changes no card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from cds_service.model.hooks import CDSResponse
from cds_service.pipeline import Reasoner, answer
from cds_service.web import clock
from cds_service.web.sandbox.markup import CardMarkup
from cds_service.web.sandbox.stories import Story


class ToldStory(NamedTuple):
    """A story with its cards, as a template shows them: `detail` is clean HTML."""

    story: Story
    cards: list[dict[str, Any]]

    @property
    def level(self) -> str:
        """The level of the first card, which is the most urgent one."""
        return str(self.cards[0]["indicator"]) if self.cards else "none"


def told_stories(stories: Iterable[Story], reasoner: Reasoner, markup: CardMarkup) -> Iterator[ToldStory]:
    """Yield each story with the cards that its request is answered with."""
    services = {one.hook: one.id for one in reasoner.knowledge.services.values()}
    for story in stories:
        body = answer(story.body, services[story.hook], reasoner, clock.now(), may_replay=True)
        cards = msgspec.json.decode(body, type=CDSResponse).cards
        yield ToldStory(story, [_shown(card.to_dict(), markup) for card in cards])


def _shown(card: dict[str, Any], markup: CardMarkup) -> dict[str, Any]:
    return {**card, "detail": markup.render(card.get("detail", ""))}
