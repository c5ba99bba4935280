"""The `flask` commands."""

from flask import Flask

from src.commands.keys import keys
from src.commands.reviews import reviews
from src.commands.score import score
from src.commands.serve import serve


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    for command in (serve, score, reviews, keys):
        app.cli.add_command(command)
