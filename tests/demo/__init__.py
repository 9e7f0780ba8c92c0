"""The demo: its page, its endpoints, the whole of it in a browser."""
