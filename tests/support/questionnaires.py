"""A small questionnaire with whatever items a test needs."""

from __future__ import annotations

from typing import Any

import msgspec

from cds_service.model.questionnaires import Questionnaire


def asking(*items: dict[str, Any], title: str = "Questions") -> Questionnaire:
    """Return a questionnaire with these items."""
    return msgspec.convert(
        {
            "id": "q",
            "title": title,
            "name": "Q",
            "description": "Questions.",
            "order": "ask",
            "fresh_days": 90,
            "cites": ["r1"],
            "review": {"written_on": "2026-01-01", "next_review": "2099-01-01"},
            "items": [{"text": "What?", "type": "boolean", **item} for item in items],
        },
        Questionnaire,
    )
