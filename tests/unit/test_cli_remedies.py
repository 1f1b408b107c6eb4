"""Where AWS is out of reach, a command says within seconds what to do about it."""

from __future__ import annotations

import socket
import sys
import time

import pytest
from typer.testing import CliRunner

from cli.main import app

SOMEWHERE = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nothing",
    "AWS_SHARED_CREDENTIALS_FILE": "/nothing",
    "COLUMNS": "1000",
}
COMMANDS = [
    "submit 1",
    "job x",
    "logs x",
    "dead-letters",
    "replay x",
    "status",
    "advise --stack-name x",
]


@pytest.fixture
def said(monkeypatch):
    """What a command prints and exits with, where AWS is as these variables have it."""

    def run(command: str, **variables: str | None) -> str:
        for name, value in {"AWS_PROFILE": None, **SOMEWHERE, **variables}.items():
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        result = CliRunner().invoke(app, command.split())
        assert result.exit_code == 1, result.output
        return " ".join(result.output.split())

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_region_it_says_how_to_name_one(said, command: str) -> None:
    assert "AWS_DEFAULT_REGION" in said(command, AWS_DEFAULT_REGION=None)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_credentials_it_says_where_they_come_from(said, command: str) -> None:
    printed = said(command, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert "AWS_PROFILE" in printed
    assert "make cloud" in printed


def test_a_profile_that_is_not_there_is_named(said) -> None:
    printed = said("status", AWS_PROFILE="nosuch")
    assert "nosuch" in printed
    assert "list-profiles" in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nobody_listens_it_asks_for_the_cloud_and_soon(said, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        port = taken.getsockname()[1]
        began = time.monotonic()
        printed = said(command, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in printed
    assert "make cloud" in printed
    assert time.monotonic() - began < 10


def test_a_payload_that_is_none_is_told_before_anybody_is_asked(said) -> None:
    assert "JSON" in said("submit {a:1}", AWS_DEFAULT_REGION=None)
    assert "/nothing" in said("submit @/nothing", AWS_DEFAULT_REGION=None)


def test_what_a_plain_install_leaves_out_is_named_before_the_long_run(said, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "cli.compare_plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    assert "pip install '.[local]'" in said("compare")
