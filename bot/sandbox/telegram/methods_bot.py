"""Methods about the bot itself: who it is, its texts and commands, files, updates, webhook."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

from bot.sandbox.telegram.calls import Call, Described
from bot.sandbox.telegram.entities import units
from bot.sandbox.telegram.errors import ApiError, Json, bad_request, conflict, too_many
from bot.sandbox.telegram.webhooks import Hook

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
_PORTS = (443, 80, 88, 8443)
_WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


def get_me(call: Call) -> Json:
    return call.bot.me()


def log_out(call: Call) -> bool:
    call.bot.logged_out_until = call.server.clock() + 600
    return True


def close(call: Call) -> bool:
    return True


def _scope(call: Call) -> tuple[str, str]:
    scope = call.data("scope") or {"type": "default"}
    if not isinstance(scope, dict) or not isinstance(scope.get("type"), str):
        raise bad_request('Can\'t parse BotCommandScope: Field "type" must be of type String')
    key = ":".join(str(scope[k]) for k in ("type", "chat_id", "user_id") if k in scope)
    return key, call.text("language_code")


def set_my_commands(call: Call) -> bool:
    commands = call.listed("commands")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for command in commands:
        if not isinstance(command, dict) or not isinstance(command.get("command"), str):
            raise bad_request("Can't parse BotCommand: Can't find field \"command\"")
        name = command["command"].removeprefix("/")
        text = str(command.get("description", "")).strip()
        if not _COMMAND.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= units(text) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept.append({"command": name, "description": text})
    call.bot.profile.commands[_scope(call)] = kept
    return True


def get_my_commands(call: Call) -> list[Json]:
    return call.bot.profile.commands.get(_scope(call), [])


def delete_my_commands(call: Call) -> bool:
    call.bot.profile.commands.pop(_scope(call), None)
    return True


def _own_text(call: Call, field: str, most: int) -> str:
    text = call.text(field)
    if units(text) > most:
        raise bad_request(f"bot {field.replace('_', ' ')} is too long")
    return text


def set_my_name(call: Call) -> bool:
    name, language = _own_text(call, "name", 64), call.text("language_code")
    if language:
        call.bot.profile.names[language] = name
    elif name:
        call.bot.rename(name)
    return True


def get_my_name(call: Call) -> Json:
    names = call.bot.profile.names
    return {"name": names.get(call.text("language_code")) or names[""]}


def set_my_description(call: Call) -> bool:
    call.bot.profile.descriptions[call.text("language_code")] = _own_text(call, "description", 512)
    return True


def get_my_description(call: Call) -> Json:
    texts = call.bot.profile.descriptions
    return {"description": texts.get(call.text("language_code")) or texts.get("", "")}


def set_my_short_description(call: Call) -> bool:
    text = _own_text(call, "short_description", 120)
    call.bot.profile.short_descriptions[call.text("language_code")] = text
    return True


def get_my_short_description(call: Call) -> Json:
    texts = call.bot.profile.short_descriptions
    return {"short_description": texts.get(call.text("language_code")) or texts.get("", "")}


def get_file(call: Call) -> Json:
    wanted = call.text("file_id")
    if not wanted:
        raise bad_request("file_id not specified")
    stored = call.server.files.find(call.bot.id, wanted)
    if stored is None:
        raise bad_request("invalid file_id")
    if len(stored.content) > call.server.limits.download_bytes:
        raise bad_request("file is too big")
    return {
        "file_id": wanted,
        "file_unique_id": stored.unique_id,
        "file_size": len(stored.content),
        "file_path": quote(stored.path),
    }


def _allow(call: Call) -> None:
    if "allowed_updates" in call.params:
        names = call.data("allowed_updates")
        if isinstance(names, list):
            call.bot.updates.allow(names)


async def get_updates(call: Call) -> list[Json]:
    bot = call.bot
    if bot.webhook.hook is not None:
        raise await bot.polls.refuse(conflict(_WEBHOOK_ACTIVE))
    offset = call.integer("offset")
    limit = call.integer("limit", 100, 1, 100)
    longest = call.server.timing.max_poll
    timeout = min(float(call.integer("timeout", 0, 0)), longest)
    _allow(call)
    return [update.json for update in await bot.polls.poll(offset, limit, timeout)]


def set_webhook(call: Call) -> Described:
    url = call.text("url").strip()
    if not url:
        return delete_webhook(call)
    bot, now = call.bot, call.server.monotonic()
    secret = call.text("secret_token")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if call.server.strict_webhooks:
        _check_address(url)
    if now < bot.webhook.set_at + call.server.timing.set_webhook_interval:
        raise too_many(1)
    hook = Hook(
        url=url,
        secret=secret,
        max_connections=call.integer("max_connections", 40, 1, 100),
        has_certificate="certificate" in call.uploads,
        ip_address=call.text("ip_address"),
    )
    _allow(call)
    if call.flag("drop_pending_updates"):
        bot.updates.clear()
    old = bot.webhook.hook
    bot.webhook.set_at = now
    if old is not None and (old.url, old.secret, old.max_connections) == (url, secret, hook.max_connections):
        return Described(True, "Webhook is already set")
    bot.polls.interrupt("terminated by setWebhook request")
    bot.webhook.set(hook)
    return Described(True, "Webhook was set")


def _bad_webhook(words: str) -> ApiError:
    return bad_request(f"bad webhook: {words}")


def _check_address(url: str) -> None:
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = parts.port
    except ValueError:
        raise _bad_webhook("Wrong port number specified in the URL") from None
    if parts.scheme != "https":
        raise _bad_webhook("An HTTPS URL must be provided for webhook")
    if (port or 443) not in _PORTS:
        raise _bad_webhook("Webhook can be set up only on ports 80, 88, 443 or 8443")
    host = parts.hostname or ""
    if not host:
        raise _bad_webhook("URL host is empty")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return
    if not address.is_global:
        raise _bad_webhook(f"IP address {address} is reserved")


def delete_webhook(call: Call) -> Described:
    bot = call.bot
    if call.flag("drop_pending_updates"):
        bot.updates.clear()
    if bot.webhook.hook is None:
        return Described(True, "Webhook is already deleted")
    bot.webhook.remove()
    return Described(True, "Webhook was deleted")


def get_webhook_info(call: Call) -> Json:
    return call.bot.webhook.info()


METHODS = {
    "getMe": get_me,
    "logOut": log_out,
    "close": close,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": set_my_name,
    "getMyName": get_my_name,
    "setMyDescription": set_my_description,
    "getMyDescription": get_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyShortDescription": get_my_short_description,
    "getFile": get_file,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}
