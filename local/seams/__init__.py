"""The only code that touches ministack: what it lacks or does otherwise than AWS is put right here.

Each module patches one service by `install(context)`; each patch says what ministack 1.5.33 does
and what AWS does. `PRIVATE` in each module names what it relies on; tests/embedded/test_seams.py
fails when one of these has moved.
"""

from __future__ import annotations

import importlib
import logging
import socket
from collections.abc import Callable
from typing import BinaryIO

from local.context import CloudContext
from local.seams import server

# In this order: eventbridge before whoever emits, ec2 before whoever uses instances.
MODULES = (
    "iam",
    "images",
    "logs",
    "eventbridge",
    "lambda_runtime",
    "lambda_events",
    "lambda_roles",
    "recursion",
    "sqs",
    "cloudformation",
    "ec2",
    "autoscaling",
    "cloudformation_autoscaling",
    "ssm",
    "cloudwatch",
    "network",
)

log = logging.getLogger(__name__)


def install_all(context: CloudContext) -> None:
    """Put every seam in place; `server.configure` has run before ministack is imported here."""
    for name in MODULES:
        importlib.import_module(f"local.seams.{name}").install(context)


def default_network(context: CloudContext) -> tuple[str, list[str]]:
    """The ids of the VPC that every account starts with, and of its subnets, one per zone."""
    from ministack.services import ec2

    from local.seams.permissions import in_account

    vpcs = in_account(context, lambda: list(ec2._vpcs.values()))
    vpc_id = next(vpc["VpcId"] for vpc in vpcs if vpc["IsDefault"])
    subnets = in_account(context, lambda: list(ec2._subnets.values()))
    return vpc_id, sorted(one["SubnetId"] for one in subnets if one["VpcId"] == vpc_id)


def run(
    context: CloudContext,
    listener: socket.socket,
    enforce_iam: bool,
    on_ready: Callable[[], None],
    parent: BinaryIO | None,
) -> None:
    """Serve the embedded AWS until it is told to end; does not return.

    `on_ready` is called once calls are answered; the end of `parent` (a pipe) ends it as well.
    """
    server.configure(context, enforce_iam)
    exit_code = 0
    steps: tuple[Callable[[], None], ...] = (
        lambda: serve_all(context, listener, on_ready, parent),
        context.stop,
    )
    for step in steps:
        try:
            step()
        except BaseException:
            log.exception("the embedded AWS fails")
            exit_code = 1
    server.leave(exit_code)


def serve_all(
    context: CloudContext,
    listener: socket.socket,
    on_ready: Callable[[], None],
    parent: BinaryIO | None,
) -> None:
    """Put the seams in place, then answer calls until told to end."""
    install_all(context)
    server.serve(listener, on_ready, parent)
