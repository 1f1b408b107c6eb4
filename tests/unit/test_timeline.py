"""The picture of a run."""

from pathlib import Path

import pytest

from cli.palette import OTHER, RETURNING, kind_of
from cli.recording import Job, Look, Member, Recording, Span
from cli.timeline import bars, draw_timeline


def labels(*states: str) -> list[str]:
    return [kind.label for kind, _ in bars([Span(s, n, n + 1) for n, s in enumerate(states)])]


def test_the_way_back_to_the_pool_does_not_look_like_a_setup() -> None:
    setup, _, _, back, _ = labels(
        "Warmed:Pending:Wait",
        "Warmed:Stopped",
        "InService",
        "Warmed:Pending:Wait",
        "Warmed:Stopped",
    )
    assert back == RETURNING.label
    assert setup != back


def test_an_instance_that_leaves_the_pool_for_good_is_shown_as_leaving() -> None:
    assert kind_of("Warmed:Terminating:Wait") == kind_of("Terminating")


def test_a_state_that_aws_adds_tomorrow_has_a_colour_too() -> None:
    assert kind_of("ReplacingRootVolume:Wait") == OTHER


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    looks = tuple(Look(float(at), 1, (Member("i-1", "InService"),)) for at in (0, 9))
    job = Job("a", "succeeded", 1.0, 1, "i-1", 2.0, 3.0, 4.0)
    draw_timeline(Recording(looks, jobs=(job,)), tmp_path / "t.png", "one job")
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_in_which_nothing_was_seen_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no instance was seen"):
        draw_timeline(Recording(()), tmp_path / "t.png", "nothing")
