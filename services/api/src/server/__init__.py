"""The server around the application: gunicorn's worker, overload, slow clients, supervisor, logs, metrics."""
