"""What the OpenAPI answers when it refuses: HTTP 200, a negative code, Zalo's own words (typing errors included)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

WORDS = {
    -32: "Your application reached limit call api",
    -100: "attachment_id was expired",
    -200: "Send message failed",
    -204: "Offical Account is disable",
    -205: "Offical Account is not exist",
    -209: "Not supported this api",
    -210: "Parameter exceeds allowable limit",
    -211: "Out of quota",
    -212: "App has not registed this api",
    -213: "User has not followed OA",
    -214: "Article is being processed",
    -216: "Access token is invalid",
    -217: "User has blocked invitation from OA",
    -218: "Out of quota receive",
    -219: "App is removed or disabled",
    -220: "access_token is expired or removed",
    -221: "The OA needs to be verified to use this feature",
    -223: "Your OA has reach the limit quota create article",
    -224: "The OA needs to upgrade OA Tier Package to use this feature",
    -227: "User is banned or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -232: "User has not interacted with the OA, or the last interaction has expired",
    -233: "message type is invalid or not support",
    -234: "This message cannot be sent at night (10:00PM - 6:00AM)",
    -235: "This API does not support this type of OA",
    -237: "The group is disabled",
    -238: "asset_id is already used",
    -240: "MessageV2 API has been shut down, please switch to MessageV3",
    -241: "asset_id is already used",
    -244: "User has restricted this message type from your OA",
    -248: "Violates our platform standards",
    -249: "Template does not support send via UID",
    -320: "Your app needs to connect with Zalo Cloud Account to use paid features",
    -321: "Zalo Cloud Account associated with this app is out of money or unable to be charged",
    -403: "OA is not in group",
    -124: "Access token invalid",
}
"""The codes of ZALO.md 1.10. `-201` names a field, so its words are made by `invalid`."""


class OaError(Exception):
    """A refusal; the HTTP status is 200 all the same."""

    def __init__(self, code: int, words: str = "") -> None:
        self.code = code
        self.words = words or WORDS.get(code, "Error")
        super().__init__(code, self.words)

    def body(self) -> Json:
        """The envelope: never with `data`."""
        return {"error": self.code, "message": self.words}


def invalid(field: str) -> OaError:
    """`-201 <field> is invalid!`: missing, of a wrong type, or nothing that the platform knows."""
    return OaError(-201, f"{field} is invalid!")
