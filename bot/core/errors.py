"""The closed list of what can go wrong, each error carrying its own decision.

    LoaSoError
    ├── UserError                 somebody must change something; the text says what
    │   ├── SettingsError         every wrong setting named at once
    │   └── BadFile               lines of an imported file that were refused
    └── SendError                 a channel could not send; `decision` says what follows
        ├── ContactClosed         this address is gone, until the person writes again
        ├── ContactMoved          this address has a new id
        ├── ContactRefused        this address exists, but not for this message
        ├── OutOfWindow           this address may be written to only after it writes: kept until then
        ├── BadContent            the same for every recipient: stop the run
        ├── AccountStopped        the token is no longer valid: stop the account
        ├── BudgetUsed            this account has sent what it may send this month
        ├── SlowDown              the platform asks us to wait
        ├── NotSent               surely not delivered: try again later
        │   └── UploadExpired     the platform has forgotten an uploaded file: upload it again
        └── OutcomeUnknown        perhaps delivered: never resent by itself

A channel maps its platform's errors to these in one place; nobody else decides about retries.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class LoaSoError(Exception):
    """Anything that Loa Số raises on purpose."""


class UserError(LoaSoError):
    """One plain sentence that says what is wrong and what to do; shown as it is, without a traceback."""


class SettingsError(UserError):
    """Some settings are wrong. `problems` names every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class BadFile(UserError):
    """An imported file as a whole cannot be read: no header, not UTF-8, too large."""


class Decision(StrEnum):
    """What the sender does after an error."""

    CLOSE_CONTACT = "close_contact"
    MOVE_CONTACT = "move_contact"
    FAIL_DELIVERY = "fail_delivery"
    STOP_RUN = "stop_run"
    STOP_ACCOUNT = "stop_account"
    KEEP = "keep"
    OUT_OF_BUDGET = "out_of_budget"
    BACK_OFF = "back_off"
    RETRY = "retry"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a delivery was not sent, in words that a report can count. The texts for people are in `messages`."""

    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"
    NOT_FOUND = "not_found"
    NEVER_STARTED = "never_started"
    KICKED = "kicked"
    NO_RIGHTS = "no_rights"
    BAD_CONTENT = "bad_content"
    ACCOUNT_STOPPED = "account_stopped"
    GAVE_UP = "gave_up"
    NO_ROUTE = "no_route"
    CAPPED = "capped"
    OPTED_OUT = "opted_out"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    INTERRUPTED = "interrupted"
    NO_ANSWER = "no_answer"
    RUN_STOPPED = "run_stopped"
    WINDOW_CLOSED = "window_closed"
    BUDGET_USED = "budget_used"
    RESTRICTED = "restricted"
    LINKED = "linked"


class SendError(LoaSoError):
    """A channel could not send. `reason` is counted in reports; `detail` is the platform's own description,
    for operators only: it never holds a token or a text of a person."""

    decision: ClassVar[Decision]

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class ContactClosed(SendError):
    """Blocked, deactivated, kicked, never found: closed until the person writes or a membership update says so."""

    decision = Decision.CLOSE_CONTACT


class ContactMoved(SendError):
    """A group was upgraded: replace its id by `new_id` and send once more."""

    decision = Decision.MOVE_CONTACT

    def __init__(self, new_id: str, detail: str = "") -> None:
        super().__init__(Reason.NOT_FOUND, detail)
        self.new_id = new_id


class ContactRefused(SendError):
    """The address exists, but this message may not be written there (no rights, voice forbidden, topic closed)."""

    decision = Decision.FAIL_DELIVERY


class OutOfWindow(SendError):
    """The platform lets us write to this person only for a while after they wrote: kept for the moment they do."""

    decision = Decision.KEEP

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.WINDOW_CLOSED, detail)


class BadContent(SendError):
    """The message itself is wrong, so it is wrong for everybody."""

    decision = Decision.STOP_RUN

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.BAD_CONTENT, detail)


class AccountStopped(SendError):
    """The platform no longer accepts this account's token."""

    decision = Decision.STOP_ACCOUNT

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.ACCOUNT_STOPPED, detail)


class BudgetUsed(SendError):
    """What the account may send in this month is used up; the message was not delivered. Nothing is retried before the
    next month."""

    decision = Decision.OUT_OF_BUDGET

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.BUDGET_USED, detail)


class SlowDown(SendError):
    """The platform asks us to wait `retry_after` seconds; the message was not delivered, no attempt is counted."""

    decision = Decision.BACK_OFF

    def __init__(self, retry_after: float, detail: str = "") -> None:
        super().__init__(Reason.GAVE_UP, detail)
        self.retry_after = retry_after


class NotSent(SendError):
    """No connection, or the platform said that it failed: surely not delivered."""

    decision = Decision.RETRY

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.GAVE_UP, detail)


class UploadExpired(NotSent):
    """The platform no longer has a file that was uploaded to it; the message was not delivered."""


class OutcomeUnknown(SendError):
    """The request was written and no answer came: it may have been delivered."""

    decision = Decision.UNKNOWN

    def __init__(self, detail: str = "") -> None:
        super().__init__(Reason.NO_ANSWER, detail)
