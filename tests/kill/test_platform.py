"""What the platform does to a run: it goes away, it loses its answers, it refuses the message or the token."""

from __future__ import annotations

import aiohttp
import pytest

from bot.core.words import DeliveryState
from tests.kill import strikes
from tests.kill.conftest import Stage
from tests.kill.scene import TOKENS, Scene

ADMIN = 4_000

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_outage_pauses_the_run_and_disables_nobody(on_stage: Stage) -> None:
    async with on_stage(rate=60, count=200) as scene:
        await scene.start()
        judge = await scene.send("Tin giữa lúc mất mạng")
        await scene.until_more(50)
        await strikes.outage(scene, 3)
        await scene.program.until(judge.run_id, "done")
        verdict = await judge.uphold(unknown=scene.window)
        assert verdict.sent + verdict.unknown == 200
        assert await judge.closed() == set()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_what_is_repeated_is_what_was_named(on_stage: Stage) -> None:
    """Five are refused and seven answers are lost after delivery: `retry-failed` repeats the five, and
    `resend-unknown` the seven."""
    async with on_stage(rate=100, count=200) as scene:
        refused = tuple(scene.people)[60:65]
        await scene.start()
        with (
            scene.telegram.faults.error(400, "Bad Request: CHAT_WRITE_FORBIDDEN", chat_id=refused),
            scene.telegram.faults.drop_after(method="sendMessage", count=7, skip=80),
        ):
            judge = await scene.send("Tin gửi lại cho đúng người")
            await scene.program.until(judge.run_id, "done")
        lost = {entry.chat_id or 0 for entry in scene.telegram.log if entry.lost}
        await judge.uphold(unknown=7)
        assert await judge.chats(DeliveryState.UNKNOWN) == lost
        assert await judge.chats(DeliveryState.FAILED) == set(refused)

        await judge.remember()
        judge.ask_again(refused)
        await scene.program.loaso("campaign", "retry-failed", str(judge.run_id))
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold(unknown=7)).sent == 193
        assert judge.came_more_than_once() == set()

        await judge.remember()
        judge.ask_again(lost)
        await scene.program.loaso("campaign", "resend-unknown", str(judge.run_id))
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold()).sent == 200
        assert judge.came_more_than_once() == lost


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_bad_message_stops_after_the_first_few_and_says_why(on_stage: Stage) -> None:
    async with on_stage(rate=0, count=500) as scene:
        await scene.start()
        unreadable = "Bad Request: can't parse entities: unsupported start tag"
        with scene.telegram.faults.error(400, unreadable, method="sendMessage"):
            judge = await scene.send("Tin viết sai")
            status = await scene.program.until(judge.run_id, "stopped")
            await scene.until_at_rest(0.5)
        assert "parse entities" in status["problem"]
        assert scene.telegram.log.refused(400) <= 5
        assert (await judge.uphold(may_wait=True)).arrived == 0
        assert await judge.closed() == set()
        await scene.program.loaso("campaign", "resume", str(judge.run_id))
        await scene.program.loaso("campaign", "retry-failed", str(judge.run_id))
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold()).sent == 500


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_revoked_token_stops_its_account_alone_and_the_admins_hear_of_it(on_stage: Stage) -> None:
    async with on_stage(rate=60, count=200, tokens=TOKENS, admins=f"telegram:{ADMIN}") as scene:
        revoked, other = scene.bots
        await scene.start()
        admin = scene.telegram.add_user(ADMIN, "Chị Hoa")
        await admin.start(other)
        await admin.chat(other).wait(lambda message: message.from_bot, timeout=10)
        judge = await scene.send("Tin khi một mã bị thu hồi")
        await scene.until_more(60)
        with scene.telegram.faults.revoke_token(revoked):
            await admin.chat(other).wait_text(f"telegram:{revoked.id}", timeout=20)
            await scene.until_at_rest(1.5)
            verdict = await judge.uphold(may_wait=True)
            assert 0 < verdict.waiting < 140
            assert verdict.sent + verdict.waiting == 200
            assert await judge.chats(DeliveryState.WAITING) <= await judge.chats_of(f"telegram:{revoked.id}")
            assert await _not_ready(scene) == [f"telegram:{revoked.id}"]
            assert "An account is refused by its platform" in scene.program.said
            await scene.stop()
        await scene.start()
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold()).sent == 200


async def _not_ready(scene: Scene) -> list[str]:
    """The accounts that do not work, by `/readyz`."""
    async with aiohttp.ClientSession() as session, session.get(f"{scene.program.url}/readyz") as answer:
        assert answer.status == 503
        accounts = (await answer.json())["accounts"]
    return [account for account, state in accounts.items() if state != "ok"]
