"""`loaso check` where people are on Zalo: each account by itself, what to do about it, what nobody can look up."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.channels.zalo_oa import to_confirm
from bot.sandbox.zalo_bot import Oddities, ZaloBotAccount, ZaloBotSandbox
from tests.cli.conftest import Ended
from tests.cli.zalo_office import Office, an_office

__all__ = ["an_office"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOKEN = "12345689:abc-xyz_fAkE_000000000000000000"


@pytest.fixture(name="bot")
async def a_bot(office: Office) -> AsyncIterator[ZaloBotAccount]:
    """Beside an Official Account that somebody has consented to."""
    server = ZaloBotSandbox(oddities=Oddities(duplicates=0), strict_webhooks=False)
    await server.start()
    office.set(zalo_bot_token=TOKEN, zalo_bot_api_url=server.url)
    await office.consent()
    yield server.add_bot(TOKEN, "Bot Loa Số")
    await server.stop()


def lines(ended: Ended) -> dict[str, str]:
    """What was said, by what was looked at; of several hints the last."""
    assert TOKEN not in ended.out
    assert ended.err == ""
    found = [line.split(": ", 1) for line in ended.out.splitlines()]
    return {what: f"{what[0]} {text}" for what, text in found} | {what[2:]: what[0] for what, _ in found}


async def test_both_accounts_answer_with_telegram_off(office: Office, bot: ZaloBotAccount) -> None:
    ended = await office("check")
    said = lines(ended)
    assert ended.code == 0, ended.out
    assert said["✓ zalo_bot:12345689"] == "✓ Bot Loa Số"
    assert said[f"✓ {office.key}"] == "✓ Loa Số"
    assert said["✓ clock"].startswith("✓ agrees with 127.0.0.1:")
    assert "telegram" not in ended.out
    for fact in to_confirm():
        assert f"• confirm in Zalo's console: {fact}\n" in ended.out


async def test_a_token_that_is_revoked_is_named_alone(office: Office, bot: ZaloBotAccount) -> None:
    bot.revoked = True
    ended = await office("check")
    said = lines(ended)
    assert (ended.code, said[office.key]) == (1, "✓")
    assert "LOASO_ZALO_BOT_TOKEN" in said["✗ zalo_bot:12345689"]
    bot.revoked = False
    office.zalo.oauth.revoke()
    ended = await office("check")
    said = lines(ended)
    assert (ended.code, said["zalo_bot:12345689"]) == (1, "✓")
    assert "consent again with 'loaso zalo connect'" in said[f"✗ {office.key}"]


async def test_what_is_wrong_with_the_account_says_what_to_do(office: Office) -> None:
    ended = await office("check")
    assert (ended.code, "nobody has consented yet" in lines(ended)[f"✗ {office.key}"]) == (1, True)
    await office.consent()
    office.zalo.verified = False
    ended = await office("check")
    assert (ended.code, "oa.zalo.me" in lines(ended)[f"✗ {office.key}"]) == (1, True)
    office.zalo.verified = True
    await office.zalo.stop()
    ended = await office("check")
    said = lines(ended)
    assert (ended.code, said["clock"]) == (1, "•")
    assert "LOASO_ZALO_OA_API_URL" in said[f"✗ {office.key}"]
    await office.zalo.start()


async def test_with_everything_off_only_a_hint_is_given(office: Office) -> None:
    for name in ("app_id", "app_secret", "oa_secret"):
        office.set(**{f"zalo_oa_{name}": ""})
    ended = await office("check")
    assert (ended.code, lines(ended)["telegram"]) == (0, "•")
    assert "zalo_oa:" not in ended.out
    assert "confirm in Zalo's console" not in ended.out


async def test_wrong_settings_of_zalo_are_all_named(office: Office) -> None:
    office.set(zalo_bot_token="hush-hush", zalo_oa_app_secret="", zalo_bot_people="many")
    ended = await office("check")
    for name in ("LOASO_ZALO_BOT_TOKEN", "LOASO_ZALO_BOT_PEOPLE", "LOASO_ZALO_OA_APP_SECRET"):
        assert f"✗ settings: {name}: " in ended.out
    assert (ended.code, "hush" in ended.out) == (1, False)
