"""One PostgreSQL database for many tests: emptied after each, which takes a tenth of the time that a new one takes."""

from __future__ import annotations

import uuid

import psycopg

from tests.support.postgres import Postgres

_OURS = "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_TABLES = f"SELECT relname {_OURS} AND relkind IN ('r', 'p') ORDER BY relname"
_SHAPE = f"SELECT count(*), max(oid) {_OURS}"
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"


class Reused:
    """A copy of `template` that is as it was after each `clean`, rows and numbers alike."""

    def __init__(self, server: Postgres, template: str) -> None:
        self.server = server
        self.template = template
        self._make()

    def _make(self) -> None:
        self.name = f"t{uuid.uuid4().hex}"
        self.url = self.server.create(self.name, self.template)
        self._connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        self._connection.execute("SET session_replication_role = replica")
        self._connection.execute("SET lock_timeout = '3s'")
        self._tables = [name for (name,) in self._connection.execute(_TABLES)]
        self._shape = self._connection.execute(_SHAPE).fetchone()
        self._sequences: dict[str, int | None] = dict(self._connection.execute(_SEQUENCES).fetchall())
        self._rows = {name: self._read(name) for name in self._filled()}

    def clean(self) -> None:
        """Undo what a test did. A database that a test has changed in its shape, or holds on to, is made anew."""
        try:
            if self._connection.execute(_SHAPE).fetchone() == self._shape:
                with self._connection.transaction():
                    self._undo()
                return
        except psycopg.Error:
            pass
        self.close()
        self._make()

    def close(self) -> None:
        self._connection.close()
        self.server.drop(self.name)

    def _undo(self) -> None:
        for name in self._filled():
            self._connection.execute(f'DELETE FROM "{name}"')
        for name, rows in self._rows.items():
            with self._connection.cursor().copy(f'COPY "{name}" FROM STDIN') as copy:
                copy.write(rows)
        for name, last in self._connection.execute(_SEQUENCES).fetchall():
            if last != self._sequences[name]:
                begun = self._sequences[name] is not None
                self._connection.execute(
                    "SELECT setval(%s::regclass, %s, %s)", (f'public."{name}"', self._sequences[name] or 1, begun)
                )

    def _filled(self) -> list[str]:
        asked = " UNION ALL ".join(f"SELECT '{n}' WHERE EXISTS (SELECT 1 FROM \"{n}\")" for n in self._tables)
        return [name for (name,) in self._connection.execute(asked)]

    def _read(self, name: str) -> bytes:
        with self._connection.cursor().copy(f'COPY "{name}" TO STDOUT') as copy:
            return b"".join(bytes(block) for block in copy)
