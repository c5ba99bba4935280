"""`flask keys`: API keys and their digests."""

import click

from src.config import OWNER
from src.web.authentication import new_key


@click.group()
def keys() -> None:
    """Create API keys."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Create a key for NAME. It is shown once; API_KEYS holds only its digest."""
    if not OWNER.fullmatch(name):
        raise click.BadParameter("use 1 to 40 letters, digits, dots, dashes and underscores", param_hint="NAME")
    key, digest = new_key()
    click.echo(f"The key, for {name}:\n  {key}\nAPI_KEYS, with commas between several:\n  {name}:{digest}")
