"""What is the matter with the database, in one plain sentence."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SQLITE = {
    "database is locked": "The database is busy: another program is writing to it. Try again in a moment",
    "unable to open database file": "The database file cannot be opened: check the path in LOASO_DATABASE_URL "
    "and that you may write to its folder",
    "readonly database": "The database file may not be written: check its owner and permissions",
    "file is not a database": "The file in LOASO_DATABASE_URL is not a Loa Số database",
    "malformed": "The database file is damaged: restore the last backup with 'loaso restore FILE'",
    "disk is full": "The disk is full: make room and try again",
    "disk I/O error": "The disk does not answer properly: check it, and restore the last backup if need be",
}
_POSTGRES = {
    "connection refused": "PostgreSQL does not answer: check that it runs and the host in LOASO_DATABASE_URL",
    "password authentication failed": "PostgreSQL refuses the user or password in LOASO_DATABASE_URL",
    "no password supplied": "PostgreSQL asks for a password: write it into LOASO_DATABASE_URL",
    "does not exist": "PostgreSQL does not know this database or user: create it, or correct LOASO_DATABASE_URL",
    "permission denied": "PostgreSQL does not let this user do that: make it the owner of the database",
    "could not translate host": "The host in LOASO_DATABASE_URL cannot be found: check its spelling",
    "failed to resolve host": "The host in LOASO_DATABASE_URL cannot be found: check its spelling",
    "timeout": "PostgreSQL does not answer in time: check the host in LOASO_DATABASE_URL and the network",
    "too many": "PostgreSQL has no connection left: raise max_connections or stop other programs",
    "starting up": "PostgreSQL is just starting: try again in a moment",
    "shutting down": "PostgreSQL is shutting down: try again when it runs",
    "terminating connection": "The connection to PostgreSQL was cut: try again",
}


def explain(error: BaseException) -> str | None:
    """A sentence for operators, without passwords; `None` if it is not the database that failed."""
    if isinstance(error, PoolTimeout):
        return "The database does not answer in time: try again in a moment"
    if not isinstance(error, SQLAlchemyError):
        return None
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    for table in (_SQLITE, _POSTGRES):
        for part, sentence in table.items():
            if part.lower() in text.lower():
                return sentence
    return f"The database failed: {text.strip().splitlines()[0] if text.strip() else type(error).__name__}"
