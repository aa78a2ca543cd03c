"""The first tables: shown cards and suggestions, feedback, used tokens, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_shown()
    _make_feedback()
    _make_seen_token()
    _make_audit_record()


def _make_shown() -> None:
    op.create_table(
        "shown_card",
        sa.Column("card", sa.String(36), nullable=False, comment="uuid of the card, in lower case"),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column(
            "template", sa.String(200), nullable=False, comment="kind of card: red-flag, differential, ..."
        ),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False, comment="ids of the content behind the card"),
        sa.Column("knowledge_version", sa.String(200), nullable=False),
        sa.Column(
            "patient", sa.String(64), nullable=False, comment="keyed digest of client, tenant and patient id"
        ),
        sa.Column("advice", sa.String(64), nullable=False, comment="keyed digest of rules and inputs"),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("card", name="pk_shown_card"),
        comment="Every card that was sent.",
    )
    op.create_index("ix_shown_card_patient_advice_shown_at", "shown_card", ["patient", "advice", "shown_at"])
    op.create_index("ix_shown_card_shown_at", "shown_card", ["shown_at"])
    op.create_table(
        "shown_suggestion",
        sa.Column(
            "suggestion", sa.String(36), nullable=False, comment="uuid of the suggestion, in lower case"
        ),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False, comment="id of the order or question it offers"),
        sa.PrimaryKeyConstraint("suggestion", name="pk_shown_suggestion"),
        sa.ForeignKeyConstraint(
            ["card"], ["shown_card.card"], name="fk_shown_suggestion_card", ondelete="CASCADE"
        ),
        comment="Every suggestion that was sent.",
    )
    op.create_index("ix_shown_suggestion_card", "shown_suggestion", ["card"])


def _make_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, comment="the same answer twice has the same"),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column(
            "card",
            sa.String(200),
            nullable=False,
            comment="its uuid in lower case; joined to shown_card when read",
        ),
        sa.Column("outcome", sa.String(16), nullable=False, comment="accepted or overridden"),
        sa.Column("outcome_at", sa.BigInteger(), nullable=False),
        sa.Column("reason_system", sa.String(300)),
        sa.Column("reason_code", sa.String(300)),
        sa.Column("has_comment", sa.Boolean(), nullable=False, comment="whether one came, kept or not"),
        sa.Column("comment", sa.Text(), comment="kept only where the setting says so"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("digest", name="uq_feedback_digest"),
        comment="What became of the cards, as clients report it.",
    )
    op.create_index("ix_feedback_card", "feedback", ["card"])
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "accepted_suggestion",
        sa.Column("feedback", _SERIAL, nullable=False),
        sa.Column("suggestion", sa.String(200), nullable=False, comment="as the client sent it"),
        sa.PrimaryKeyConstraint("feedback", "suggestion", name="pk_accepted_suggestion"),
        sa.ForeignKeyConstraint(
            ["feedback"], ["feedback.id"], name="fk_accepted_suggestion_feedback", ondelete="CASCADE"
        ),
        comment="The suggestions that one answer accepted.",
    )


def _make_seen_token() -> None:
    op.create_table(
        "seen_token",
        sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of issuer and jti"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_seen_token"),
        comment="Tokens that were used and may not be used again.",
    )
    op.create_index("ix_seen_token_expires_at", "seen_token", ["expires_at"])


def _make_audit_record() -> None:
    op.create_table(
        "audit_record",
        sa.Column("writer", sa.String(36), nullable=False, comment="one per process"),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="1, 2, 3, ... without a gap",
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="canonical JSON, exactly as it was signed"),
        sa.Column(
            "mac", sa.String(64), nullable=False, comment="keyed digest of the mac before and this record"
        ),
        sa.PrimaryKeyConstraint("writer", "sequence", name="pk_audit_record"),
        comment="Who was told what and when; each record is chained to the one before.",
    )
    op.create_index("ix_audit_record_at", "audit_record", ["at"])
