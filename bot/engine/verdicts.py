"""What follows from how a delivery ended, for its person, its run, its account. The decision is the error's own."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bot.core.errors import Decision, Reason, SendError, SlowDown
from bot.core.words import DeliveryState, RunState
from bot.db import Tx, deliveries, people, runs
from bot.db.deliveries import Claimed, Outcome
from bot.engine.breaker import Breaker
from bot.engine.ledger import Ledger
from bot.engine.letters import Letter
from bot.engine.line import Line
from bot.engine.progress import FEW, Progress
from bot.engine.purse import Purse
from bot.outreach import alarms
from bot.outreach.desk import Desk

log = structlog.get_logger(__name__)


class Verdicts:
    """Judges the deliveries of one account. `doubted` are runs whose message the platform refuses, until their state
    says so; `stopped` once the platform refuses the account."""

    def __init__(self, account: str, account_id: int, desk: Desk, ledger: Ledger, line: Line, purse: Purse) -> None:
        self.account = account
        self.account_id = account_id
        self.desk = desk
        self.ledger = ledger
        self.line = line
        self.purse = purse
        self.breaker = Breaker()
        self.stopped = False
        self.doubted: set[int] = set()
        self._too_many: list[Claimed] = []
        self._led_on: set[tuple[int, int]] = set()

    def sent(self, progress: Progress, row: Claimed, message_id: str | None) -> Outcome:
        progress.delivered = True
        if self.purse.counts:
            self.purse.arrived()
            self._too_many.clear()
        if self.breaker.failures and self.breaker.worked():
            log.info("The platform answers again", account=self.account)
        return self._outcome(row, DeliveryState.SENT, message_id=message_id)

    def back(self, row: Claimed) -> Outcome:
        """Not begun, so it waits again."""
        return self._outcome(row, DeliveryState.WAITING)

    def interrupted(self, row: Claimed) -> Outcome:
        """Cut off while it was under way."""
        return self._outcome(row, DeliveryState.UNKNOWN, Reason.INTERRUPTED)

    def refused(self, progress: Progress, letter: Letter, row: Claimed, error: SendError, *, begun: bool) -> Outcome:
        """`begun`: some of the delivery's messages had left before."""
        match error.decision:
            case _ if self._is_about_the_way(error):
                return self._other_way(row, error)
            case Decision.STOP_RUN | Decision.FAIL_DELIVERY:
                self._doubt_content(progress, error)
            case Decision.BACK_OFF if isinstance(error, SlowDown) and not begun:
                self.line.slow_down(error.retry_after)
                return self.back(row)
            case Decision.RETRY | Decision.BACK_OFF:
                return self._no_answer(row) if begun else self.back(row)
            case Decision.STOP_ACCOUNT:
                self.stop_account(error)
                return self._no_answer(row) if begun else self.back(row)
            case Decision.UNKNOWN:
                self.opens_circuit()
                return self._unknown(progress, letter, row)
        return self._outcome(row, DeliveryState.FAILED, error.reason)

    @staticmethod
    def _is_about_the_way(error: SendError) -> bool:
        """Whether the person may still be reached on another channel."""
        ways = (Decision.CLOSE_CONTACT, Decision.KEEP, Decision.OUT_OF_BUDGET)
        return error.decision in ways or error.reason is Reason.RESTRICTED

    def _other_way(self, row: Claimed, error: SendError) -> Outcome:
        """This address does not do. If there is another one, the delivery waits for it; else it has ended, or is kept
        until the person writes."""
        now = self.desk.clock.now()
        if error.decision is Decision.KEEP:
            self._close_window(row, now)
        elif error.decision is Decision.OUT_OF_BUDGET:
            self._run_out(row)
        else:
            self.ledger.close_contact(row.contact_id, error.reason, now)
        if error.decision is not Decision.OUT_OF_BUDGET:
            self._lead_on(row)
        kept = error.decision in (Decision.KEEP, Decision.OUT_OF_BUDGET)
        return self._outcome(row, DeliveryState.SKIPPED if kept else DeliveryState.FAILED, error.reason)

    def _run_out(self, row: Claimed) -> None:
        """Once it is clear that nothing is left for anybody, those of whom it was said first go another way, too; each
        once, so that nobody comes back for ever."""
        self._too_many.append(row)
        if not self.purse.refused():
            return
        for one in self._too_many:
            if (one.run_id, one.person_id) not in self._led_on:
                self._led_on.add((one.run_id, one.person_id))
                self._lead_on(one)
        self._too_many.clear()

    def _lead_on(self, row: Claimed) -> None:
        run_id, person_id = row.run_id, row.person_id
        self.ledger.note(lambda tx: deliveries.reroute(tx, run_id, person_id, self.account_id))

    def _close_window(self, row: Claimed, now: datetime) -> None:
        window, contact = self.purse.window, row.contact_id
        if window is not None:
            self.ledger.note(lambda tx: people.close_window(tx, contact, now - window.closes))

    def opens_circuit(self) -> bool:
        """Count a failure of the platform. Returns whether sending stands still now."""
        if self.breaker.failed(asyncio.get_running_loop().time()):
            log.warning("The platform does not answer; sending pauses and probes", account=self.account)
        return self.breaker.is_open

    def stop_account(self, error: SendError) -> None:
        """The token is not accepted any more: this account rests, its people wait, operators are told."""
        if self.stopped:
            return
        self.stopped = True
        log.error("An account is refused by its platform and stops", account=self.account, detail=error.detail)

        async def stop(tx: Tx) -> None:
            if self.stopped:  # nobody has brought it back meanwhile
                await alarms.account_stopped(tx, self.desk, self.account_id, error.detail)

        self.ledger.note(stop)

    def _unknown(self, progress: Progress, letter: Letter, row: Claimed) -> Outcome:
        """Perhaps delivered. A campaign may say that such rows are sent once more (alerts)."""
        if letter.campaign.resend_unknown and row.person_id not in progress.resent:
            progress.resent.add(row.person_id)
            self.purse.ended(row)
            return self.back(row)
        return self._no_answer(row)

    def _doubt_content(self, progress: Progress, error: SendError) -> None:
        """The same refusal for the first few and nobody got it: stop the run and say why."""
        progress.refusals.append(error.detail)
        if progress.delivered or len(progress.refusals) < FEW or len(set(progress.refusals)) > 1:
            return
        if progress.run_id in self.doubted:
            return
        self.doubted.add(progress.run_id)
        run_id, detail = progress.run_id, error.detail
        log.warning("A run stops: the platform refuses its message", run=run_id, detail=detail)

        async def stop(tx: Tx) -> None:
            run = await runs.get(tx, run_id, lock=True)
            if run is not None and run.state is RunState.SENDING:
                await runs.set_state(tx, run, RunState.STOPPED, self.desk.clock.now(), problem=detail)

        self.ledger.note(stop)

    def _no_answer(self, row: Claimed) -> Outcome:
        return self._outcome(row, DeliveryState.UNKNOWN, Reason.NO_ANSWER)

    def _outcome(
        self, row: Claimed, state: DeliveryState, reason: Reason | None = None, message_id: str | None = None
    ) -> Outcome:
        return Outcome(row.run_id, row.person_id, self.account_id, state, self.desk.clock.now(), reason, message_id)
