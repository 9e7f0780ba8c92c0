"""The web: health, metrics and webhooks over aiohttp."""
