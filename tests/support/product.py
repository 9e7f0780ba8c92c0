"""The whole product in this process, over real HTTP against the sandbox, at an hour of the day fit for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import App
from bot.core.clock import Clock, utc_now
from bot.core.events import Outbound
from bot.core.words import CampaignKind
from bot.db import Database, runs
from bot.db.migrate import migrate
from bot.outreach import audience, campaigns, people_import, posts
from bot.sandbox.telegram import TelegramSandbox
from bot.settings import Settings, secret_key
from tests.support.talk import MORNING, ZONE

TOKEN = "123456:AAaaBBbbCCccDDddEEeeFFff"


def daytime() -> Clock:
    """A clock that runs, and that begins at half past one: no tip is due, nobody is asleep."""
    ahead = MORNING + timedelta(hours=4, minutes=30) - utc_now()
    return Clock(ZONE, lambda: datetime.now(UTC) + ahead)


class Product:
    """One or more bots against one sandbox."""

    def __init__(
        self, server: TelegramSandbox, database_url: str, *, tokens: Sequence[str] = (TOKEN,), **settings: Any
    ) -> None:
        self.server = server
        self.settings = Settings(
            _env_file=None,
            database_url=database_url,
            telegram_token=",".join(tokens),
            telegram_api_url=server.url,
            secret_key="kept by the tests",
            http_port=0,
            **settings,
        )
        self.clock = daytime()
        self.app = App(self.settings, clock=self.clock)

    async def __aenter__(self) -> Product:
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()

    async def bring(self, ids: Sequence[int], folder: Path, unit: str = "18859") -> None:
        """Import people as an operator would, before the product starts."""
        path = folder / "people.csv"
        rows = "".join(f"telegram,{n},,{unit},resident,vi,2026-11-01T08:00:00+07:00\n" for n in ids)
        path.write_text("channel,external_id,name,unit,group,language,consented_at\n" + rows, "utf-8")
        database = Database(self.settings.database_url)
        await migrate(database)
        refused: list[str] = []
        job = people_import.Import(
            database,
            self.clock.now(),
            ZONE,
            posts.configured(self.settings),
            lambda: secret_key(self.settings),
            lambda line, reason: refused.append(f"{line}: {reason}"),
        )
        await job.run(path, lambda _bytes: None)
        await database.close()
        assert not refused

    async def send(self, text: str, to: str = "all", **options: Any) -> int:
        """A campaign as an operator would send it; returns the run's id."""
        now = self.clock.now()
        plan = campaigns.Plan(
            kind=CampaignKind.BROADCAST,
            parts=[Outbound(chat_id="", text=text)],
            audience=audience.parse(to),
            at=now - timedelta(seconds=1),
            **options,
        )
        async with self.app.database.write() as tx:
            _, run = await campaigns.create(tx, self.app.desk, plan, now)
        assert run is not None
        self.app.engine.wake()
        return run.id

    async def status(self, run_id: int) -> dict[str, Any]:
        async with self.app.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None
            return await campaigns.status(tx, run)
