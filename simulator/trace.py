"""A trace of jobs: when each arrives and how long it takes on one slot of a worker."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("arrival_s", "service_s")


class TraceError(Exception):
    """A trace that cannot be used; the message names file, line, value and remedy."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs in the order of their arrival: seconds from the start of the window, seconds of work."""

    name: str
    arrivals_seconds: tuple[float, ...]
    services_seconds: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.arrivals_seconds)

    @property
    def window_seconds(self) -> float:
        """From the start of the window to the last arrival."""
        return self.arrivals_seconds[-1]

    @property
    def work_hours(self) -> float:
        return sum(self.services_seconds) / 3600


def parse_trace(name: str, path: str, text: str) -> Trace:
    """Columns arrival_s and service_s, arrivals never decreasing. Raises TraceError."""
    try:
        return _parse(name, path, csv.reader(text.splitlines()))
    except csv.Error as error:
        raise TraceError(f"{path} is not a CSV file: {error}.") from error


def write_trace(trace: Trace, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        writer.writerows(zip(trace.arrivals_seconds, trace.services_seconds, strict=True))


def _parse(name: str, path: str, rows: Iterable[list[str]]) -> Trace:
    arrivals: list[float] = []
    services: list[float] = []
    numbered = enumerate(rows, start=1)
    number, header = next(numbered, (1, []))
    if tuple(cell.strip() for cell in header[:2]) != COLUMNS:
        raise TraceError(
            f"{path}, line {number}: the header is {','.join(header)!r}; "
            f"it must be {','.join(COLUMNS)}."
        )
    latest = 0.0
    for number, row in numbered:
        if not row:
            continue
        try:
            arrival, service = _job(row)
            if arrival < latest:
                raise ValueError(
                    f"arrival_s {arrival:g} comes after {latest:g}; sort the file by arrival_s"
                )
        except ValueError as error:
            raise TraceError(f"{path}, line {number}: {error}.") from error
        latest = arrival
        arrivals.append(arrival)
        services.append(service)
    if not arrivals:
        raise TraceError(f"{path} holds no job; add lines of arrival_s,service_s.")
    return Trace(name, tuple(arrivals), tuple(services))


def _job(row: list[str]) -> tuple[float, float]:
    if len(row) < len(COLUMNS):
        raise ValueError(f"{','.join(row)!r} has no service_s; write arrival_s,service_s")
    arrival = _seconds("arrival_s", row[0])
    service = _seconds("service_s", row[1])
    if service == 0:
        raise ValueError("service_s is 0; a job takes more than that, leave the line out")
    return arrival, service


def _seconds(column: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}; write seconds as a number") from None
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{column} is {text!r}; write finite seconds, 0 or more")
    return seconds
