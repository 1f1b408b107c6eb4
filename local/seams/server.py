"""ministack in this process: its settings before it is imported, its server, its end."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urlsplit

from local.context import CloudContext
from local.environment import ACCESS_KEY_ID, HOST, SECRET_ACCESS_KEY

ASYNC_RETRY_FIRST_SECONDS = 60.0  # AWS Lambda guide, invocation-async: 1 minute, then 2
ASYNC_RETRY_LONGEST_SECONDS = 300.0
LONGEST_GOODBYE_SECONDS = 1.0  # open long polls are cut off after this


def configure(context: CloudContext, enforce_iam: bool) -> None:
    """Set what ministack reads from the environment while it is imported."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MINISTACK_"))]:
        del os.environ[name]
    scratch = context.folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    tempfile.tempdir = str(scratch)
    os.environ |= {
        "AUTH": "true" if enforce_iam else "false",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(urlsplit(context.endpoint).port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": context.account_id,
        "MINISTACK_REGION": context.region,
        "STATE_DIR": str(context.folder / "state"),
        "PERSIST_STATE": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(ASYNC_RETRY_FIRST_SECONDS / context.speed),
        "LAMBDA_ASYNC_RETRY_MAX_SECONDS": str(ASYNC_RETRY_LONGEST_SECONDS / context.speed),
        # Nobody's Docker daemon is ours to touch, and no other port is opened.
        "DOCKER_HOST": f"unix://{context.folder}/no-docker.sock",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    # It warns of its own unpublished metrics at every deployment.
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)


def serve(listener: socket.socket, on_ready: Callable[[], None], parent: BinaryIO | None) -> None:
    """Answer calls until SIGINT, SIGTERM or, when given, the end of `parent`."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = LONGEST_GOODBYE_SECONDS
    config.loglevel = os.environ["LOG_LEVEL"]

    async def until_told() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, told.set)
        if parent is not None:
            watch_end(parent, lambda: loop.call_soon_threadsafe(told.set))
        on_ready()
        await told.wait()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(hypercorn_serve(app, config, shutdown_trigger=until_told))


def watch_end(stream: BinaryIO, then: Callable[[], object]) -> None:
    """Call `then` when the other side of the pipe `stream` is gone."""

    def read_to_end() -> None:
        while stream.read(1):
            pass
        then()

    threading.Thread(target=read_to_end, daemon=True, name="parent-watch").start()


def leave(exit_code: int) -> None:
    """End at once: ministack's pool threads may hang in a long poll and keep us for minutes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
