"""What the program remembers: the only package that imports sqlalchemy. One file of queries a noun."""

from bot.db.session import Database, Tx

__all__ = ["Database", "Tx"]
