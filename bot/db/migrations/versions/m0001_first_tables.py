"""The first tables, the province and its communes of former Quảng Bình."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

from bot.db.types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("key", name=op.f("account_key_key")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
    )
    op.create_index(op.f("audit_by_at"), "audit", ["at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "person_id", name=op.f("delivery_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbound",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "external_id", name=op.f("inbound_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("inbound_by_at"), "inbound", ["at"], unique=False)
    op.create_table(
        "lesson",
        sa.Column("target_group", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.SmallInteger(), nullable=False),
        sa.Column("tip", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target_group", "day", name=op.f("lesson_pkey")),
    )
    op.create_table(
        "slice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("slice_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("slice_by_run_id"), "slice", ["run_id"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("tombstone_pkey")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("aliases", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into_id"], ["unit.id"], name=op.f("unit_merged_into_id_fkey")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("unit_parent_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("unit_pkey")),
        sa.UniqueConstraint("code", name=op.f("unit_code_key")),
    )
    op.create_index(op.f("unit_by_parent_id"), "unit", ["parent_id"], unique=False)
    op.create_index(op.f("unit_by_path"), "unit", ["path"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("target_group", sa.SmallInteger(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("tip_hour", sa.SmallInteger(), nullable=True),
        sa.Column("tip_day", sa.SmallInteger(), nullable=False),
        sa.Column("tipped_on", sa.Date(), nullable=True),
        sa.Column("tips_seen", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("consent_version", sa.Text(), nullable=True),
        sa.Column("consent_at", Instant(), nullable=True),
        sa.Column("consent_via", sa.Text(), nullable=True),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("person_unit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index("person_by_tip", "person", ["status", "tip_hour", "tipped_on"], unique=False)
    op.create_index("person_by_unit", "person", ["unit_id"], unique=False)
    op.create_table(
        "reply",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("message", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("reply_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reply_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "upload",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("upload_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("upload_pkey")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("closed_reason", sa.SmallInteger(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("last_in_at", Instant(), nullable=True),
        sa.Column("added_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("contact_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["person.id"], name=op.f("contact_added_by_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("contact_person_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("contact_pkey")),
        sa.UniqueConstraint("account_id", "external_id", name=op.f("contact_account_id_external_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("contact_by_added_by_id"), "contact", ["added_by_id"], unique=False)
    op.create_index(op.f("contact_by_person_id"), "contact", ["person_id"], unique=False)
    op.create_table(
        "invite",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("invite_person_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("invite_unit_id_fkey")),
        sa.PrimaryKeyConstraint("code", name=op.f("invite_pkey")),
    )
    op.create_index(op.f("invite_by_person_id"), "invite", ["person_id"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("pack_version", sa.Text(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("item_account_id_fkey")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("item_author_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("item_pkey")),
        sa.UniqueConstraint("kind", "key", "language", name=op.f("item_kind_key_language_key")),
    )
    op.create_table(
        "referral",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("referral_by_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("referral_person_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("referral_pkey")),
    )
    op.create_index(op.f("referral_by_by_id"), "referral", ["by_id"], unique=False)
    op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("role_person_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("role_unit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("role_pkey")),
        sa.UniqueConstraint("person_id", "role", "unit_id", name=op.f("role_person_id_role_unit_id_key")),
    )
    op.create_index(op.f("role_by_unit_id"), "role", ["unit_id"], unique=False)
    op.create_table(
        "conversation",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("conversation_contact_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("conversation_pkey")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("event_author_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("event_item_id_fkey")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("event_unit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pkey")),
    )
    op.create_index(op.f("event_by_starts_at"), "event", ["starts_at"], unique=False)
    op.create_index(op.f("event_by_unit_id"), "event", ["unit_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("author_role", sa.SmallInteger(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("resend_unknown", sa.Boolean(), nullable=False),
        sa.Column("wanted_at", Instant(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["person.id"], name=op.f("campaign_author_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["person.id"], name=op.f("campaign_decided_by_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("campaign_event_id_fkey")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("campaign_item_id_fkey")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("campaign_unit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_pkey")),
    )
    op.create_index(op.f("campaign_by_event_id"), "campaign", ["event_id"], unique=False)
    op.create_index(op.f("campaign_by_fingerprint"), "campaign", ["fingerprint"], unique=False)
    op.create_table(
        "rsvp",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("going", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("rsvp_event_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("rsvp_person_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id", "person_id", name=op.f("rsvp_pkey")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("materialised_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("progress_contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("progress_message_id", sa.Text(), nullable=True),
        sa.Column("reported_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("run_campaign_id_fkey")),
        sa.ForeignKeyConstraint(
            ["progress_contact_id"], ["contact.id"], name=op.f("run_progress_contact_id_fkey"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("run_pkey")),
        sa.UniqueConstraint("campaign_id", "planned_at", name=op.f("run_campaign_id_planned_at_key")),
    )
    op.create_index("run_by_state", "run", ["state", "planned_at"], unique=False)
    op.create_table(
        "relay",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("relay_item_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("relay_person_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("relay_run_id_fkey")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("relay_unit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("relay_pkey")),
    )
    op.create_index(op.f("relay_by_item_id"), "relay", ["item_id"], unique=False)
    op.create_index(op.f("relay_by_person_id"), "relay", ["person_id"], unique=False)
    _plant_units()


def downgrade() -> None:
    op.drop_index(op.f("relay_by_person_id"), table_name="relay")
    op.drop_index(op.f("relay_by_item_id"), table_name="relay")
    op.drop_table("relay")
    op.drop_index("run_by_state", table_name="run")
    op.drop_table("run")
    op.drop_table("rsvp")
    op.drop_index(op.f("campaign_by_fingerprint"), table_name="campaign")
    op.drop_index(op.f("campaign_by_event_id"), table_name="campaign")
    op.drop_table("campaign")
    op.drop_index(op.f("event_by_unit_id"), table_name="event")
    op.drop_index(op.f("event_by_starts_at"), table_name="event")
    op.drop_table("event")
    op.drop_table("conversation")
    op.drop_index(op.f("role_by_unit_id"), table_name="role")
    op.drop_table("role")
    op.drop_index(op.f("referral_by_by_id"), table_name="referral")
    op.drop_table("referral")
    op.drop_table("item")
    op.drop_index(op.f("invite_by_person_id"), table_name="invite")
    op.drop_table("invite")
    op.drop_index(op.f("contact_by_person_id"), table_name="contact")
    op.drop_index(op.f("contact_by_added_by_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_table("upload")
    op.drop_table("reply")
    op.drop_index("person_by_unit", table_name="person")
    op.drop_index("person_by_tip", table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("unit_by_path"), table_name="unit")
    op.drop_index(op.f("unit_by_parent_id"), table_name="unit")
    op.drop_table("unit")
    op.drop_table("tombstone")
    op.drop_index(op.f("slice_by_run_id"), table_name="slice")
    op.drop_table("slice")
    op.drop_table("lesson")
    op.drop_index(op.f("inbound_by_at"), table_name="inbound")
    op.drop_table("inbound")
    op.drop_table("delivery")
    op.drop_index(op.f("audit_by_at"), table_name="audit")
    op.drop_table("audit")
    op.drop_table("account")


PROVINCE = "44"


def _plant_units() -> None:
    """The province (Quảng Trị since 1 July 2025) and the 41 communes that come from Quảng Bình."""
    unit = sa.table(
        "unit",
        *(sa.column(name) for name in ("code", "name", "kind", "parent_id", "path")),
        sa.column("aliases", sa.JSON()),
        sa.column("valid_from", sa.Date()),
    )
    merged = date(2025, 7, 1)
    connection = op.get_bind()
    root = {"code": PROVINCE, "name": "Tỉnh Quảng Trị", "kind": 0, "parent_id": None, "path": f"/{PROVINCE}/"}
    connection.execute(unit.insert(), {**root, "aliases": ["Quảng Trị", "Quảng Bình"], "valid_from": merged})
    root_id = connection.execute(sa.text("SELECT id FROM unit WHERE code = :code"), {"code": PROVINCE}).scalar_one()
    communes = json.loads((Path(__file__).parents[1] / "communes.json").read_text("utf-8"))
    connection.execute(
        unit.insert(),
        [
            {
                "code": str(commune["code"]),
                "name": commune["name"],
                "kind": 1,
                "parent_id": root_id,
                "path": f"/{PROVINCE}/{commune['code']}/",
                "aliases": [*commune["from"], commune["old_district"]],
                "valid_from": merged,
            }
            for commune in communes
        ],
    )
