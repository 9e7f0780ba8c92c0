"""Which channels the settings ask for, and what each of them needs from the rest of the wires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.channels.telegram import CommandsMenu, MenuTexts, TelegramChannel
from bot.channels.zalo_bot import ZaloBotChannel
from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.channel import Capabilities, Channel
from bot.core.clock import Clock
from bot.core.grants import Grant, GrantStore, seed_grant
from bot.db import Database
from bot.db.grants import DatabaseGrants
from bot.outreach.desk import Publish
from bot.settings import Settings, secret_key
from bot.speech import speech
from bot.speech.speech import Speech
from handlers.commands import described
from messages import Phrasebook

log = structlog.get_logger(__name__)

Tell = Callable[[str, str], Awaitable[None]]
"""Is told of an account that stopped (with the reason) or works again (with an empty one)."""


@dataclass(frozen=True, slots=True)
class Wires:
    """What channels are given. `database` keeps rotating tokens; `publish` puts files where platforms fetch them."""

    settings: Settings
    clock: Clock
    book: Phrasebook
    database: Database
    publish: Publish | None = None
    tell: Tell | None = None


def make_channels(wires: Wires) -> list[Channel]:
    """One channel an account. None at all is allowed: everything but receiving and sending works."""
    return [*_telegram(wires), *_zalo_bot(wires), *_zalo_oa(wires)]


def capabilities(settings: Settings, clock: Clock, database: Database) -> dict[str, Capabilities]:
    """What can be written where, for commands that plan and do not send."""
    made = make_channels(Wires(settings, clock, Phrasebook(settings.zone), database))
    return {channel.account: channel.capabilities for channel in made}


def commands_menu(book: Phrasebook) -> CommandsMenu:
    """What Telegram shows about the bot before anybody writes."""

    def texts(language: str) -> MenuTexts:
        return MenuTexts(
            commands=described(book, language),
            description=book.label(language, "common.bot_description"),
            about=book.label(language, "common.bot_about"),
        )

    return CommandsMenu(default=texts("vi"), translations={"en": texts("en")})


def _telegram(wires: Wires) -> list[Channel]:
    settings = wires.settings
    if not settings.telegram_token:
        return []
    menu = commands_menu(wires.book)
    return [
        TelegramChannel(
            token.get_secret_value(),
            api_url=settings.telegram_api_url,
            secret_key=secret_key(settings),
            rate=settings.telegram_rate,
            commands=menu,
            mode=settings.telegram_mode.value,
            public_url=settings.public_url,
            clock=wires.clock.now,
        )
        for token in settings.telegram_token
    ]


def _zalo_bot(wires: Wires) -> list[Channel]:
    settings = wires.settings
    if settings.zalo_bot_token is None:
        return []
    return [
        ZaloBotChannel(
            settings.zalo_bot_token.get_secret_value(),
            api_url=settings.zalo_bot_api_url,
            secret_key=secret_key(settings),
            mode=settings.zalo_bot_mode.value,
            public_url=settings.public_url,
            monthly=settings.zalo_bot_monthly,
            people=settings.zalo_bot_people,
            groups=settings.zalo_bot_groups,
            clock=wires.clock.now,
            publish=wires.publish,
        )
    ]


def _zalo_oa(wires: Wires) -> list[Channel]:
    made = make_zalo_oa(wires)
    return [] if made is None else [made]


def make_zalo_oa(wires: Wires) -> ZaloOaChannel | None:
    """The Official Account, if the settings name one."""
    settings, tell = wires.settings, wires.tell
    if settings.zalo_oa_app_id is None or settings.zalo_oa_app_secret is None or settings.zalo_oa_oa_secret is None:
        return None
    account = f"zalo_oa:{settings.zalo_oa_app_id}"

    async def lost(problem: str) -> None:
        if tell is not None:
            await tell(account, problem)

    async def found(_: str = "") -> None:
        if tell is not None:
            await tell(account, "")

    return ZaloOaChannel(
        settings.zalo_oa_app_id,
        settings.zalo_oa_app_secret.get_secret_value(),
        settings.zalo_oa_oa_secret.get_secret_value(),
        api_url=settings.zalo_oa_api_url,
        oauth_url=settings.zalo_oa_oauth_url,
        store=grants_of(settings, wires.database, wires.clock),
        seed=seed_of(settings, wires.clock),
        secret_key=secret_key(settings),
        public_url=settings.public_url,
        buttons=settings.zalo_oa_buttons,
        paid_monthly=settings.zalo_oa_paid_monthly,
        clock=wires.clock.now,
        on_lost=lost,
        on_found=found,
    )


def grants_of(settings: Settings, database: Database, clock: Clock) -> GrantStore:
    """Where the Official Account's tokens are kept."""
    return DatabaseGrants(database, f"zalo_oa:{settings.zalo_oa_app_id}", clock=clock.now)


def seed_of(settings: Settings, clock: Clock) -> Grant | None:
    """The pair of tokens that the settings name, for the first start."""
    access, refresh = settings.zalo_oa_access_token, settings.zalo_oa_refresh_token
    if access is None and refresh is None:
        return None
    return seed_grant(
        access.get_secret_value() if access else "", refresh.get_secret_value() if refresh else "", clock.now()
    )


def make_speech(settings: Settings) -> Speech | None:
    """Who reads aloud, if the settings name somebody who can; `loaso check` says the same."""
    made = speech.make(settings, (settings.sqlite_path or Path("var/loaso.db")).with_name("speech"))
    problem = made.problem() if made is not None else ""
    if problem:
        log.warning("Nobody reads aloud", problem=problem)
    return None if problem else made
