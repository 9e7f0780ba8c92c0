"""Which of our accounts writes to a person from whom we have not heard yet."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.db import Tx, accounts
from bot.db.tables import Account
from bot.settings import Settings


def configured(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The keys of the accounts that the settings name, by channel."""
    tokens = (token.get_secret_value() for token in settings.telegram_token)
    found = {"telegram": tuple(f"telegram:{token.partition(':')[0]}" for token in tokens)}
    if settings.zalo_bot_token is not None:
        found["zalo_bot"] = (f"zalo_bot:{settings.zalo_bot_token.get_secret_value().partition(':')[0]}",)
    if settings.zalo_oa_app_id is not None:
        found["zalo_oa"] = (f"zalo_oa:{settings.zalo_oa_app_id}",)
    return found


async def open_to(tx: Tx, channel: str, keys: Mapping[str, Sequence[str]], now: datetime) -> list[Account]:
    """The accounts of a channel among which new people are spread: those of the settings, else those known from
    earlier, else a place to wait until there is one."""
    named = [await accounts.ensure(tx, key, now) for key in keys.get(channel, ())]
    return named or await accounts.of_channel(tx, channel) or [await accounts.ensure(tx, waiting(channel), now)]


def waiting(channel: str) -> str:
    """The key under which contacts wait for their channel's first account."""
    return f"{channel}:{accounts.UNASSIGNED}"


def choose(among: Sequence[Account], external_id: str) -> Account:
    """Always the same one of the same accounts, evenly spread."""
    return among[zlib.crc32(external_id.encode()) % len(among)]
