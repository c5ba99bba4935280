"""The layer between server and views: problems, authentication, parsing, idempotency, streaming, OpenAPI."""
