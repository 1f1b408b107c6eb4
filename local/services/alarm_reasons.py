"""StateReason in CloudWatch's words, as alarm histories show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from local.services.alarm_rules import AlarmRule, Datapoint

_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def alarm_reason(rule: AlarmRule, points: Sequence[Datapoint], missing: int) -> str:
    """Why ALARM: `points` are those that breach, oldest first."""
    if not points:
        return _nothing_received(rule, missing)
    return (
        f"{_crossed(rule, points)} {_was(len(points))} {_beyond(rule)} "
        f"(minimum {_count(rule.datapoints_to_alarm, 'datapoint')} for OK -> ALARM transition)."
    )


def ok_reason(rule: AlarmRule, points: Sequence[Datapoint], missing: int) -> str:
    """Why OK: `points` are those that do not breach, oldest first."""
    if not points:
        return _nothing_received(rule, missing)
    needed = rule.evaluation_periods - rule.datapoints_to_alarm + 1
    return (
        f"{_crossed(rule, points)} {_was(len(points))} not {_beyond(rule)} "
        f"(minimum {_count(needed, 'datapoint')} for ALARM -> OK transition)."
    )


def unknown_reason(missing: int) -> str:
    """Why INSUFFICIENT_DATA."""
    return f"Insufficient Data: {_count(missing, 'datapoint')} {_was(missing)} unknown."


def _crossed(rule: AlarmRule, points: Sequence[Datapoint]) -> str:
    newest_first = [f"{p.value} ({_moment(p.timestamp)})" for p in reversed(points)]
    return (
        f"Threshold Crossed: {len(points)} out of the last {rule.evaluation_periods} datapoints "
        f"[{', '.join(newest_first)}]"
    )


def _beyond(rule: AlarmRule) -> str:
    return f"{_WORDS[rule.comparison_operator]} the threshold ({float(rule.threshold)})"


def _nothing_received(rule: AlarmRule, missing: int) -> str:
    return (
        f"Threshold Crossed: no datapoints were received for {_count(missing, 'period')} and "
        f"{_count(missing, 'missing datapoint')} {_was(missing)} treated as "
        f"[{_TREATED[rule.treat_missing_data]}]."
    )


def _moment(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%d/%m/%y %H:%M:%S")


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
