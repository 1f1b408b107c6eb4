"""The terminal: where commands print."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

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
