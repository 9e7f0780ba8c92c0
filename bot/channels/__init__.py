"""Platforms: each channel translates between one platform's words and ours, and decides nothing."""
