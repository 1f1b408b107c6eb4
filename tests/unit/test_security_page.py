"""SECURITY.md names the test that holds each claim."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def test_every_test_that_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)", PAGE))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    assert named
    assert named - written == set()


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:tests|tools|layers|docs)/[\w./-]+)`", PAGE))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
