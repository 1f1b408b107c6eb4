"""The one logger, metrics and tracing of the functions, and what they say of each decision.

Log lines are JSON objects, so text from outside cannot forge a line.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:  # each function imports what it decides by itself
    from pilotlight.fleet.outcome import Outcome
    from pilotlight.fleet.reconcile import Finding
    from pilotlight.scaling.capacity import Pass
    from pilotlight.scaling.pool import PoolChange

Handler = TypeVar("Handler", bound=Callable[..., Any])

logger = Logger(service="pilotlight")
metrics = Metrics(service="pilotlight", namespace="Pilotlight")

# A pass that changed nothing has nothing to count; the library would say so on every tick.
warnings.filterwarnings("ignore", message="No application metrics to publish")


def traced(handler: Handler) -> Handler:
    """X-Ray segments of the handler and its calls, where the template's Tracing is Active.

    Powertools' own switch would load the X-Ray SDK all the same: a fifth of the time in which a
    function starts.
    """
    if os.environ.get("POWERTOOLS_TRACE_DISABLED") == "true":
        return handler
    tracer = Tracer(service="pilotlight", patch_modules=("botocore",))
    return cast("Handler", tracer.capture_lambda_handler(handler))


# Log lines name the place that decided, not the helper here that writes them.
_CALLER = 3


def count(name: str) -> None:
    """Names come from closed sets; the only dimensions are service and group."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def report(message: str, outcome: Outcome, **fields: Any) -> None:
    """One log line and one metric for what was done about one instance."""
    log = logger.warning if outcome.cost_an_instance else logger.info
    log(message, stacklevel=_CALLER, **fields, **outcome.log_fields())
    count(outcome.result.value)


_WAKING = {
    "WAKE": ("launching resumed to wake", "WakingBegun"),
    "REST": ("launching suspended again", "WakingEnded"),
}
# What may last for an hour: told by reconcile alone, once a minute.
_LASTING = {"HOLD": ("waking held", "WakingHeld")}


def report_capacity(trigger: str, scaling_pass: Pass) -> None:
    """A look that changes nothing is a debug line: the watch looks every few seconds."""
    fields = {"trigger": trigger, **scaling_pass.log_fields()}
    step = scaling_pass.waking.step.value
    told = _WAKING | _LASTING if trigger == "reconcile" else _WAKING
    if step in told:
        message, metric = told[step]
        logger.info(message, stacklevel=_CALLER, **fields)
        count(metric)
    if scaling_pass.changes_capacity:
        logger.info("capacity set", stacklevel=_CALLER, **fields)
        raised = scaling_pass.decision.capacity > scaling_pass.observation.desired
        count("CapacityRaised" if raised else "CapacityLowered")
    elif scaling_pass.observation.queue is None:
        logger.warning("queue depth unknown", stacklevel=_CALLER, **fields)
        count("QueueDepthUnknown")
    else:
        logger.debug("capacity kept", stacklevel=_CALLER, **fields)


def report_pool(change: PoolChange) -> None:
    if change.is_change:
        logger.info("pool sized", stacklevel=_CALLER, **change.log_fields())
        count("PoolSized")
    else:
        logger.debug("pool kept", stacklevel=_CALLER, **change.log_fields())


def report_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        logger.info(finding.message, **finding.fields)
        count(finding.metric)


def run_steps(**steps: Callable[[], None]) -> None:
    """Every step runs whatever became of those before it; what failed is raised together."""
    failures = []
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            logger.exception("step failed", step=name)
            failures.append(error)
    if failures:
        raise ExceptionGroup("some steps failed", failures)
