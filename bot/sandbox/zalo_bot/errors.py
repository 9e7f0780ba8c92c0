"""What the Zalo Bot API answers when it refuses, where its words are known; where they are not, it says so here."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal: the HTTP status and the body's `error_code` are `code`. `key` is `errorCode` in the one answer in
    which the platform spells it so."""

    def __init__(self, code: int, description: str, *, key: str = "error_code") -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.key = key

    def body(self) -> Json:
        """The JSON answer."""
        return {"ok": False, "description": self.description, self.key: self.code}


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized")


def no_such_path() -> ApiError:
    """Documented as "wrong path or API name"; the exact words are not reproduced from the real API."""
    return ApiError(400, "Bad request: wrong path or API name")


def webhook_not_set() -> ApiError:
    """How getWebhookInfo says that there is none."""
    return ApiError(404, "Not Found")


def idle() -> ApiError:
    """How getUpdates says that nothing came."""
    return ApiError(408, "Request timeout")


def webhook_is_set() -> ApiError:
    """How getUpdates says that updates go elsewhere."""
    return ApiError(
        400, "You cannot use this API while a webhook is set. Please remove the webhook first"
    )  # verbatim from a capture


def quota_exceeded() -> ApiError:
    """The month is used up, or the bot has as many people as it may have: no `retry_after`, nothing to wait for."""
    return ApiError(429, "Quota exceeded")


def bad_parameter(name: str) -> ApiError:
    """The words are not reproduced from the real API."""
    return ApiError(400, f"Bad request: parameter {name} is invalid")


def chat_not_found() -> ApiError:
    """The words are not reproduced from the real API, which may just as well answer 403 `Internal server error`."""
    return ApiError(400, "Bad request: chat not found")


def too_many_tests() -> ApiError:
    return ApiError(426, "Daily limit of webhook tests reached", key="errorCode")
