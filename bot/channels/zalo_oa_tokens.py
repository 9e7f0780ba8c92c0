"""The tokens of an Official Account: renewed at half their life by one process at a time, stored before they are used.

A refresh token can be used once. When the answer to its use is lost, so is the account until a human consents again:
that is said at once (`AccountStopped`), as soon as Zalo refuses the token that we still have.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any

import orjson

from bot.channels.telegram_json import text
from bot.channels.zalo_http import ZaloHttp
from bot.channels.zalo_oa_consent import (
    STATE_LIFE,
    check_state,
    code_challenge,
    code_verifier,
    consent_url,
    make_state,
)
from bot.core.errors import AccountStopped, NotSent, OutcomeUnknown, SlowDown
from bot.core.grants import UNKNOWN_LIFE, Grant, GrantStore

__all__ = [
    "CONSENT_AGAIN",
    "STATE_LIFE",
    "TokenKeeper",
    "check_state",
    "code_challenge",
    "code_verifier",
    "consent_url",
    "make_state",
]

CONSENT_AGAIN = "consent again with 'loaso zalo connect'"
READ_SECONDS = 15.0
TURN_SECONDS = 60.0
"""Longer than any request for a token can take: who has lost the turn no longer waits for an answer."""

_ACCESS_TOKEN = "/v4/oa/access_token"  # noqa: S105 - a path
_LONGEST_LIFE = 366 * 24 * 3600
_BUSY = "-32"
_SERVER_ERROR = 500
_TOO_MANY = 429
_NO_CONSENT = f"nobody has consented yet: {CONSENT_AGAIN}"


class TokenKeeper:
    """The tokens of one account for this process. `http` is used, not owned. `patience` is for how many seconds a
    message waits for another process that renews, `look_seconds` how often it looks, `calm` how many seconds pass
    between two tries while the old token still works."""

    def __init__(
        self,
        http: ZaloHttp,
        oauth_url: str,
        app_id: str,
        app_secret: str,
        store: GrantStore,
        clock: Callable[[], datetime],
        *,
        turn_seconds: float = TURN_SECONDS,
        read_seconds: float = READ_SECONDS,
        patience: float = 10.0,
        look_seconds: float = 0.25,
        calm: float = 5.0,
    ) -> None:
        self._http = http
        self._url = oauth_url.rstrip("/") + _ACCESS_TOKEN
        self._app_id = app_id
        self._app_secret = app_secret
        self._store = store
        self._clock = clock
        self._turn_seconds = turn_seconds
        self._read_seconds = read_seconds
        self._patience = patience
        self._look_seconds = look_seconds
        self._calm = calm
        self._owner = secrets.token_hex(8)
        self._grant: Grant | None = None
        self._refused = ""
        self._unstored: tuple[Grant, Grant | None] | None = None
        self._try_after = 0.0
        self._renewal: asyncio.Task[None] | None = None

    @property
    def grant(self) -> Grant | None:
        """The pair that was used last, for health."""
        return self._grant

    async def access_token(self) -> str:
        """A token that is stored and, as far as we know, good. Raises `AccountStopped` when a human must consent,
        `NotSent` or `SlowDown` when there is none right now."""
        grant = self._grant
        if grant is not None and self._works(grant) and (self._is_young(grant) or self._is_calm()):
            return grant.access_token
        try:
            await self._renewed()
        except (NotSent, SlowDown):
            self._try_after = asyncio.get_running_loop().time() + self._calm
            if self._grant is None or not self._works(self._grant):
                raise
        if self._grant is None:
            raise NotSent("the token was lost a moment ago")
        return self._grant.access_token

    async def refuse(self, token: str) -> str:
        """Zalo refuses `token`: the one that is stored instead by now, or a new one. Raises as `access_token` does."""
        if self._grant is None or self._grant.access_token == token:
            self._refused = token
        return await self.access_token()

    async def keep(self) -> None:
        """Look whether anything is to be done: to be called every few seconds. Takes over what another process has
        stored or a human has consented to. Raises as `access_token` does."""
        await self._store_rest()
        self._take_over(await self._kept())
        await self.access_token()

    async def exchange_code(self, code: str, verifier: str) -> Grant:
        """The first pair, for the code with which Zalo has sent a human back; it is stored before this returns.
        Raises `AccountStopped` when Zalo refuses the code, `NotSent` when Zalo cannot be reached."""
        form = {"code": code, "grant_type": "authorization_code", "code_verifier": verifier}
        grant = self._granted(await self._ask(form), None)
        self._unstored = (grant, None)
        await self._store_rest()
        self._take_over(grant)
        return grant

    async def close(self) -> None:
        """Wait for a renewal that is under way: what Zalo has granted must not be lost."""
        if self._renewal is not None:
            await asyncio.wait({self._renewal})
        with contextlib.suppress(NotSent):
            await self._store_rest()

    def _works(self, grant: Grant) -> bool:
        return grant.access_token != self._refused and self._clock() < grant.expires_at

    def _is_young(self, grant: Grant) -> bool:
        return self._clock() < grant.half_life

    def _is_calm(self) -> bool:
        return asyncio.get_running_loop().time() < self._try_after

    def _take_over(self, grant: Grant) -> None:
        if self._grant != grant:
            self._grant, self._try_after = grant, 0.0

    async def _renewed(self) -> None:
        """One renewal at a time, whoever waits for it; it goes on when they are cancelled."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(), context=Context())  # it is nobody's message
            self._renewal.add_done_callback(_look_at)
        await asyncio.shield(self._renewal)

    async def _renew(self) -> None:
        """By us, or by whoever has the turn."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        await self._store_rest()
        while not await self._is_renewed():
            if await self._took_turn():
                await self._use_turn()
                return
            if loop.time() >= until or (self._grant is not None and self._works(self._grant)):
                raise NotSent("another process renews the token")
            await asyncio.sleep(self._look_seconds)

    async def _is_renewed(self) -> bool:
        """Whether what is stored by now needs no renewal."""
        self._take_over(grant := await self._kept())
        return self._works(grant) and self._is_young(grant)

    async def _took_turn(self) -> bool:
        with _away():
            return await self._store.take_turn(self._owner, self._turn_seconds)

    async def _use_turn(self) -> None:
        """Somebody may have finished between our look and our turn."""
        try:
            if not await self._is_renewed():
                await self._rotate(await self._kept())
        finally:
            if self._unstored is None:  # else others would use the same refresh token meanwhile
                with contextlib.suppress(ConnectionError):
                    await self._store.give_turn_back(self._owner)

    async def _rotate(self, old: Grant) -> None:
        """Use the refresh token. Nothing of the answer is used before it is stored."""
        try:
            new = self._granted(
                await self._ask({"refresh_token": old.refresh_token, "grant_type": "refresh_token"}), old
            )
        except AccountStopped as error:
            with _away():
                await self._store.mark_lost(error.detail, of=old)
        else:
            self._unstored = (new, old)
            await self._store_rest()
        self._take_over(await self._kept())

    async def _store_rest(self) -> None:
        """A pair that could not be stored when it came; until then nobody gets it."""
        if self._unstored is None:
            return
        new, old = self._unstored
        with _away():
            await self._store.replace(new, instead_of=old)
        if self._unstored == (new, old):
            self._unstored = None

    async def _kept(self) -> Grant:
        """What is stored. Raises `AccountStopped` when that is nothing, or lost."""
        with _away():
            grant, problem = await self._store.read(), await self._store.lost()
        if grant is None or problem is not None:
            self._grant = None
            raise AccountStopped(problem or _NO_CONSENT)
        return grant

    async def _ask(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Zalo's answer, whatever it says. Raises `NotSent` or `SlowDown` when it is to be asked again: no message has
        left, whatever became of this."""
        try:
            status, _, body = await self._http.request(
                "POST",
                self._url,
                form={**form, "app_id": self._app_id},
                headers={"secret_key": self._app_secret},
                read_seconds=self._read_seconds,
            )
        except OutcomeUnknown as error:
            raise NotSent(f"Zalo did not say whether the token is renewed ({error.detail})") from error
        answer = _read(body)
        if status >= _SERVER_ERROR or status == _TOO_MANY or answer is None:
            raise NotSent(f"Zalo's token server answers {status}")
        if str(answer.get("error")) == _BUSY:
            raise SlowDown(30.0, "Zalo's token server asks to wait")
        return answer

    def _granted(self, answer: Mapping[str, Any], old: Grant | None) -> Grant:
        """Anything without an access token is a refusal, whatever its status and its code (the codes of refresh tokens
        are not documented). Raises `AccountStopped`."""
        access, refresh, now = text(answer, "access_token"), text(answer, "refresh_token"), self._clock()
        if not access:
            code, name = answer.get("error"), text(answer, "error_name")[:80]
            raise AccountStopped(f"Zalo grants no token ({code}: {name}): {CONSENT_AGAIN}")
        return Grant(
            access_token=access,
            refresh_token=refresh or (old.refresh_token if old else ""),
            obtained_at=now,
            expires_at=now + _life(answer.get("expires_in")),
        )


@contextlib.contextmanager
def _away() -> Iterator[None]:
    """Around every question to the store: while it is away, nothing can be sent, and nothing is lost."""
    try:
        yield
    except ConnectionError as error:
        raise NotSent("the tokens cannot be read or stored right now") from error


def _look_at(renewal: asyncio.Task[None]) -> None:
    """Whoever waited may be gone: that nobody asks how it ended is no fault."""
    if not renewal.cancelled():
        renewal.exception()


def _read(body: bytes) -> Mapping[str, Any] | None:
    """`None` for what a proxy or a firewall wrote."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _life(seconds: object) -> timedelta:
    """`expires_in` is a string of seconds; what cannot be read counts as unknown."""
    try:
        life = int(float(str(seconds)))
    except (ValueError, OverflowError):
        return UNKNOWN_LIFE
    return timedelta(seconds=life) if 0 < life <= _LONGEST_LIFE else UNKNOWN_LIFE
