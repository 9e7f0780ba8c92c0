"""The platforms on which the people of the demo are: one Telegram bot, one Zalo Official Account, one Zalo bot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

from bot.sandbox.telegram import TelegramSandbox
from bot.sandbox.telegram import Timing as TelegramTiming
from bot.sandbox.zalo_bot import ZaloBotSandbox
from bot.sandbox.zalo_oa import Limits as OaLimits
from bot.sandbox.zalo_oa import Timing as OaTiming
from bot.sandbox.zalo_oa import ZaloOaSandbox

BOT_TOKEN = "700000001:demo-token-that-opens-nothing"  # noqa: S105 - it works on this machine only
ZALO_BOT_TOKEN = "700000002:demo-token-that-opens-nothing"  # noqa: S105
OA_APP_ID = "700000003"
_PATIENT = OaTiming(webhook_timeout=10.0, webhook_retries=(0.5, 1.0, 2.0, 4.0, 8.0))
"""A busy machine must not make the Official Account deaf."""
_REFRESH_LIFE = 10 * 365 * 24 * 3600.0
"""In a jump of months nobody could renew what Zalo lets live for ninety days."""


@dataclass(slots=True)
class Worlds:
    """All of them, with one clock."""

    telegram: TelegramSandbox
    zalo_oa: ZaloOaSandbox
    zalo_bot: ZaloBotSandbox

    @classmethod
    def by(cls, clock: Callable[[], float]) -> Worlds:
        """`clock` gives seconds since 1970."""
        return cls(
            TelegramSandbox(timing=TelegramTiming.fast(), clock=clock),
            ZaloOaSandbox(
                app_id=OA_APP_ID,
                oa_name="Loa Số",
                clock=clock,
                timing=_PATIENT,
                limits=OaLimits(refresh_life=_REFRESH_LIFE),
            ),
            ZaloBotSandbox(clock=clock),
        )

    async def start(self) -> None:
        """All or none."""
        async with AsyncExitStack() as undo:
            for world in (self.telegram, self.zalo_oa, self.zalo_bot):
                await world.start()
                undo.push_async_callback(world.stop)
            undo.pop_all()

    async def stop(self) -> None:
        for world in (self.zalo_bot, self.zalo_oa, self.telegram):
            await world.stop()

    @contextmanager
    def ago(self, seconds: float) -> Iterator[None]:
        """What happens in this block happened so long ago on Zalo."""
        oa, bot = self.zalo_oa.clock, self.zalo_bot.clock
        self.zalo_oa.clock = lambda: oa() - seconds
        self.zalo_bot.clock = lambda: bot() - seconds
        try:
            yield
        finally:
            self.zalo_oa.clock, self.zalo_bot.clock = oa, bot
