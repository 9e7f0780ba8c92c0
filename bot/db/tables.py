"""The tables. The words that their states are made of are in `bot.core.words`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import (
    AccountState,
    CampaignKind,
    CampaignState,
    ContactState,
    DeliveryState,
    ItemKind,
    Lane,
    PersonKind,
    PersonStatus,
    RelayKind,
    RoleName,
    RunState,
    TargetGroup,
    UnitKind,
)
from bot.db import tables_practice, tables_questions
from bot.db.base import Base, BigId, Json

__all__ = ["Base", "BigId", "Json", "tables_practice", "tables_questions"]


class Account(Base):
    """One bot token or one OA. `key` is `channel:id`."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    state: Mapped[AccountState] = mapped_column(default=AccountState.ACTIVE)
    problem: Mapped[str | None]
    created_at: Mapped[datetime]


class Unit(Base):
    """A province, commune or village. `path` is `/44/18859/…/` of codes from the root down to itself, so that
    everything below a unit begins with its path. `aliases` are names that people still use."""

    __tablename__ = "unit"
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[UnitKind]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), index=True)
    aliases: Mapped[list[Any]]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))


class Person(Base):
    """A human, or a group chat. Neither name nor phone number is kept. `tip_day` counts the tips of the current
    curriculum that were planned for them; `tips_seen` holds the ids of tips from an earlier curriculum. Whoever
    `listens` wants a voice beside the text."""

    __tablename__ = "person"
    __table_args__ = (
        sa.Index("person_by_unit", "unit_id"),
        sa.Index("person_by_tip", "status", "tip_hour", "tipped_on"),
        sa.Index("person_listening", "id", sqlite_where=sa.text("listens"), postgresql_where=sa.text("listens")),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[PersonKind] = mapped_column(default=PersonKind.HUMAN)
    status: Mapped[PersonStatus] = mapped_column(default=PersonStatus.NEW)
    language: Mapped[str] = mapped_column(default="vi")
    target_group: Mapped[TargetGroup | None]
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    tip_hour: Mapped[int | None] = mapped_column(sa.SmallInteger)
    tip_day: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    tipped_on: Mapped[date | None]
    tips_seen: Mapped[list[Any] | None]
    listens: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    consent_version: Mapped[str | None]
    consent_at: Mapped[datetime | None]
    consent_via: Mapped[str | None]
    stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Contact(Base):
    """One address of a person on one account. `title` is kept for groups alone. `preferred` is where somebody with
    several addresses wants to be written to; until `muted_until` a human is talking with them there and the bot keeps
    quiet; `labels` are those that the platform has for them, made from the place and
    group in `labelled`."""

    __tablename__ = "contact"
    __table_args__ = (sa.UniqueConstraint("account_id", "external_id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    external_id: Mapped[str]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), index=True)
    kind: Mapped[ChatKind] = mapped_column(default=ChatKind.PRIVATE)
    title: Mapped[str | None]
    state: Mapped[ContactState] = mapped_column(default=ContactState.OPEN)
    closed_reason: Mapped[Reason | None]
    closed_at: Mapped[datetime | None]
    last_in_at: Mapped[datetime | None]
    preferred: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    muted_until: Mapped[datetime | None]
    labels: Mapped[list[Any] | None]
    labelled: Mapped[str | None]
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"), index=True)


class Role(Base):
    """A role of a person for a unit and everything below it."""

    __tablename__ = "role"
    __table_args__ = (sa.UniqueConstraint("person_id", "role", "unit_id"),)
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"))
    role: Mapped[RoleName]
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    granted_at: Mapped[datetime]


class Lesson(Base):
    """Which tip a curriculum teaches on which day. Append only: a day never changes its tip."""

    __tablename__ = "lesson"
    target_group: Mapped[TargetGroup] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    tip: Mapped[str]


class Item(Base):
    """A piece of content. `parts` are the messages that it consists of (see `bot.outreach.items`)."""

    __tablename__ = "item"
    __table_args__ = (sa.UniqueConstraint("kind", "key", "language"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ItemKind]
    key: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="vi")
    title: Mapped[str] = mapped_column(default="")
    parts: Mapped[list[Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    source: Mapped[str | None]
    pack_version: Mapped[str | None]
    checked_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]


class Upload(Base):
    """Under which id an account can send a file again that it has uploaded once."""

    __tablename__ = "upload"
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[str]
    at: Mapped[datetime]


class Event(Base):
    """Something that takes place. The announcement itself is the item."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    title: Mapped[str]
    place: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    starts_at: Mapped[datetime] = mapped_column(index=True)
    cancelled_at: Mapped[datetime | None]
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]


class Rsvp(Base):
    """Whether a person comes to an event."""

    __tablename__ = "rsvp"
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("event.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    going: Mapped[bool]
    at: Mapped[datetime]


class Campaign(Base):
    """What to send to whom, by whom, in whose name. `audience` is an expression of `bot.outreach.audience`."""

    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[CampaignKind]
    state: Mapped[CampaignState] = mapped_column(default=CampaignState.APPROVED)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("event.id"), index=True)
    audience: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    author_role: Mapped[RoleName | None]
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    header: Mapped[str] = mapped_column(default="")
    urgent: Mapped[bool] = mapped_column(default=False)
    resend_unknown: Mapped[bool] = mapped_column(default=False)
    wanted_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]


def _few(name: str, column: str, condition: str) -> sa.Index:
    """An index of only those rows for which the condition holds."""
    return sa.Index(name, column, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


class Run(Base):
    """One firing of a campaign. Without `materialised_at` there are no deliveries yet. While `gather_after` is set,
    people up to that id have their delivery and those up to `gather_until` still get one. `progress_*` is the message
    in which the author watches it. After `rolled_up_at` only its counts are left."""

    __tablename__ = "run"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "planned_at"),
        sa.Index("run_by_state", "state", "planned_at"),
        _few("run_gathering", "id", "gather_after IS NOT NULL"),
        _few("run_to_roll_up", "finished_at", "rolled_up_at IS NULL"),
        _few("run_watched", "id", "progress_contact_id IS NOT NULL AND reported_at IS NULL"),
        _few("run_by_progress_contact_id", "progress_contact_id", "progress_contact_id IS NOT NULL"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id"))
    lane: Mapped[Lane] = mapped_column(default=Lane.BULK)
    state: Mapped[RunState] = mapped_column(default=RunState.PLANNED)
    problem: Mapped[str | None]
    planned_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    materialised_at: Mapped[datetime | None]
    gather_after: Mapped[int | None] = mapped_column(BigId)
    gather_until: Mapped[int | None] = mapped_column(BigId)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress_contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"))
    progress_message_id: Mapped[str | None]
    reported_at: Mapped[datetime | None]
    rolled_up_at: Mapped[datetime | None]


class Delivery(Base):
    """One run for one person. `contact_id` and `message_id` say how it went; no foreign keys: rows come and go
    by the million, and an erased person leaves only a number behind. On PostgreSQL the table is divided, see
    `bot.db.partitions`."""

    __tablename__ = "delivery"
    __table_args__ = {"sqlite_with_rowid": False}
    run_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state: Mapped[DeliveryState]
    reason: Mapped[Reason | None]
    contact_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[str | None]
    at: Mapped[datetime | None]


class Tally(Base):
    """How many deliveries of a run are in a state, for a reason: kept up to date by whatever changes a delivery, in
    the same transaction, so that nobody counts a million rows. `account_id` is the account that sent, 0 for changes
    that belong to none: several senders never write the same row. A single row may be negative, the sum never is.
    `reason` is the code of the word, -1 for none."""

    __tablename__ = "tally"
    __table_args__ = {"sqlite_with_rowid": False}
    run_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    state: Mapped[DeliveryState] = mapped_column(primary_key=True)
    reason: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    n: Mapped[int] = mapped_column(BigId)


class Rollup(Base):
    """What is left of a run's deliveries after the retention time: how many people of a commune (0: of none) it reached
    on a channel (empty: on none) or not, and why not. `reason` is the code of the word, -1 for none."""

    __tablename__ = "rollup"
    __table_args__ = {"sqlite_with_rowid": False}
    run_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    unit_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[DeliveryState] = mapped_column(primary_key=True)
    reason: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    n: Mapped[int] = mapped_column(BigId)


class Slice(Base):
    """Deliveries that a sender has claimed: `person_id` from `first` to `last` of a run, for one account. An open
    slice whose lease has passed belongs to a sender that died."""

    __tablename__ = "slice"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, index=True)
    account_id: Mapped[int] = mapped_column(sa.Integer)
    owner: Mapped[str]
    first: Mapped[int] = mapped_column(BigId)
    last: Mapped[int] = mapped_column(BigId)
    lease_until: Mapped[datetime]


class Reply(Base):
    """A message of the interactive lane, kept until it has left. `tag` names what waits for its message id.
    Ids are never given twice: senders hold them in memory after the row has gone. Where several processes send,
    `owner` is the one that takes care of it, until `lease_until`."""

    __tablename__ = "reply"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(BigId)
    lane: Mapped[Lane] = mapped_column(default=Lane.REPLY)
    message: Mapped[dict[str, Any]]
    tag: Mapped[str | None]
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Pace(Base):
    """Where several processes send: from when an account's next message may leave, kept on the database's clock as
    seconds since 1970. `factor` is the part of the full rate that the platform bore at its latest refusal, whose
    pause ended at `factor_at`; `patience` seconds later more is tried. Lost in a crash, which does no harm."""

    __tablename__ = "pace"
    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    free_at: Mapped[float] = mapped_column(sa.Double())
    factor: Mapped[float] = mapped_column(sa.Double())
    factor_at: Mapped[float] = mapped_column(sa.Double())
    patience: Mapped[float] = mapped_column(sa.Double())
    halted_until: Mapped[float] = mapped_column(sa.Double())


class ChatPace(Base):
    """The same for one chat of an account: which process may write to it, from when any other may, and for a group
    when it was written to in the last minute."""

    __tablename__ = "chat_pace"
    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    chat: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    free_at: Mapped[float] = mapped_column(sa.Double())
    recent: Mapped[list[Any]] = mapped_column(sa.ARRAY(sa.Double()).with_variant(sa.JSON(), "sqlite"))


class InboundSeen(Base):
    """Events that were handled: what makes redelivery harmless."""

    __tablename__ = "inbound"
    __table_args__ = {"sqlite_with_rowid": False}
    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Conversation(Base):
    """What the bot is waiting for from a contact."""

    __tablename__ = "conversation"
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str]
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class Choice(Base):
    """What a contact can answer with a number: labels and data of the latest buttons that were written out for them."""

    __tablename__ = "choice"
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    options: Mapped[list[Any]]
    at: Mapped[datetime]


class LinkCode(Base):
    """A code with which somebody says on one channel that they are the same person as on another."""

    __tablename__ = "link_code"
    code: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]


class OauthGrant(Base):
    """The rotating pair of tokens of an account. `seed` tells from which first pair it comes; `lost_at` since when a
    human must consent again. Whoever rotates it takes the turn first, until `turn_until`."""

    __tablename__ = "oauth_grant"
    account: Mapped[str] = mapped_column(primary_key=True)
    access_token: Mapped[str]
    refresh_token: Mapped[str]
    obtained_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seed: Mapped[str] = mapped_column(default="")
    lost_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    turn_owner: Mapped[str | None]
    turn_until: Mapped[datetime | None]


class Budget(Base):
    """How much of what an account may do in a month is used: `kind` is `messages`, `paid` or `articles`, `month` like
    `2026-11` in the people's time zone."""

    __tablename__ = "budget"
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(default=0)
    warned: Mapped[bool] = mapped_column(default=False)


class Published(Base):
    """A file that a platform fetches from us under an address that nobody can guess, until it expires."""

    __tablename__ = "published"
    token: Mapped[str] = mapped_column(primary_key=True)
    mime: Mapped[str]
    content: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Article(Base):
    """An article that an account broadcasts to its followers. `external_id` is known once the platform has made it."""

    __tablename__ = "article"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    title: Mapped[str]
    token: Mapped[str]
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str | None]


class Invite(Base):
    """A code that sets the village and credits whoever brought the person."""

    __tablename__ = "invite"
    code: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    created_at: Mapped[datetime]


class Referral(Base):
    """Who came through whom. The inviter sees counts, never people."""

    __tablename__ = "referral"
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"), index=True)
    code: Mapped[str]
    at: Mapped[datetime]


class Relay(Base):
    """An item that a person carried on."""

    __tablename__ = "relay"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    kind: Mapped[RelayKind]
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("run.id"))
    at: Mapped[datetime]


class Tombstone(Base):
    """A keyed hash of an address whose owner asked to be erased: an import must not bring them back."""

    __tablename__ = "tombstone"
    hash: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Audit(Base):
    """What staff and operators did. Never a text of a message."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(BigId)
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any] | None]
