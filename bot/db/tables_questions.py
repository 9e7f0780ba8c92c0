"""The tables of questions that the bot could not answer, and of the answers that people gave."""

from __future__ import annotations
