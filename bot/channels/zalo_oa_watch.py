"""Looking after the tokens in the background: renewed in time also when nobody writes, never lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.channels.zalo_oa_tokens import TokenKeeper
from bot.core.errors import AccountStopped, NotSent, SendError
from bot.core.grants import Grant, GrantStore

log = structlog.get_logger()

Tell = Callable[[str], Awaitable[None]]


class TokenWatch:
    """For one account, between `begin` and `stop`. `on_lost` is told why a human must consent again, `on_found` when
    one has, each once, from the background; `when_good` runs each time that all is well."""

    def __init__(
        self,
        account: str,
        keeper: TokenKeeper,
        store: GrantStore,
        seed: Grant | None,
        when_good: Callable[[], Awaitable[None]],
        *,
        look_seconds: float,
        on_lost: Tell | None,
        on_found: Tell | None,
    ) -> None:
        self._account = account
        self._keeper = keeper
        self._store = store
        self._seed = seed
        self._when_good = when_good
        self._look_seconds = look_seconds
        self._tell = {True: on_lost, False: on_found}
        self._lost = False
        self._task: asyncio.Task[None] | None = None
        self._log = log.bind(account=account)

    async def begin(self) -> None:
        """Look once, and from then on every few seconds, whatever was found. Raises `AccountStopped` when a human must
        consent."""
        self._lost = False
        try:
            await self._look_after()
        except AccountStopped:
            self._lost = True
            raise
        except SendError as error:
            self._log.warning("account is not ready yet", error=type(error).__name__, detail=error.detail)
        finally:
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name=f"tokens of {self._account}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await self._look_once()
            except Exception:  # a fault of ours or of who is told must not let the tokens die weeks later
                self._log.exception("tokens could not be looked after")

    async def _look_once(self) -> None:
        try:
            await self._look_after()
        except AccountStopped as error:
            await self._turned(lost=True, detail=error.detail)
        except SendError as error:
            self._log.debug("tokens have to wait", error=type(error).__name__, detail=error.detail)
        else:
            await self._turned(lost=False, detail="")

    async def offer_seed(self) -> None:
        """Once: afterwards, what is stored is newer. Raises `NotSent` while the store is away."""
        if self._seed is None:
            return
        try:
            await self._store.offer(self._seed)
        except ConnectionError as error:
            raise NotSent("the tokens cannot be read right now") from error
        self._seed = None

    async def _look_after(self) -> None:
        await self.offer_seed()
        await self._keeper.keep()
        await self._when_good()

    async def _turned(self, *, lost: bool, detail: str) -> None:
        """Who is to be told is told again when that failed."""
        if lost == self._lost:
            return
        tell = self._tell[lost]
        if tell is not None:
            await tell(detail)
        self._lost = lost
        if lost:
            self._log.error("a human must consent again", detail=detail)
        else:
            self._log.info("a human has consented: the account works again")
