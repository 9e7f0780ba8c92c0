"""Finding a Chromium that is on this machine: none is ever downloaded."""

from __future__ import annotations

import os
import shutil

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str:
    """The program. Without one a test fails in CI and is skipped elsewhere."""
    asked = os.environ.get("CHROMIUM")
    found = asked or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return found
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail("No Chromium on this machine: CI must install one (apt-get install chromium)")
    pytest.skip("No Chromium: apt-get install chromium, or set CHROMIUM=/path/to/chrome")
