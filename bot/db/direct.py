"""A connection to PostgreSQL of its own: for locks that die with it, for statements that cannot wait for a pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from psycopg import AsyncConnection

from bot.db.session import Database, Tx

KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""How our side notices within 25 s that the server's machine is gone; the system's own patience is two hours."""

_SERVERS_SIDE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


def impatient(url: str, seconds: float) -> str:
    """The address of the same database, whose server ends what does nothing in an open transaction for so long: a
    process that stands still must not keep its locks."""
    settings = {"idle_in_transaction_session_timeout": f"{int(seconds * 1000)}", **_SERVERS_SIDE}
    given = sa.make_url(url)
    asked = given.query.get("options", "")
    options = f"{asked if isinstance(asked, str) else ' '.join(asked)} {_options(settings)}".strip()
    sides = {key: str(value) for key, value in KEEPALIVE.items()}
    return _written(given.update_query_dict({**sides, "options": options}))


def _options(settings: Mapping[str, str]) -> str:
    return " ".join(f"-c {key}={value}" for key, value in settings.items())


def address(database: Database) -> str:
    """The database as psycopg wants it named, with its password."""
    return _written(sa.make_url(database.url).set(drivername="postgresql"))


def _written(url: sa.URL) -> str:
    before, mark, query = url.render_as_string(hide_password=False).partition("?")
    return before + mark + query.replace("+", "%20")  # libpq takes a plus for a plus


async def connect(database: Database, name: str, **settings: str) -> AsyncConnection[Any]:
    """Open a connection that commits each statement. `settings` are the server's for this session. The server notices
    as soon as we do when the other side is gone."""
    options = _options({**_SERVERS_SIDE, **settings})
    return await AsyncConnection.connect(
        address(database), autocommit=True, application_name=f"loaso {name}", options=options, **KEEPALIVE
    )


async def raw(tx: Tx) -> AsyncConnection[Any]:
    """The driver's own connection of an open transaction."""
    return cast("AsyncConnection[Any]", (await (await tx.connection()).get_raw_connection()).driver_connection)
