"""The embedded PostgreSQL, connections, and group commit."""
