"""The model in a process of its own, and the object through which request threads use it."""
