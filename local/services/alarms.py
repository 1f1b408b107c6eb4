"""What state an alarm is in, and why: CloudWatch's rules as one pure function.

CloudWatch user guide, "Evaluating an alarm", "Configuring how CloudWatch alarms treat missing data"
and "Avoiding premature transitions to alarm state".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local.services.alarm_reasons import alarm_reason, ok_reason, unknown_reason
from local.services.alarm_rules import AlarmRule, Datapoint

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state an alarm goes to (None: it stays) and the points that decided, oldest first."""

    state: str | None
    reason: str
    evaluated: Sequence[Datapoint]


def evaluate(rule: AlarmRule, datapoints: Sequence[Datapoint | None]) -> Verdict:
    """Judge the latest periods, oldest first, None where data is missing.

    Real points win: only what lacks of EvaluationPeriods is filled in by TreatMissingData.
    """
    real = [point for point in datapoints if point is not None][-rule.evaluation_periods :]
    missing = rule.evaluation_periods - len(real)
    breaching = [point for point in real if rule.is_breaching(point.value)]
    state = _state(rule, datapoints, real, breaching, missing)
    return Verdict(state, _reason(rule, state, real, breaching, missing), real)


def _state(
    rule: AlarmRule,
    datapoints: Sequence[Datapoint | None],
    real: Sequence[Datapoint],
    breaching: Sequence[Datapoint],
    missing: int,
) -> str | None:
    treatment = rule.treat_missing_data
    filled = len(breaching) + (missing if treatment == "breaching" else 0)
    if filled >= rule.datapoints_to_alarm:
        return ALARM
    if treatment in ("breaching", "notBreaching") or len(breaching) < len(real):
        return OK
    if not real:
        return INSUFFICIENT_DATA if treatment == "missing" else None
    # Nothing but breaches, too few of them: only an old one makes an alarm.
    age_periods = next(len(datapoints) - i for i, p in enumerate(datapoints) if p is not None)
    is_old = age_periods >= rule.datapoints_to_alarm
    return ALARM if is_old and treatment == "missing" else None


def _reason(
    rule: AlarmRule,
    state: str | None,
    real: Sequence[Datapoint],
    breaching: Sequence[Datapoint],
    missing: int,
) -> str:
    if state == ALARM:
        return alarm_reason(rule, breaching, missing)
    if state == OK:
        return ok_reason(rule, [p for p in real if p not in breaching], missing)
    return unknown_reason(missing)
