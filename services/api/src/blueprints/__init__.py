"""Views: validated input, one use case, the answer."""
