"""SQS: messages reach the functions that read a queue as soon as they can be received."""

from __future__ import annotations

import threading

from ministack.core import concurrency

from local.context import CloudContext

LOOK_SECONDS = 0.1


def install(context: CloudContext) -> None:
    """Stock looks for delayed and returned messages once a second; AWS's pollers never stop."""
    ended = threading.Event()
    context.on_stop(ended.set)

    def keep_looking() -> None:
        while not ended.wait(LOOK_SECONDS):
            concurrency.esm_wake.set()

    threading.Thread(target=keep_looking, daemon=True, name="queue-pollers").start()
