"""What a bot may hang under a message: inline and reply keyboards, checked and normalised."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.sandbox.telegram.errors import ApiError, Json, bad_request

MAX_ROW = 8
MAX_BUTTONS = 100
MAX_DATA_BYTES = 64

_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def checked(raw: object, *, inline_only: bool = False) -> Json | None:
    """The markup as the server keeps it, `None` for an empty one. Raises 400."""
    if not isinstance(raw, dict):
        raise bad_request("Object expected as reply markup")
    if "inline_keyboard" in raw:
        rows = _rows(raw["inline_keyboard"], "inline keyboard")
        keyboard = [[_inline_button(b) for b in row] for row in rows]
        return {"inline_keyboard": keyboard} if keyboard else None
    if inline_only:
        raise bad_request("Inline keyboard expected")
    if "keyboard" in raw:
        rows = _rows(raw["keyboard"], "reply keyboard")
        keyboard = [[_reply_button(b) for b in row] for row in rows]
        return {**raw, "keyboard": keyboard} if keyboard else None
    if raw.get("remove_keyboard") is True or raw.get("force_reply") is True:
        return dict(raw)
    return None


def _rows(raw: object, name: str) -> list[list[object]]:
    if not isinstance(raw, list):
        raise bad_request(f'Field "{name.replace(" ", "_")}" of the reply markup must be an Array')
    if any(not isinstance(row, list) for row in raw):
        raise bad_request(f"Can't parse {name}: Expected an Array of Arrays")
    rows = [row for row in raw if row]
    if any(len(row) > MAX_ROW for row in rows) or sum(map(len, rows)) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return rows


def _unparsed(words: str) -> ApiError:
    return bad_request(f"Can't parse inline keyboard button: {words}")


def _inline_button(raw: object) -> Json:
    if not isinstance(raw, dict):
        raise _unparsed("Expected an Object")
    text = raw.get("text")
    if not isinstance(text, str):
        raise _unparsed('Can\'t find field "text"')
    if not text.strip():
        raise bad_request("Inline keyboard button text must be non-empty")
    actions = [name for name in _ACTIONS if name in raw]
    if not actions:
        raise _unparsed("Text buttons are unallowed in the inline keyboard")
    if "callback_data" in raw:
        data = raw["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    if "url" in raw:
        _check_url(raw["url"])
    return dict(raw)


def _check_url(url: object) -> None:
    if not isinstance(url, str) or not url:
        raise bad_request("BUTTON_URL_INVALID")
    if url.startswith(("tg://", "mailto:", "tel:")):
        return
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https", "ton") or not host or " " in host:
        raise bad_request(f"Inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    if "." not in host and host != "localhost":
        raise bad_request(f"Inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _reply_button(raw: object) -> Json:
    if isinstance(raw, str):
        raw = {"text": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
        raise bad_request("Can't parse keyboard button: Can't find field \"text\"")
    if not raw["text"].strip():
        raise bad_request("Keyboard button text must be non-empty")
    return dict(raw)


def buttons(markup: Json | None) -> list[Json]:
    """Every button of a keyboard, row by row."""
    if not markup:
        return []
    rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
    return [button for row in rows for button in row]
