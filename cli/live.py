"""Showing a fleet while it works: a live table on a terminal, one line per change elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.palette import style_of
from cli.recording import Look, Member


class View(AbstractContextManager["View"], Protocol):
    """Where a command shows what happens."""

    def show(self, look: Look) -> None:
        """Show a new look; called from the recorder's thread."""

    def say(self, line: str) -> None:
        """Print one line with the seconds since the start."""

    def status(self, line: str) -> None:
        """What is being waited for now."""


def view_for(console: Console) -> View:
    """The live table where there is a terminal to draw on, else lines."""
    return TableView(console) if console.is_terminal else LineView(console)


class LineView:
    """For logs and CI: a line whenever an instance's state or the queue's emptiness changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._states: dict[str, str] = {}
        self._depth = (0, 0)
        self._status = ""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, look: Look) -> None:
        states = {member.instance_id: member.state for member in look.members}
        for instance_id in sorted(states.keys() | self._states.keys()):
            before, after = self._states.get(instance_id), states.get(instance_id, "gone")
            if before != after:
                self.say(f"{instance_id}  {before or 'new'} -> {after}")
        self._states = states
        self._show_queue(look)

    def _show_queue(self, look: Look) -> None:
        depth = (look.visible, look.in_flight)
        if depth != self._depth:
            self.say(f"queue {look.visible} waiting, {look.in_flight} in work")
        self._depth = depth

    def say(self, line: str) -> None:
        with self._lock:
            self._console.print(_stamp(self._started), line, highlight=False, soft_wrap=True)

    def status(self, line: str) -> None:
        if line != self._status:
            self._status = line
            self.say(f"... {line}")


class TableView:
    """For a terminal: what is said scrolls by above a table with one line per instance."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._look = Look(at=0.0, desired=0, members=())
        self._since: dict[str, tuple[str, float]] = {}
        self._status = ""
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=True
        )
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._live)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def show(self, look: Look) -> None:
        known = self._since
        self._since = {
            member.instance_id: (
                known[member.instance_id]
                if known.get(member.instance_id, ("", 0.0))[0] == member.state
                else (member.state, look.at)
            )
            for member in look.members
        }
        self._look = look

    def say(self, line: str) -> None:
        self._console.print(_stamp(self._started), line, highlight=False)

    def status(self, line: str) -> None:
        self._status = line

    def _render(self) -> Group:
        since = {name: start for name, (_, start) in self._since.items()}
        status = Text(f"{_stamp(self._started)} {self._status}", style="bold")
        return Group(fleet(self._look, since), status)


def fleet(look: Look, since: dict[str, float]) -> Group:
    """The fleet at one moment; `since` says when each instance entered its state, if known."""
    table = Table()
    for heading in ("instance", "lifecycle state", "for", "scale-in"):
        table.add_column(heading)
    for member in look.members:
        entered_at = since.get(member.instance_id)
        table.add_row(*_row(member, None if entered_at is None else look.at - entered_at))
    return Group(Text(headline(look)), table)


def headline(look: Look) -> str:
    """Capacity and queue in one line."""
    return (
        f"desired {look.desired} · {look.running} running, {look.stopped} stopped, "
        f"{look.moving} on the way · queue {look.visible} waiting, {look.in_flight} in work"
    )


def _row(member: Member, seconds: float | None) -> tuple[str, Text, str, str]:
    return (
        member.instance_id,
        Text(member.state, style=style_of(member.state)),
        "" if seconds is None else f"{seconds:.0f} s",
        "protected" if member.protected else "",
    )


def _stamp(started: float) -> str:
    return f"{time.monotonic() - started:7.1f} s "
