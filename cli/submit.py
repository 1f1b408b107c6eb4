"""`pilotlight submit PAYLOAD`: one job sent, and waited for if asked."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from cli.clouds import PATIENCE
from cli.errors import CommandError
from cli.explained import announce_wait, explained
from pilotlight.aws.configured_clients import configured_clients
from pilotlight.client import Client
from pilotlight.errors import PilotlightError
from pilotlight.jobs.payload_argument import payload_of


def submit(
    payload: Annotated[
        str,
        typer.Argument(help='JSON such as \'{"task": "train"}\', @FILE, or - for standard input.'),
    ],
    job_id: Annotated[
        str | None,
        typer.Option(help="Key by which the job is done once; a random one if not given."),
    ] = None,
    wait_seconds: Annotated[
        float | None, typer.Option(min=0, help="Wait so long for the result, and print it.")
    ] = None,
    stack_name: Annotated[str, typer.Option(help="Stack that `sam deploy` made.")] = "pilotlight",
) -> None:
    """Send one job and print its id, or with --wait-seconds its result.

    A payload too large for a message goes through the stack's bucket.
    """
    with explained():
        try:
            if payload == "-" and sys.stdin.isatty():
                announce_wait("The payload is read from here until Ctrl-D")
            content = payload_of(payload, sys.stdin)
            client = Client(stack_name, clients=configured_clients(PATIENCE))
            sent = client.submit(content, job_id=job_id)
            if wait_seconds is None:
                typer.echo(sent.job_id)
                return
            typer.echo(f"sent {sent.job_id}", err=True)
            typer.echo(json.dumps(client.wait(sent.job_id, wait_seconds)))
        except PilotlightError as error:
            raise CommandError(str(error)) from error
