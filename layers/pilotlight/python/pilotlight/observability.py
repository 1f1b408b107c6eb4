"""The one logger, tracer and metrics of the functions, and what they say of each decision.

Log lines are JSON objects, so text from outside cannot forge a line.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.reconcile import Finding
from pilotlight.scaling.capacity import Pass
from pilotlight.scaling.decision import Reason
from pilotlight.scaling.pool import PoolChange

logger = Logger(service="pilotlight")
tracer = Tracer(service="pilotlight")
metrics = Metrics(service="pilotlight", namespace="Pilotlight")

# A pass that changed nothing has nothing to count; the library would say so on every tick.
warnings.filterwarnings("ignore", message="No application metrics to publish")


# Log lines name the place that decided, not the helper here that writes them.
_CALLER = 3


def count(name: str) -> None:
    """Names come from closed sets; the only dimensions are service and group."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def report(message: str, outcome: Outcome, **fields: Any) -> None:
    """One log line and one metric for what was done about one instance."""
    cost_an_instance = outcome.result in (Result.ABANDONED, Result.EVICTED)
    log = logger.warning if cost_an_instance else logger.info
    log(message, stacklevel=_CALLER, **fields, **outcome.log_fields())
    count(outcome.result.value)


def report_capacity(trigger: str, scaling_pass: Pass) -> None:
    """A look that changes nothing is a debug line: the watch looks every few seconds."""
    fields = {"trigger": trigger, **scaling_pass.log_fields()}
    if scaling_pass.changes_capacity:
        logger.info("capacity set", stacklevel=_CALLER, **fields)
        raised = scaling_pass.decision.capacity > scaling_pass.observation.desired
        count("CapacityRaised" if raised else "CapacityLowered")
    elif scaling_pass.decision.reason is Reason.UNKNOWN_METRICS:
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
