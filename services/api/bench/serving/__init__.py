"""Servers under load, and the load."""
