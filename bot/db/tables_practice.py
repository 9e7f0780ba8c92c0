"""The tables of practice: what was asked and how it went."""

from __future__ import annotations
