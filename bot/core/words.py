"""Closed lists of words that states, roles and kinds are made of. The order is kept on disk: append only."""

from __future__ import annotations

from enum import StrEnum


class AccountState(StrEnum):
    ACTIVE = "active"
    STOPPED = "stopped"


class UnitKind(StrEnum):
    PROVINCE = "province"
    COMMUNE = "commune"
    VILLAGE = "village"


class PersonKind(StrEnum):
    """A group chat is kept as a person of kind `GROUP`, so that runs and deliveries know one kind of addressee."""

    HUMAN = "human"
    GROUP = "group"


class PersonStatus(StrEnum):
    NEW = "new"
    ACTIVE = "active"
    STOPPED = "stopped"


class TargetGroup(StrEnum):
    STUDENT = "student"
    RESIDENT = "resident"
    PUBLIC_STAFF = "public_staff"
    WORKER = "worker"
    BUSINESS_HOUSEHOLD = "business_household"
    ELDERLY = "elderly"


class ContactState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class RoleName(StrEnum):
    VILLAGE_HEAD = "village_head"
    HELPER = "helper"
    INFLUENCER = "influencer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


class ItemKind(StrEnum):
    TIP = "tip"
    EVENT = "event"
    BROADCAST = "broadcast"
    NOTICE = "notice"
    QUESTION = "question"


class CampaignKind(StrEnum):
    TIP = "tip"
    EVENT = "event"
    EVENT_REMINDER = "event_reminder"
    EVENT_CANCELLED = "event_cancelled"
    BROADCAST = "broadcast"
    ALERT = "alert"
    PRACTICE = "practice"


class CampaignState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"
    MISSED = "missed"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Lane(StrEnum):
    ALERT = "alert"
    REPLY = "reply"
    BULK = "bulk"


class RelayKind(StrEnum):
    VILLAGE = "village"
    CIRCLE = "circle"
    GROUP = "group"
    LINK = "link"


class QuestionState(StrEnum):
    """What became of a question that was put to people. `SETTLED` drops who asked, `EXPIRED` its words, too."""

    OPEN = "open"
    ANSWERED = "answered"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class EntryState(StrEnum):
    """What became of an answer that people want the bot to know."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
