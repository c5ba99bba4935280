"""The embedded PostgreSQL, which database to connect to, and group commit."""
