"""Hostile messages: every way of being one is tried, and what would go wrong would be seen."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.churn.hostile import BAD, Fate, Message, make_messages
from cli.churn.hostile_logs import harmed
from cli.churn.hostile_run import (
    Sent,
    found_canaries,
    judge_hostile,
    make_canary,
    met_its_fate,
)


@pytest.fixture
def canary() -> Iterator[str]:
    name = make_canary()
    yield name
    Path("/tmp", name).unlink(missing_ok=True)  # noqa: S108


def message_of(kind: str, canary: str) -> Message:
    found = {each.kind: each for each in make_messages(1, 10 * len(BAD), canary)}
    return found[kind]


def test_a_tenth_is_bad_in_every_way_in_turn() -> None:
    messages = make_messages(1, 10_000, "canary")
    fates = Counter(message.fate for message in messages)
    assert fates[Fate.RESULT] == 9_000
    assert fates[Fate.DEAD_LETTER] + fates[Fate.REFUSED] == 1_000
    bad = Counter(message.kind for message in messages if message.fate is not Fate.RESULT)
    assert len(bad) == len(BAD)
    assert max(bad.values()) - min(bad.values()) <= 1
    job_ids = [message.job_id for message in messages if message.job_id]
    assert len(set(job_ids)) == len(job_ids)


def test_the_pickle_would_leave_the_canary_if_anybody_loaded_it(canary: str) -> None:
    assert found_canaries(canary, Path("/nonexistent")) == []
    pickle.loads(message_of("pickle", canary).body.encode("ascii"))  # noqa: S301 - our own
    assert found_canaries(canary, Path("/nonexistent")) == [Path("/tmp", canary)]  # noqa: S108


def test_the_command_would_leave_the_canary_if_any_shell_ran_it(canary: str) -> None:
    subprocess.run(["sh", "-c", message_of("shell", canary).body], check=False)
    assert found_canaries(canary, Path("/nonexistent"))


def test_a_canary_on_an_instances_disk_is_found(canary: str, tmp_path: Path) -> None:
    left = tmp_path / "i-1/disk/opt/pilotlight" / canary
    left.parent.mkdir(parents=True)
    left.touch()
    assert found_canaries(canary, tmp_path) == [left]


@pytest.mark.parametrize(
    ("line", "harm"),
    [
        ('{"event": "job_started", "job_id": "good-00001"}', False),
        ("INIT_START Runtime Version: python:3.14", False),
        ('{"event": "job_failed", "error": "touch /tmp/canary"}', True),
        ('{"event": "job_succeeded", "job_id": "forged"}', True),
        ("before\x1b[2Jafter", True),
        ('{"event": "x"}\r\n{"event": "y"}', True),
    ],
)
def test_a_payload_in_the_log_is_seen(line: str, harm: bool) -> None:
    assert harmed([line], "canary") == ([line] if harm else [])


BAD_ONE = Sent(Message("no JSON", "x", Fate.DEAD_LETTER), "m")
GOOD_ONE = Sent(Message("plain", "{}", Fate.RESULT, "good", ["a", 1]), "m")


@pytest.mark.parametrize(
    ("sent", "result", "reason", "met"),
    [
        (BAD_ONE, "", "MalformedJob: it is not JSON", True),
        (BAD_ONE, "", "", False),  # SQS moved it: nobody said why
        (BAD_ONE, "", None, False),
        (BAD_ONE, "1", "MalformedJob: it is not JSON", False),
        (GOOD_ONE, json.dumps(["a", 1]), None, True),
        (GOOD_ONE, json.dumps(["a", 2]), None, False),
        (GOOD_ONE, "", None, False),
        (GOOD_ONE, json.dumps(["a", 1]), "it is a dead letter as well", False),
    ],
)
def test_a_message_has_met_its_fate_only_in_one_way(
    sent: Sent, result: str, reason: str | None, met: bool
) -> None:
    assert met_its_fate(sent, result, reason) is met


def test_a_verdict_counts_fates_names_kinds_that_missed_theirs_and_is_json() -> None:
    messages = [BAD_ONE.message, BAD_ONE.message, GOOD_ONE.message]
    verdict = judge_hostile(messages, messages[1:], (), (), 1.0)
    assert verdict.missing == {"no JSON": 1}
    assert not verdict.flawless
    assert json.loads(json.dumps(asdict(verdict)))["fates"][Fate.DEAD_LETTER] == 1
    assert judge_hostile(messages, messages, (), (), 1.0).flawless
    assert not judge_hostile(messages, messages, ("/tmp/x",), (), 1.0).flawless  # noqa: S108
    assert not judge_hostile(messages, messages, (), ("a line",), 1.0).flawless
