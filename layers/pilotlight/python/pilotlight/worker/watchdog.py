"""Ends a worker that is stuck, so that systemd starts it anew: nobody else would notice."""

import faulthandler

# A step calls AWS and the metadata a few times, and each of those gives up within seconds.
STUCK_SECONDS = 90.0


def must_step_again(within_seconds: float = STUCK_SECONDS) -> None:
    """Unless called again in time: every thread's traceback on standard error, and exit code 1.

    It is a thread of the interpreter's own that waits, so it needs no lock which others may hold.
    The jobs' processes end with the worker, and their messages are visible again after their
    visibility timeout.
    """
    faulthandler.dump_traceback_later(within_seconds, exit=True)
