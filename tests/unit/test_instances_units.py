"""systemd units as the boxes read them."""

from __future__ import annotations

import pytest

from local.instances.guest.units import (
    UnitError,
    environment_of,
    read_unit,
    seconds_of,
    should_restart,
)

WORKER = """
[Unit]
Description=A worker
ConditionPathExists=/opt/ready

[Service]
# comments and ; both kinds
Environment=A=1 "B=two words"
Environment=C=3
EnvironmentFile=-/etc/worker.env
ExecStartPre=-/bin/prepare \\
    --quietly
ExecStart=/bin/worker ${A} $B $MISSING 'as one' %n
Restart=on-failure
RestartSec=1min 30s
TimeoutStopSec=5min

[Install]
WantedBy=multi-user.target graphical.target
"""


def test_a_service_is_read_whole() -> None:
    unit = read_unit("worker.service", WORKER)

    assert (unit.type, unit.restart, unit.restart_seconds) == ("simple", "on-failure", 90)
    assert unit.stop_timeout_seconds == 300
    assert unit.environment == {"A": "1", "B": "two words", "C": "3"}
    assert unit.environment_files == ("-/etc/worker.env",)
    assert [(each.line.split(), each.may_fail) for each in unit.before_start] == [
        (["/bin/prepare", "--quietly"], True)
    ]
    assert unit.wanted_by == ("multi-user.target", "graphical.target")
    assert unit.needed_paths == ("/opt/ready",)


def test_a_braced_variable_stays_one_word_and_a_bare_one_splits() -> None:
    [start] = read_unit("worker.service", WORKER).start

    assert start.argv({"A": "1 2", "B": "two words"}) == [
        "/bin/worker", "1 2", "two", "words", "as one", "worker.service",
    ]  # fmt: skip


def test_an_empty_assignment_in_a_drop_in_takes_back_what_the_unit_said() -> None:
    drop_in = "[Service]\nExecStart=\nExecStart=/bin/other\n"

    assert [each.line for each in read_unit("w.service", WORKER + drop_in).start] == ["/bin/other"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[Service]\nType=forking\nExecStart=/bin/x", "Type=forking is not provided here"),
        ("[Service]\nRestart=always", "no ExecStart"),
        ("[Service]\nExecStart /bin/x", "missing '='"),
        ("[Service]\nExecStart=/bin/x\nRestartSec=soon", "write it like 5s"),
    ],
)
def test_a_unit_that_cannot_run_faithfully_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(UnitError, match=said):
        read_unit("w.service", text)


@pytest.mark.parametrize(
    ("policy", "exit_code", "restarts"),
    [
        ("no", 1, False),
        ("always", 0, True),
        ("on-success", 0, True),
        ("on-success", 1, False),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("on-failure", -9, True),
        ("on-failure", -15, False),
        ("on-abnormal", 1, False),
        ("on-abnormal", -11, True),
    ],
)
def test_restart_policies_follow_the_table_of_systemd_service(
    policy: str, exit_code: int, restarts: bool
) -> None:
    assert should_restart(policy, exit_code) is restarts


@pytest.mark.parametrize(
    ("span", "seconds"), [("5", 5), ("500ms", 0.5), ("1min 30s", 90), ("infinity", float("inf"))]
)
def test_time_spans_have_units(span: str, seconds: float) -> None:
    assert seconds_of(span) == seconds


def test_an_environment_file_may_quote_and_comment() -> None:
    assert environment_of("# no\n; no\nA=1\nB='two words'\nC=a#b\n") == {
        "A": "1",
        "B": "two words",
        "C": "a#b",
    }
