"""The tables of the store, the same on SQLite and PostgreSQL; of patients they hold keyed digests of ids alone.

What a client writes into the code of an override reason, or into an id, is kept as it was sent: a report shows it only
where it looks like a code.

Moments are whole milliseconds since 1970 in UTC, so that both databases keep and compare them alike. The tables are
made and changed by the migrations alone; a test holds that both say the same.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
)

_UUID, _DIGEST, _ID, _CODE = 36, 64, 200, 300

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database counts up; SQLite does so for an INTEGER only."""

shown_card = Table(
    "shown_card",
    METADATA,
    Column("card", String(_UUID), primary_key=True, comment="uuid of the card, in lower case"),
    Column("client", String(_ID), nullable=False),
    Column("service", String(_ID), nullable=False),
    Column("template", String(_ID), nullable=False, comment="kind of card: red-flag, differential, ..."),
    Column("indicator", String(16), nullable=False),
    Column("rules", JSON, nullable=False, comment="ids of the content behind the card"),
    Column("knowledge_version", String(_ID), nullable=False),
    Column(
        "patient", String(_DIGEST), nullable=False, comment="keyed digest of client, tenant and patient id"
    ),
    Column("advice", String(_DIGEST), nullable=False, comment="keyed digest of rules and inputs"),
    Column("shown_at", BigInteger, nullable=False),
    Index(None, "patient", "advice", "shown_at"),
    Index(None, "shown_at"),
    comment="Every card that was sent.",
)

feedback = Table(
    "feedback",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column(
        "digest", String(_DIGEST), nullable=False, unique=True, comment="the same answer twice has the same"
    ),
    Column("client", String(_ID), nullable=False),
    Column("service", String(_ID), nullable=False),
    Column(
        "card", String(_ID), nullable=False, comment="its uuid in lower case; joined to shown_card when read"
    ),
    Column("outcome", String(16), nullable=False, comment="accepted or overridden"),
    Column("outcome_at", BigInteger, nullable=False),
    Column("reason_system", String(_CODE)),
    Column("reason_code", String(_CODE)),
    Column("has_comment", Boolean, nullable=False, comment="whether one came, kept or not"),
    Column("comment", Text, comment="kept only where the setting says so"),
    Column("received_at", BigInteger, nullable=False),
    Index(None, "card"),
    Index(None, "received_at"),
    comment="What became of the cards, as clients report it.",
)

accepted_suggestion = Table(
    "accepted_suggestion",
    METADATA,
    Column("feedback", _SERIAL, ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("suggestion", String(_ID), primary_key=True, comment="as the client sent it"),
    comment="The suggestions that one answer accepted.",
)

shown_suggestion = Table(
    "shown_suggestion",
    METADATA,
    Column("suggestion", String(_UUID), primary_key=True, comment="uuid of the suggestion, in lower case"),
    Column("card", String(_UUID), ForeignKey("shown_card.card", ondelete="CASCADE"), nullable=False),
    Column("rule", String(_ID), nullable=False, comment="id of the order or question it offers"),
    Index(None, "card"),
    comment="Every suggestion that was sent.",
)

seen_token = Table(
    "seen_token",
    METADATA,
    Column("digest", String(_DIGEST), primary_key=True, comment="SHA-256 of issuer and jti"),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
    comment="Tokens that were used and may not be used again.",
)

audit_record = Table(
    "audit_record",
    METADATA,
    Column("writer", String(_UUID), primary_key=True, comment="one per process"),
    Column(
        "sequence", BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without a gap"
    ),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("content", Text, nullable=False, comment="canonical JSON, exactly as it was signed"),
    Column("mac", String(_DIGEST), nullable=False, comment="keyed digest of the mac before and this record"),
    Index(None, "at"),
    comment="Who was told what and when; each record is chained to the one before.",
)

IS_THEIRS = and_(
    feedback.c.card == shown_card.c.card,
    feedback.c.client == shown_card.c.client,
    feedback.c.service == shown_card.c.service,
)
"""Joins feedback to the card that its client was shown by that service; what it joins to nothing is in quarantine."""
