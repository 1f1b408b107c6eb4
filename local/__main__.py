"""`python -m local`: the embedded AWS, until Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from local import seams
from local.context import CloudContext
from local.environment import ACCOUNT_ID, HOST, REGION, client_environment

LAMBDA_PYTHON = Path(__file__).parents[1] / ".tools/lambda-runtime/bin/python"
SAM = ".tools/sam/bin/sam"
DEPLOY = f"`{SAM} build && {SAM} deploy --config-env local`"


def listen(port: int) -> socket.socket:
    """A listening socket on this computer alone; port 0 takes a free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as failure:
        listener.close()
        if failure.errno == errno.EADDRINUSE:
            raise typer.BadParameter(
                f"port {port} of {HOST} is in use by another program. "
                "Stop that program, or choose a port: --port 4567, or --port 0 for any free one.",
                param_hint="--port",
            ) from failure
        if failure.errno == errno.EACCES:
            raise typer.BadParameter(
                f"port {port} needs rights that you lack; take one above 1023.",
                param_hint="--port",
            ) from failure
        raise
    listener.listen(1024)
    return listener


def claim(folder: Path) -> TextIO:
    """Take `folder` for this process alone: two embedded AWSs would delete each other's disks.

    The claim ends with the process, however it ends; keep the returned file open until then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as failure:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise typer.BadParameter(
            f"{folder} is in use by another embedded AWS (process {holder}). "
            "Stop that one, or choose another folder.",
            param_hint="--folder",
        ) from failure
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def announce(context: CloudContext, ready_file: Path | None) -> None:
    """Tell whoever waits that calls are answered now, and how to make them."""
    vpc_id, subnet_ids = seams.default_network(context)
    environment = client_environment(context.endpoint)
    lines = [
        f"Embedded AWS at {context.endpoint} (speed {context.speed:g}, Ctrl-C ends it)",
        f"Default VPC {vpc_id} with subnets {','.join(subnet_ids)}",
        "",
        *(f"export {name}={value}" for name, value in environment.items()),
        "",
        f"Then {DEPLOY} brings the stack up there.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    if ready_file:
        written = ready_file.with_suffix(".part")
        written.write_text(json.dumps({"endpoint": context.endpoint}), encoding="utf-8")
        written.replace(ready_file)


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 4566,
    speed: Annotated[
        float, typer.Option(min=0.01, help="Divides the durations that AWS itself would take.")
    ] = 1.0,
    folder: Annotated[
        Path, typer.Option(help="Disks of the instances, logs, unpacked functions.")
    ] = Path("build/cloud"),
    auth: Annotated[bool, typer.Option(help="Enforce signatures and IAM policies.")] = True,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written (JSON, `endpoint`) once calls are answered.")
    ] = None,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="End with the program that started this.")
    ] = False,
) -> None:
    """Run an embedded AWS on this computer until Ctrl-C.

    Any boto3 program, the aws command line and sam work against it: copy the printed
    environment into their shell.
    """
    if not LAMBDA_PYTHON.exists():
        raise typer.BadParameter(f"{LAMBDA_PYTHON} is missing: run `make setup` first.")
    _lock = claim(folder.resolve())
    listener = listen(port)
    context = CloudContext(
        folder=folder.resolve(),
        endpoint=f"http://{HOST}:{listener.getsockname()[1]}",
        region=REGION,
        account_id=ACCOUNT_ID,
        speed=speed,
        lambda_python=LAMBDA_PYTHON,
    )
    seams.run(
        context,
        listener,
        enforce_iam=auth,
        on_ready=lambda: announce(context, ready_file),
        parent=sys.stdin.buffer if until_stdin_closes else None,
    )


if __name__ == "__main__":
    typer.run(main)
