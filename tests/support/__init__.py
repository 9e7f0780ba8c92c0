"""What the tests share: a real PostgreSQL, conversations, processes."""
