"""The terminal: where commands print, and how their errors look there."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from cli.errors import CommandError
from cli.remedies import with_remedy
from local.errors import CloudStartError

TABLE_COLUMNS = 150
"""What tables get where output goes to a file or a pipe, which have no width of their own."""


# What a terminal obeys instead of showing it: C0 and C1 controls but tab and line feed, and the
# marks that turn the direction of what follows.
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class ShowingConsole(Console):
    """Shows what jobs, messages and errors say, and lets none of it command the terminal.

    Commands are left out rather than made visible: they have no width, and tables are drawn so.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:  # rich's own, such as moving the cursor
                yield segment
            else:
                yield Segment(COMMANDS.sub("", segment.text), segment.style)


def _console() -> Console:
    console = ShowingConsole()
    return console if console.is_terminal else ShowingConsole(width=TABLE_COLUMNS)


console = _console()


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
    except (CommandError, CloudStartError, BotoCoreError, ClientError) as error:
        if details := getattr(error, "details", ""):
            console.print(details, style="dim", highlight=False, markup=False, soft_wrap=True)
        console.print(
            with_remedy(error), style="red", highlight=False, markup=False, soft_wrap=True
        )
        raise typer.Exit(1) from error
