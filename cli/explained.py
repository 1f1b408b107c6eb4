"""What a command says besides its result: what it waits for, and why it could not go on.

Whatever words for that need is imported once there is something to say: the SDK and rich take
longer to import than many a simulation to run.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.errors import CommandError
from local.errors import CloudStartError


def announce_wait(text: str) -> None:
    """What a silence that may be long is about, for a person who looks on."""
    if sys.stderr.isatty():
        typer.echo(f"{text} ...", err=True)


@contextmanager
def explained() -> Iterator[None]:
    """Errors that a person can act on are shown without a traceback, and end the command with 1.

    SIGTERM unwinds as Ctrl-C does, so that what was started is ended.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except _explicable() as error:
        _show(error)
        raise typer.Exit(1) from error


def _explicable() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return CommandError, CloudStartError, BotoCoreError, ClientError


def _show(error: Exception) -> None:
    from cli.remedies import with_remedy
    from cli.terminal import console

    if details := getattr(error, "details", ""):
        console.print(details, style="dim", highlight=False, markup=False, soft_wrap=True)
    console.print(with_remedy(error), style="red", highlight=False, markup=False, soft_wrap=True)
