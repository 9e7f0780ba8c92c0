"""How a human grants us an Official Account: the address to open, and the proofs that the answer is ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import urlencode

STATE_LIFE = 30 * 60
"""Seconds between opening the address and coming back."""

_PERMISSION = "/v4/oa/permission"


def code_verifier(secret_key: bytes, app_id: str) -> str:
    """43 characters, the same at every start: Zalo's console keeps one fixed challenge an app."""
    return _base64(_mac(secret_key, f"code verifier of zalo_oa:{app_id}"))


def code_challenge(verifier: str) -> str:
    """What the console wants to be told (S256)."""
    return _base64(hashlib.sha256(verifier.encode()).digest())


def consent_url(oauth_url: str, app_id: str, redirect_uri: str, challenge: str, state: str) -> str:
    """Where an administrator of the Official Account consents. Zalo comes back to `redirect_uri` with `code` (good
    once, for ten minutes), `oa_id` and `state`."""
    query = {"app_id": app_id, "redirect_uri": redirect_uri, "code_challenge": challenge, "state": state}
    return f"{oauth_url.rstrip('/')}{_PERMISSION}?{urlencode(query)}"


def make_state(secret_key: bytes, now: datetime) -> str:
    """A word that only we can have made, good for half an hour."""
    words = f"{int(now.timestamp())}.{secrets.token_urlsafe(9)}"
    return f"{words}.{_signature(secret_key, words)}"


def check_state(secret_key: bytes, state: str, now: datetime) -> bool:
    """Whether we made it within the last half hour. Never raises."""
    words, _, signature = state.rpartition(".")
    expected = _signature(secret_key, words)
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
        return False
    return 0 <= now.timestamp() - int(words.partition(".")[0]) <= STATE_LIFE


def _signature(secret_key: bytes, words: str) -> str:
    return _base64(_mac(secret_key, f"consent {words}"))


def _mac(secret_key: bytes, words: str) -> bytes:
    return hmac.new(secret_key, words.encode("utf-8", "replace"), hashlib.sha256).digest()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
