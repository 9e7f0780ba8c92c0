"""Schema changes (Alembic), run by the program itself before anything else touches the database."""
