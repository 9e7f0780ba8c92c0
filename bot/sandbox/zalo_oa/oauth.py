"""OAuth v4 of an Official Account: codes used once, refresh tokens used once, one access token at a time."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bot.sandbox.zalo_oa.errors import Json

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

PERMISSION_PATH = "/v4/oa/permission"
TOKEN_PATH = "/v4/oa/access_token"  # noqa: S105

FORM = "application/x-www-form-urlencoded"

_WRONG_APP = (-14002, "Invalid appId")
_WRONG_REDIRECT = (-14003, "Invalid redirect uri")
# What follows is not published: a client may rely on the missing access_token, never on these numbers.
_WRONG_SECRET = (-14004, "Invalid secret key")
_WRONG_CODE = (-14005, "Invalid authorization code")
_WRONG_VERIFIER = (-14006, "Invalid code verifier")
_WRONG_REFRESH = (-14014, "Invalid refresh token")
_WRONG_REQUEST = (-14001, "Invalid request")


class OAuthError(Exception):
    """A refusal of the OAuth host: HTTP 200 and a shape of its own."""

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        self.words = words
        super().__init__(code, words)

    def body(self) -> Json:
        """Never with `access_token`."""
        return {
            "error_name": self.words,
            "error_reason": "",
            "ref_doc": "https://developers.zalo.me/docs/official-account",
            "error_description": self.words,
            "error": self.code,
        }


@dataclass(frozen=True, slots=True)
class _Code:
    expires_at: float
    challenge: str


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class OAuth:
    """The consents of one OA to one app. With `refuse_consent` the administrator says no; `code_challenge` is the
    one saved in the console, used where the link carries none (empty: no PKCE then)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, _Code] = {}
        self._access = ""
        self._access_until = 0.0
        self._dead: set[str] = set()
        self._refresh: dict[str, float] = {}
        self.refuse_consent = False
        self.code_challenge = ""
        self.issued = 0

    def consent(self, query: Mapping[str, str]) -> str:
        """Where the permission page sends the administrator. Raises `OAuthError`."""
        world = self._world
        if query.get("app_id") != world.app_id:
            raise OAuthError(*_WRONG_APP)
        if query.get("redirect_uri") != world.redirect_uri:
            raise OAuthError(*_WRONG_REDIRECT)
        state = query.get("state", "")
        if self.refuse_consent:
            # What the page really does then is not documented: the callback without a code.
            return _with_query(world.redirect_uri, {"error": "-14007", "oa_id": world.oa_id, "state": state})
        code = self.issue_code(query.get("code_challenge", ""))
        return _with_query(world.redirect_uri, {"code": code, "oa_id": world.oa_id, "state": state})

    def issue_code(self, challenge: str = "") -> str:
        """A code as a consent gives it: once, for ten minutes."""
        code = self._world.names.token(60)
        until = self._world.clock() + self._world.limits.code_life
        self._codes[code] = _Code(until, challenge or self.code_challenge)
        return code

    def exchange(self, content_type: str, secret: str, form: Mapping[str, str]) -> Json:
        """A new pair for a code or a refresh token, the old access token dying. Raises `OAuthError`."""
        if content_type != FORM:
            raise OAuthError(*_WRONG_REQUEST)
        if form.get("app_id") != self._world.app_id:
            raise OAuthError(*_WRONG_APP)
        if secret != self._world.app_secret:
            raise OAuthError(*_WRONG_SECRET)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            self._use_code(form.get("code", ""), form.get("code_verifier", ""))
        elif grant == "refresh_token":
            self._use_refresh(form.get("refresh_token", ""))
        else:
            raise OAuthError(*_WRONG_REQUEST)
        access, refresh = self.issue_pair()
        return {"access_token": access, "refresh_token": refresh, "expires_in": f"{self._world.limits.access_life:.0f}"}

    def issue_pair(self) -> tuple[str, str]:
        """A valid access and refresh token, as the API Explorer shows them; any other access token dies."""
        self.expire_access()
        now = self._world.clock()
        access, refresh = self._world.names.token(), self._world.names.token()
        self._access, self._access_until = access, now + self._world.limits.access_life
        self._refresh[refresh] = now + self._world.limits.refresh_life
        self.issued += 1
        return access, refresh

    def expire_access(self) -> None:
        """The access token answers -220 from now on."""
        if self._access:
            self._dead.add(self._access)
        self._access = ""

    def revoke(self) -> None:
        """No token and no code is good for anything any more: only a new consent helps."""
        self.expire_access()
        self._refresh.clear()
        self._codes.clear()

    def judge(self, token: str) -> int:
        """0 for the good access token, -220 for one that was good, -216 for any other."""
        if token and token == self._access and self._world.clock() < self._access_until:
            return 0
        return -220 if token and token in {self._access, *self._dead} else -216

    def _use_code(self, code: str, verifier: str) -> None:
        known = self._codes.pop(code, None)
        if known is None or known.expires_at <= self._world.clock():
            raise OAuthError(*_WRONG_CODE)
        if known.challenge and challenge_of(verifier) != known.challenge:
            raise OAuthError(*_WRONG_VERIFIER)

    def _use_refresh(self, token: str) -> None:
        if self._refresh.pop(token, 0.0) <= self._world.clock():
            raise OAuthError(*_WRONG_REFRESH)


def _with_query(uri: str, query: dict[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(query)}"
