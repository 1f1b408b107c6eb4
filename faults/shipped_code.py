"""The shipped code lives in one world for a while, and speaks to nobody outside."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch

from faults.diary import Diary, FunctionLog
from faults.threads import virtual_threads
from faults.worker import shipped_worker
from faults.world import World
from pilotlight.observability import logger

# Nothing on standard output; and as the template has it unless traces are asked for.
VARIABLES = {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_TRACE_DISABLED": "true"}


@contextmanager
def shipped_code(world: World) -> Iterator[None]:
    with (
        _variables(),
        _functions_log(world.diary),
        _no_full_metrics(),
        shipped_worker(world),
        virtual_threads(world.tasks),
        world.systems_manager.counted_ids(),
        warnings.catch_warnings(),
    ):
        # As observability.py has it in Lambda; whoever runs this may have made it an error.
        warnings.filterwarnings("ignore", message="No application metrics to publish")
        yield


@contextmanager
def _variables() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(VARIABLES)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _no_full_metrics() -> Iterator[None]:
    """A hundred values of one metric are printed at once, whatever the variable says."""
    module: Any = cloudwatch
    module.print = lambda _: None
    try:
        yield
    finally:
        del module.print


@contextmanager
def _functions_log(diary: Diary) -> Iterator[None]:
    """Into the diary, when somebody listens."""
    log: Any = logger
    handler, level, stream = log.registered_handler, log.level, log.registered_handler.stream
    quiet = logging.getLogger("aws_lambda_powertools")
    log.setLevel("INFO" if diary.listens else "CRITICAL")
    handler.setStream(FunctionLog(diary))
    quiet.disabled = True
    try:
        yield
    finally:
        quiet.disabled = False
        log.setLevel(level)
        handler.setStream(stream)
