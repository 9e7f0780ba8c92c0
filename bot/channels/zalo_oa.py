"""Zalo: one Official Account as a channel, by webhook."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import structlog

from bot.channels import zalo_oa_health as health
from bot.channels.telegram_json import Json, integer, items, text
from bot.channels.zalo_http import ZaloHttp
from bot.channels.zalo_oa_api import OaApi
from bot.channels.zalo_oa_articles import Articles
from bot.channels.zalo_oa_consent import code_challenge, code_verifier, consent_url, make_state
from bot.channels.zalo_oa_groups import Groups
from bot.channels.zalo_oa_health import to_confirm
from bot.channels.zalo_oa_in import to_inbound
from bot.channels.zalo_oa_labels import Labels
from bot.channels.zalo_oa_out import MAX_BUTTONS, MAX_LABEL, MAX_TEXT, message_ids, to_calls
from bot.channels.zalo_oa_tokens import TokenKeeper
from bot.channels.zalo_oa_uploads import MAX_UPLOAD, Uploads
from bot.channels.zalo_oa_watch import Tell, TokenWatch
from bot.channels.zalo_oa_webhook import ANSWER_WITHIN, MAX_BODY, WebhookDoor
from bot.core.channel import Capabilities, Health, Limits, Prepared, Receive, Webhook, Window
from bot.core.clock import utc_now
from bot.core.errors import AccountStopped, ContactRefused, OutcomeUnknown, Reason, SendError
from bot.core.events import Inbound, Media, MediaKind, Outbound, Sent
from bot.core.grants import Grant, GrantStore

__all__ = ["ZaloOaChannel", "to_confirm"]

log = structlog.get_logger()

PATH = "/webhook/zalo-oa"
CALLBACK = "/zalo/callback"
PER_SECOND = 50
"""Of the 4,000 calls a minute that an application may make."""

UPLOAD_LIFE = timedelta(days=6)
"""Zalo forgets an upload after seven days."""

FREE, CLOSES = timedelta(hours=48), timedelta(days=7)

_LOOK_SECONDS = 5.0
_SHARE = "https://button-share.zalo.me/share_external"


class ZaloOaChannel:
    """One Official Account. `app_secret` renews tokens, `oa_secret` signs the webhook: they are two. `seed` is the pair
    of tokens that an operator configured, `public_url` our own address, to which Zalo sends a human back.

    `on_lost` is told why a human must consent again, `on_found` when one has, once each time, from the background.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        oa_secret: str,
        *,
        api_url: str,
        oauth_url: str,
        store: GrantStore,
        seed: Grant | None,
        secret_key: bytes,
        public_url: str | None = None,
        buttons: bool = True,
        paid_monthly: int = 500,
        clock: Callable[[], datetime] = utc_now,
        read_seconds: float = 30,
        longest_wait: float = 30,
        look_seconds: float = _LOOK_SECONDS,
        answer_within: float = ANSWER_WITHIN,
        on_lost: Tell | None = None,
        on_found: Tell | None = None,
    ) -> None:
        self._account = f"zalo_oa:{app_id}"
        self._app_id = app_id
        self._secret_key = secret_key
        self._oauth_url = oauth_url
        self._public_url = (public_url or "").rstrip("/")
        self._buttons = buttons
        self._paid_monthly = paid_monthly
        self._clock = clock
        self._http = ZaloHttp(read_seconds=read_seconds)
        self._keeper = TokenKeeper(self._http, oauth_url, app_id, app_secret, store, clock)
        self._api = OaApi(self._http, api_url, self._keeper, clock)
        self._uploads = Uploads(self._api)
        self._door = WebhookDoor(self._account, app_id, oa_secret, self._read, answer_within=answer_within)
        self._oa_id = self._oa_name = ""
        self._watch = TokenWatch(
            self._account,
            self._keeper,
            store,
            seed,
            self._get_known,
            look_seconds=min(look_seconds, longest_wait),
            on_lost=on_lost,
            on_found=on_found,
        )
        self._log = log.bind(account=self._account)

    @property
    def account(self) -> str:
        """`zalo_oa:<id of the application>`, known without asking anybody."""
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_text=MAX_TEXT,
            max_caption=MAX_TEXT,
            buttons=MAX_BUTTONS if self._buttons else 0,
            label=MAX_LABEL,
            edit=False,
            delete=False,
            formatting=False,
            groups=True,
            album=1,
            media=frozenset({MediaKind.PHOTO, MediaKind.ANIMATION, MediaKind.FILE, MediaKind.STICKER}),
            max_upload=MAX_UPLOAD,
            deep_links=True,
            limits=Limits(per_second=PER_SECOND),
            places=False,
            upload_life=UPLOAD_LIFE,
            window=Window(free=FREE, closes=CLOSES, paid_per_month=self._paid_monthly),
        )

    @property
    def webhook(self) -> Webhook | None:
        """Always set: Zalo tells us in no other way."""
        return Webhook(path=PATH, max_body=MAX_BODY, accept=self._door.accept)

    @property
    def callback(self) -> str:
        """To where Zalo sends a human back who has consented; to be saved in its console. Empty without an address."""
        return self._public_url + CALLBACK if self._public_url else ""

    def consent_address(self) -> str:
        """What an administrator of the Official Account opens to consent; good for half an hour."""
        challenge = code_challenge(code_verifier(self._secret_key, self._app_id))
        state = make_state(self._secret_key, self._clock())
        return consent_url(self._oauth_url, self._app_id, self.callback, challenge, state)

    async def consented(self, code: str) -> None:
        """Take the code with which Zalo has sent somebody back (check the `state` first). Raises `SendError`."""
        await self._keeper.exchange_code(code, code_verifier(self._secret_key, self._app_id))

    @property
    def articles(self) -> Articles:
        return Articles(self._api)

    @property
    def groups(self) -> Groups:
        return Groups(self._api)

    @property
    def labels(self) -> Labels:
        return Labels(self._api)

    async def start(self, receive: Receive) -> None:
        """Begin to receive, and to keep the tokens. Raises `AccountStopped` when a human must consent: events are taken
        in all the same, and sending works again a few seconds after somebody has."""
        self._door.open(receive)
        await self._watch.begin()

    async def stop(self) -> None:
        """Stop receiving, once everything that was handed over is stored."""
        await self._watch.stop()
        await self._door.shut()

    async def close(self) -> None:
        """Close connections, once a renewal that is under way is stored."""
        await self.stop()
        await self._keeper.close()
        await self._http.close()

    async def send(self, message: Outbound) -> Sent:
        """One message; two calls where Zalo carries words only apart from a file or a picture with buttons. Raises
        `ValueError` for what Zalo does not carry (see `to_calls`)."""
        if message.buttons and not self._buttons:
            raise ValueError("buttons are switched off for this account")
        calls = to_calls(message)  # before anything is uploaded
        if calls and message.media and message.media[0].file_id is None:
            known = await self._uploads.known(message.media[0])
            message = replace(message, media=(known,))
            calls = to_calls(message)
        answers: list[Any] = []
        for call in calls:
            try:
                answers.append(await self._api.post(call.path, call.fields))
            except SendError as error:
                if not answers:
                    raise
                raise OutcomeUnknown(f"the words were sent, the file was not ({error})") from error
        ids = message_ids(answers)
        return Sent(ids[0] if ids else None, ids, tuple(media.file_id for media in message.media if media.file_id))

    def prepare(self, message: Outbound) -> Prepared | None:
        """Every message goes by `send`."""
        return None

    async def fetch(self, media: Media) -> bytes:
        """What somebody sent us, at most 20 MB. Raises one of the `SendError`s."""
        if media.file_id is None:
            raise ValueError("only what Zalo keeps can be fetched")
        if not media.file_id.startswith(("https://", "http://")):
            raise ContactRefused(Reason.NOT_FOUND, "what was uploaded to Zalo cannot be fetched again")
        return await self._http.download(media.file_id, kinds=("",))

    async def check(self) -> Health:
        """Who we are, whether our tokens work, what is left of the package. What no call can tell: `to_confirm()`."""
        try:
            await self._watch.offer_seed()
            facts = await self._introduce()
            remaining, total = await self._paid_left()
        except AccountStopped as error:
            return Health(False, self._name, health.stopped(self._account, error))
        except SendError as error:
            return Health(False, self._name, health.unreachable(self._api.root, error))
        now = self._clock()
        problem = (
            health.of_account(facts, now)
            or health.of_token(self._keeper.grant, now)
            or health.of_budget(remaining, total)
        )
        return Health(not problem, self._name, problem)

    def link(self, payload: str) -> str | None:
        """`None` until Zalo has told us our number. The payload cannot travel: people write it as a code."""
        return f"https://zalo.me/{self._oa_id}" if self._oa_id else None

    def share_link(self, payload: str, text: str) -> str | None:
        """Opens Zalo's own choice of chats with the link; words cannot be handed over."""
        link = self.link(payload)
        if link is None:
            return None
        told = base64.b64encode(orjson.dumps({"url": link})).decode()
        query = {"layout": 1, "color": "blue", "customize": "false", "d": told, "shareType": 0}
        return f"{_SHARE}?{urlencode(query)}"

    @property
    def _name(self) -> str:
        return self._oa_name

    async def _get_known(self) -> None:
        """Learn our number, which links need; nothing else waits for it."""
        if not self._oa_id:
            try:
                await self._introduce()
            except SendError as error:
                self._log.debug("account is not introduced yet", error=type(error).__name__, detail=error.detail)

    async def _introduce(self) -> Json:
        facts = await self._api.get("/v2.0/oa/getoa")
        facts = facts if isinstance(facts, dict) else {}
        self._oa_id = text(facts, "oaid") or text(facts, "oa_id") or self._oa_id
        self._oa_name = text(facts, "name") or self._oa_name
        return facts

    async def _paid_left(self) -> tuple[int | None, int | None]:
        """How many paid messages are left, of how many; unknown where Zalo does not say."""
        asked = {"quota_owner": "OA", "product_type": "cs", "quota_type": "sub_quota"}
        try:
            found = await self._api.post("/v3.0/oa/quota/message", asked)
        except SendError:
            return None, None
        quotas = items({"quotas": found}, "quotas")
        return (_number(quotas[0], "remain"), _number(quotas[0], "total")) if quotas else (None, None)

    def _read(self, event: Mapping[str, Any]) -> Inbound | None:
        """One event that our own code cannot read must not make Zalo end our subscription."""
        try:
            return to_inbound(event, self._account, self._clock(), oa_id=self._oa_id, oa_name=self._oa_name)
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{line.name}:{line.lineno}"
            self._log.error("event cannot be read", error=type(error).__name__, where=where)
            return None


def _number(source: Json, key: str) -> int | None:
    """Zalo writes numbers now as numbers, now as texts."""
    value = source.get(key)
    return int(value) if isinstance(value, str) and value.isdecimal() else integer(source, key)
