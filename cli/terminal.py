"""The terminal: where commands print, and how their errors look there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.errors import CommandError
from local.cloud import CloudStartError

TABLE_COLUMNS = 150
"""What tables get where output goes to a file or a pipe, which have no width of their own."""


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=TABLE_COLUMNS)


console = _console()


@contextmanager
def explained() -> Iterator[None]:
    """Errors that a person can act on are shown without a traceback, and end the command with 1.

    SIGTERM unwinds as Ctrl-C does, so that what was started is ended.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (CommandError, CloudStartError, BotoCoreError, ClientError) as error:
        if details := getattr(error, "details", ""):
            console.print(details, style="dim", highlight=False, markup=False, soft_wrap=True)
        console.print(f"{error}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
