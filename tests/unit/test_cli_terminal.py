"""What others wrote is shown on an operator's terminal, and obeyed by it in nothing."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from cli.explained import announce_wait
from cli.terminal import ShowingConsole


def shown(renderable: object) -> str:
    stream = io.StringIO()
    console = ShowingConsole(file=stream, width=60, color_system=None)
    console.print(renderable, highlight=False, markup=False)
    return stream.getvalue()


@pytest.mark.parametrize(
    "command",
    ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\b", "\x00", "\x7f", "\u202e", "\u2066"],
    ids=repr,
)
@pytest.mark.parametrize("place", ["line", "text", "cell"])
def test_what_a_terminal_would_obey_is_left_out(command: str, place: str) -> None:
    text = f"before{command}after"
    table = Table("heading")
    table.add_row(Text(text))
    printed = shown({"line": text, "text": Text(text), "cell": table}[place])
    assert command not in printed
    assert "\x1b" not in printed
    assert "before" in printed
    assert "after" in printed


def test_lines_and_every_language_stay_as_they_are() -> None:
    assert shown("one\ntwo: Grüße, 你好, שלום") == "one\ntwo: Grüße, 你好, שלום\n"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "told"), [(Screen(), "9 jobs ...\n"), (io.StringIO(), "")])
def test_who_looks_on_is_told_what_is_waited_for(
    stream: io.StringIO, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    announce_wait("9 jobs")
    assert stream.getvalue() == told


def test_styles_of_our_own_still_colour() -> None:
    stream = io.StringIO()
    console = ShowingConsole(file=stream, force_terminal=True, color_system="standard")
    console.print(Text("lost", style="red"))
    assert stream.getvalue() == "\x1b[31mlost\x1b[0m\n"
