"""The server around the application: worker, overload, slow clients, supervisor, logs, metrics."""
