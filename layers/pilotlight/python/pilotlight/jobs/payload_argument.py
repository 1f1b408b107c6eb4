"""A payload as it is typed on a command line: JSON, @FILE, or - for standard input."""

from pathlib import Path
from typing import Any, TextIO

from pilotlight.jobs.message import MalformedJobError, load_json
from pilotlight.jobs.submission import SubmissionError


def payload_of(argument: str, stdin: TextIO) -> Any:
    """Raises SubmissionError naming where the payload came from and what is wrong with it."""
    source, text = _read(argument, stdin)
    try:
        return load_json(text, f"payload {source}")
    except MalformedJobError as error:
        raise SubmissionError(
            f'{error}. Give JSON such as \'{{"task": "train"}}\', @FILE, or - for standard input'
        ) from error


def _read(argument: str, stdin: TextIO) -> tuple[str, str]:
    if argument == "-":
        return "from standard input", stdin.read()
    if not argument.startswith("@"):
        return repr(argument[:80]), argument
    try:
        return f"in {argument[1:]}", Path(argument[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SubmissionError(f"the payload cannot be read from {argument[1:]}: {error}") from error
