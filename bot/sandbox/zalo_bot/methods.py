"""The methods of the Zalo Bot API. Their names are case-sensitive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.text import length
from bot.sandbox.zalo_bot import errors, webhooks
from bot.sandbox.zalo_bot.bots import ZaloBotAccount
from bot.sandbox.zalo_bot.chats import Chat
from bot.sandbox.zalo_bot.errors import Json
from bot.sandbox.zalo_bot.webhooks import Hook

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.server import ZaloBotSandbox

MAX_TEXT = 2000
MAX_POLL = 60.0


@dataclass(slots=True)
class Call:
    """One call: its parameters as strings (a list or an object of a JSON body as JSON), and what it delivered. `gone`
    says whether the caller has hung up."""

    server: ZaloBotSandbox
    bot: ZaloBotAccount
    method: str
    params: dict[str, str]
    gone: Callable[[], bool]
    message_id: str | None = None

    def required(self, name: str) -> str:
        """A parameter that must be there. Raises 400."""
        value = self.params.get(name, "")
        if not value:
            raise errors.bad_parameter(name)
        return value

    def words(self, name: str, *, required: bool) -> str:
        """A text of at most 2,000 UTF-16 units. Raises 400."""
        value = self.required(name) if required else self.params.get(name, "")
        if length(value) > MAX_TEXT or (required and not value.strip()):
            raise errors.bad_parameter(name)
        return value

    def address(self, name: str) -> str:
        """A public address. Raises 400."""
        value = self.required(name)
        if not value.startswith(("https://", "http://")):
            raise errors.bad_parameter(name)
        return value

    def chat(self) -> Chat:
        """The chat, which must have written to this bot, or be a group with the bot in it. Raises 400."""
        chat = self.bot.chats.get(self.required("chat_id"))
        if chat is None:
            raise errors.chat_not_found()
        return chat

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.server.clock() * 1000)


async def get_me(call: Call) -> Json:
    return call.bot.profile()


async def get_updates(call: Call) -> Json:
    """One update, or 408 when none comes in time."""
    bot = call.bot
    if bot.webhook.hook is not None:
        raise errors.webhook_is_set()
    found = await bot.updates.next(_seconds(call.params.get("timeout", "30")), lambda: _over(call))
    if bot.revoked:
        raise errors.unauthorized()
    if bot.webhook.hook is not None:
        raise errors.webhook_is_set()
    if found is None:
        raise errors.idle()
    return found


def _over(call: Call) -> bool:
    return call.gone() or call.bot.revoked or call.bot.webhook.hook is not None


def _seconds(timeout: str) -> float:
    try:
        return min(max(float(timeout), 0.0), MAX_POLL)
    except ValueError:
        raise errors.bad_parameter("timeout") from None


async def set_webhook(call: Call) -> Json:
    """The address is saved even when the probe fails."""
    url, secret = call.required("url"), call.required("secret_token")
    webhooks.checked(url, secret, strict=call.server.strict_webhooks)
    hook = Hook(url, secret, call.now())
    verification = await call.bot.webhook.verify(hook)
    call.bot.webhook.set(hook)
    return {"url": url, "updated_at": hook.updated_at, "verification": verification}


async def test_webhook(call: Call) -> Json:
    hook = _hook(call)
    call.bot.quota.take_test()
    return await call.bot.webhook.verify(hook)


async def delete_webhook(call: Call) -> Json:
    call.bot.webhook.remove()
    return {"url": "", "updated_at": call.now()}


async def get_webhook_info(call: Call) -> Json:
    hook = _hook(call)
    return {"url": hook.url, "updated_at": hook.updated_at}


def _hook(call: Call) -> Hook:
    if call.bot.webhook.hook is None:
        raise errors.webhook_not_set()
    return call.bot.webhook.hook


async def send_message(call: Call) -> Json:
    text, mode = call.words("text", required=True), call.params.get("parse_mode", "")
    if mode not in ("", "markdown", "html"):
        raise errors.bad_parameter("parse_mode")
    return _sent(call, text=text, parse_mode=mode)


async def send_photo(call: Call) -> Json:
    photo = call.address("photo")
    return _sent(call, kind="image", photo=photo, text=call.words("caption", required=False))


async def send_sticker(call: Call) -> Json:
    return _sent(call, kind="sticker", sticker=call.required("sticker"))


async def send_voice(call: Call) -> Json:
    """Raw AAC only. In a group the platform says that it was sent, and shows nothing."""
    voice = call.address("voice_url")
    if not voice.partition("?")[0].endswith(".aac"):
        raise errors.bad_parameter("voice_url")
    return _sent(call, shown=not call.chat().group, kind="voice", voice=voice)


async def send_chat_action(call: Call) -> None:
    """The one method whose answer has no result."""
    chat = call.chat()
    if call.required("action") != "typing":
        raise errors.bad_parameter("action")
    chat.act("typing")


def _sent(call: Call, *, shown: bool = True, **content: str) -> Json:
    chat, bot = call.chat(), call.bot
    bot.quota.take(chat.id, group=chat.group)
    message = call.server.message(bot.id, bot.name, method=call.method, **content)
    if shown:
        chat.add(message)
    call.message_id = message.id
    return {"message_id": message.id, "date": int(message.at * 1000)}


METHODS: dict[str, Callable[[Call], Awaitable[Json | None]]] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "testWebhook": test_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendSticker": send_sticker,
    "sendVoice": send_voice,
    "sendChatAction": send_chat_action,
}
