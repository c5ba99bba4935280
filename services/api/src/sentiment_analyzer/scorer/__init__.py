"""The scorer: a process of its own that holds the model, and its client."""
