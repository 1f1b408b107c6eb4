"""Exports of SQS's metric NumberOfMessagesSent, by the AWS CLI or by the console."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from simulator.sent_counts import SentCounts, sent_counts

METRIC = "NumberOfMessagesSent"
TIME_FORMATS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
# What a number is by its size: epoch seconds of this century, or milliseconds; else no time.
SECONDS_FROM, MILLISECONDS_FROM = 1e9, 1e11

Points = Sequence[tuple[float, float]]


def read_json(text: str) -> SentCounts:
    """What `aws cloudwatch get-metric-data` or `get-metric-statistics` prints.

    Raises ValueError saying what is wrong.
    """
    answer = json.loads(text)
    if "MetricDataResults" in answer:
        return sent_counts(_of_metric_data(answer["MetricDataResults"]))
    if "Datapoints" in answer:
        return sent_counts(_of_metric_statistics(answer))
    raise ValueError("it has neither MetricDataResults nor Datapoints")


def read_csv(text: str) -> SentCounts:
    """What the console downloads: lines that name the metric, then lines of time and value.

    AWS documents no layout, so whatever does not begin with a time is a heading. Raises ValueError.
    """
    headings: list[list[str]] = []
    rows: list[tuple[int, float, list[str]]] = []
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not any(row):
            continue
        moment = _moment(row[0])
        if moment is not None:
            rows.append((number, moment, row))
        elif rows:
            raise ValueError(f"line {number}: {row[0]!r} is no time")
        else:
            headings.append(row)
    if not rows:
        raise ValueError("no line begins with a time")
    return sent_counts(_column(rows, _wanted_column(headings, rows[0][2])))


def _of_metric_data(results: Sequence[Mapping[str, Any]]) -> Points:
    """Several results of one id are pages of one series."""
    labels = {result["Id"]: str(result.get("Label", result["Id"])) for result in results}
    wanted = _only(labels)
    return [
        (_required_moment(moment), float(value))
        for result in results
        if result["Id"] == wanted
        for moment, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]


def _of_metric_statistics(answer: Mapping[str, Any]) -> Points:
    _only({"": str(answer.get("Label", METRIC))})
    points = answer["Datapoints"]
    if any("Sum" not in point for point in points):
        raise ValueError("it lacks the statistic Sum; export with --statistics Sum")
    return [(_required_moment(point["Timestamp"]), float(point["Sum"])) for point in points]


def _only(labels: Mapping[str, str]) -> str:
    """The key of the series to take: the one named after the metric, or the only one there is."""
    named = [key for key, label in labels.items() if METRIC in label]
    if len(named) == 1:
        return named[0]
    other_metric = any("NumberOfMessages" in label for label in labels.values())
    if len(labels) != 1 or (other_metric and not named):
        raise ValueError(f"its series are {', '.join(labels.values())}; export {METRIC} alone")
    return next(iter(labels))


def _wanted_column(headings: Sequence[Sequence[str]], first: Sequence[str]) -> int:
    labels = {str(column): f"column {column + 1}" for column in range(1, len(first))}
    for heading in headings:
        for column, cell in enumerate(heading):
            if column and column < len(first) and "NumberOfMessages" in cell:
                labels[str(column)] = cell
    return int(_only(labels))


def _column(
    rows: Sequence[tuple[int, float, list[str]]], column: int
) -> Iterator[tuple[float, float]]:
    for number, moment, row in rows:
        text = row[column] if column < len(row) else ""
        if not text.strip():
            continue  # the console leaves a period without a report empty
        try:
            yield moment, float(text)
        except ValueError:
            raise ValueError(f"line {number}: {text!r} is no number") from None


def _required_moment(value: Any) -> float:
    moment = _moment(str(value))
    if moment is None:
        raise ValueError(f"{value!r} is no time")
    return moment


def _moment(text: str) -> float | None:
    """Epoch seconds of an ISO time (UTC unless it says otherwise), of the console's, or of epoch
    seconds or milliseconds; None for anything else."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _calendar_moment(text)
    if number < SECONDS_FROM:
        return None
    return number / 1000 if number > MILLISECONDS_FROM else number


def _calendar_moment(text: str) -> float | None:
    parsers = (
        datetime.fromisoformat,
        *(lambda text, form=form: datetime.strptime(text, form) for form in TIME_FORMATS),
    )
    for parse in parsers:
        try:
            moment = parse(text)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
