"""What the Bot API answers when it refuses: the exact code and words of the official server."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def named(words: str) -> frozenset[str]:
    """The words of a string, as a set."""
    return frozenset(words.split())


_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class ApiError(Exception):
    """A refusal: the HTTP status is `code`, the body carries `description` and perhaps `parameters`."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        """The JSON answer."""
        answer: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def _worded(code: int, words: str) -> ApiError:
    """The official server lower-cases the first letter, unless the second is a capital or an underscore."""
    if len(words) < 2 or not (words[1] == "_" or "A" <= words[1] <= "Z"):
        words = words[:1].lower() + words[1:]
    return ApiError(code, f"{_TITLES[code]}: {words}")


def bad_request(words: str) -> ApiError:
    """400."""
    return _worded(400, words)


def forbidden(words: str) -> ApiError:
    """403."""
    return _worded(403, words)


def conflict(words: str) -> ApiError:
    """409."""
    return _worded(409, words)


def not_found(words: str = "") -> ApiError:
    """404: without words for a wrong path or a malformed token."""
    return _worded(404, words) if words else ApiError(404, "Not Found")


def unauthorized(words: str = "") -> ApiError:
    """401: without words for a revoked token."""
    return _worded(401, words) if words else ApiError(401, "Unauthorized")


def too_many(seconds: int) -> ApiError:
    """429; `seconds` also goes into the `Retry-After` header."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def migrated(new_id: int) -> ApiError:
    """400 of a group that became a supergroup."""
    return ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": new_id})


def restarting() -> ApiError:
    """500 as the server gives while it goes down."""
    return ApiError(500, "Internal Server Error: restart")
