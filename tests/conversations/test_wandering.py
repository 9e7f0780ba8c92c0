"""Somebody who presses and writes whatever comes to mind: nothing breaks, and what was promised holds."""

from __future__ import annotations

import random

import pytest

from bot.core.words import PersonStatus
from bot.outreach import consent, curriculum
from tests.support.talk import Speaker, Talk

TEXTS = (
    *("/start", "/menu", "/settings", "/tip", "/stop", "/resume", "/delete", "/help", "/events", "/invite", "/nothing"),
    *(
        "đồng ý",
        "không",
        "bỏ qua",
        "bắc lý",
        "quang tien",
        "minh hóa",
        "thôn 1",
        "người già",
        "6h tối",
        "5h sáng",
        "1",
        "2",
        "0",
    ),
    *("dừng", "tiếp", "xóa", "hủy", "thôi", "quên mật khẩu vneid", "vneid", "chào", "cảm ơn", "blabla", "", "#ABC2345"),
    *("đổi xã", "đổi giờ", "/start i_ABC2345-t_otp_never", "_*[<&", "🙂", "tôi muốn tự tử", "mã otp 482913", "English"),
    *("luyện tập", "kết quả", "luyện tập thôn"),
)


async def wander(speaker: Speaker, chance: random.Random) -> list[str]:
    """One thing to do: usually a button in sight, else something to say."""
    newest = 6 if speaker.talk.channel.capabilities.buttons else 1
    shown = [b.data for m in speaker.heard[-newest:] for row in m.buttons for b in row if b.data]
    if shown and chance.random() < 0.55:
        return await speaker.presses_data(chance.choice(shown), str(chance.randint(1, 40)))
    return await speaker.says(chance.choice(TEXTS))


@pytest.mark.parametrize("seed", range(6))
async def test_wandering_about_breaks_nothing(talk: Talk, seed: int) -> None:
    chance = random.Random(seed)
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    for number in range(1, 14):
        await talk.village(f"v{number}", f"Thôn {number}")
    speakers = [talk.person("1"), await talk.resident("2"), talk.person("2").in_group("-100")]
    for step in range(70 if talk.channel.capabilities.edit else 25):
        speaker = chance.choice(speakers)
        keys = await wander(speaker, chance)
        assert "common.broken" not in keys, (seed, step, keys)
        assert keys, "somebody is always answered"
        talk.advance(minutes=chance.choice((0, 1, 50)))
        known = await talk.record(speaker.chat_id)
        if known is not None and known.status is PersonStatus.ACTIVE:
            assert consent.has(known, talk.desk), "nobody is written to without consent"
            assert known.target_group is not None
            assert known.tip_hour is not None
            assert 7 <= known.tip_hour <= 20
        elif known is not None and known.consent_at is None:
            assert (known.unit_id, known.target_group, known.tip_hour) == (known.unit_id, None, None)
