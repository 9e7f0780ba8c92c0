"""Rates: thirty a second, one a second per chat, twenty a minute per group, and what is measured."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, User


class Rig:
    """A sandbox without sockets whose seconds pass only when told."""

    def __init__(self, **limits: Any) -> None:
        self.at = 1000.0
        self.server = TelegramSandbox(Limits(**limits), monotonic=lambda: self.at, anyone_reachable=True)
        self.bot: BotAccount = self.server.add_bot("1:A", username="a_bot")
        self.user: User = self.server.add_user(5)
        self.user.start(self.bot)

    async def send(self, chat_id: int = 5, method: str = "sendMessage", **more: object) -> dict[str, Any]:
        return await self.bot.call(method, {"chat_id": chat_id, "text": "x", **more})

    async def many(self, count: int, chat_id: int | None = None) -> list[int]:
        """Retry-after of each of `count` messages to different people (or one chat), 0 when sent."""
        answers = [await self.send(chat_id if chat_id is not None else 10_000 + n) for n in range(count)]
        return [a.get("parameters", {}).get("retry_after", 0) for a in answers]


async def test_thirty_in_any_second_and_not_one_more() -> None:
    rig = Rig()
    assert await rig.many(31) == [0] * 30 + [1]
    rig.at += 0.999
    assert await rig.many(1, chat_id=77) == [1]
    rig.at += 0.001
    assert await rig.many(31) == [0] * 30 + [1]
    assert rig.server.sent(rig.bot) == 60
    assert rig.server.count_429(rig.bot) == 3
    assert rig.server.max_in_window(rig.bot, 1.0) == 30
    assert rig.server.max_in_window(rig.bot, 2.0) == 60


async def test_the_window_slides() -> None:
    rig = Rig()
    await rig.many(20)
    rig.at += 0.6
    assert await rig.many(11) == [0] * 10 + [1]
    rig.at += 0.4
    assert await rig.many(21) == [0] * 20 + [1]


async def test_one_chat_takes_a_short_burst_and_then_one_a_second() -> None:
    rig = Rig()
    assert await rig.many(5, chat_id=5) == [0, 0, 0, 1, 1]
    rig.at += 1
    assert await rig.many(2, chat_id=5) == [0, 1]
    rig.at += 60
    assert await rig.many(4, chat_id=5) == [0, 0, 0, 1]
    assert rig.server.max_per_chat(rig.bot, 1.0) == 3
    assert rig.server.max_per_chat(rig.bot, 1.0, chat_id=5) == 3


async def test_without_a_burst_it_is_exactly_one_a_second() -> None:
    rig = Rig(chat_burst=1)
    assert await rig.many(2, chat_id=5) == [0, 1]
    rig.at += 1
    assert await rig.many(2, chat_id=5) == [0, 1]


async def test_a_group_takes_twenty_a_minute() -> None:
    rig = Rig()
    group = rig.server.add_group(-7, "Thôn", members=[rig.user])
    group.add_bot(rig.bot)
    assert await rig.many(21, chat_id=-7) == [0] * 20 + [60]
    rig.at += 45
    assert await rig.many(1, chat_id=-7) == [15]
    rig.at += 15
    assert await rig.many(1, chat_id=-7) == [0]
    assert rig.server.max_per_chat(rig.bot, 60.0, groups=True) == 20


async def test_a_penalty_shuts_the_gate() -> None:
    rig = Rig(per_second=2, penalty=5)
    assert await rig.many(3) == [0, 0, 6]
    rig.at += 2
    assert await rig.many(1) == [4]
    rig.at += 4
    assert await rig.many(1) == [0]


async def test_every_item_of_an_album_counts() -> None:
    rig = Rig(per_second=3, per_chat_second=None)
    stored = rig.user.send_document(rig.bot, b"x", name="a.txt")
    file_id = stored.json(rig.bot.id)["document"]["file_id"]
    media = [{"type": "document", "media": file_id}] * 2
    assert (await rig.send(method="sendMediaGroup", media=media))["ok"] is True
    assert (await rig.send(method="sendMediaGroup", media=media))["error_code"] == 429
    assert (await rig.send())["ok"] is True


async def test_what_is_not_a_message_does_not_count() -> None:
    rig = Rig(per_second=1, per_chat_second=None)
    sent = (await rig.send())["result"]
    assert (await rig.send(method="sendChatAction", action="typing"))["ok"] is True
    assert (await rig.send(method="editMessageText", message_id=sent["message_id"], text="y"))["ok"] is True
    assert (await rig.send(method="deleteMessage", message_id=sent["message_id"]))["ok"] is True
    assert (await rig.send())["error_code"] == 429


async def test_a_refused_message_does_not_count() -> None:
    rig = Rig(per_second=1)
    rig.server.anyone_reachable = False
    assert (await rig.send(chat_id=404))["error_code"] == 400
    assert (await rig.send(text=""))["error_code"] == 400
    assert (await rig.send())["ok"] is True


async def test_paid_broadcast_needs_both_sides() -> None:
    rig = Rig(per_second=1)
    await rig.send()
    assert (await rig.send(6, allow_paid_broadcast=True))["error_code"] == 429
    rig.bot.paid_broadcast = True
    assert (await rig.send(6, allow_paid_broadcast=True))["ok"] is True


async def test_a_bot_is_measured_alone() -> None:
    rig = Rig(per_second=1)
    other = rig.server.add_bot("2:B")
    await rig.send()
    assert (await other.call("sendMessage", {"chat_id": 6, "text": "x"}))["ok"] is True


async def test_limits_change_for_bots_that_are_there() -> None:
    rig = Rig()
    rig.server.limits = Limits(per_second=2)
    assert await rig.many(3) == [0, 0, 1]


async def test_stricter_limits_are_a_fault_that_can_be_lifted() -> None:
    rig = Rig()
    with rig.server.faults.stricter(rig.bot, per_second=25):
        assert await rig.many(26) == [0] * 25 + [1]
    assert await rig.many(6) == [0] * 5 + [1]


@pytest.mark.parametrize("keep", [3])
async def test_the_journal_forgets_entries_and_keeps_counts(keep: int) -> None:
    server = TelegramSandbox(Limits.none(), anyone_reachable=True, keep_log=keep)
    bot = server.add_bot("1:A")
    for n in range(10):
        await bot.call("sendMessage", {"chat_id": 100 + n, "text": "x"})
    assert len(server.log) == keep
    assert server.sent() == server.sent(bot) == 10
    entry = server.log[-1]
    assert (entry.bot_id, entry.method, entry.chat_id, entry.message_id, entry.status) == (
        1,
        "sendMessage",
        109,
        10,
        200,
    )


async def test_made_up_people_cost_little_and_keep_little() -> None:
    server = TelegramSandbox(Limits.none(), anyone_reachable=True)
    bot = server.add_bot("1:A")
    for n in range(10):
        await bot.call("sendMessage", {"chat_id": 7, "text": f"tin {n}"})
    assert [m.text for m in bot.chats[7].messages] == ["tin 7", "tin 8", "tin 9"]
    assert bot.chats[7].count == 10
