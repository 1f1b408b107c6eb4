"""Jobs from a file, whatever it is: a trace, or a queue's counts as CloudWatch exports them."""

from __future__ import annotations

from pathlib import Path

from simulator.cloudwatch_exports import METRIC, read_csv, read_json
from simulator.sent_counts import trace_of
from simulator.services import ServiceTimes
from simulator.trace import COLUMNS, Trace, TraceError, parse_trace

FORMS = (
    f"a trace, whose first line is {','.join(COLUMNS)}, or {METRIC} as "
    "`aws cloudwatch get-metric-data`, `get-metric-statistics` or the console's CSV give it"
)


def read_jobs(path: Path, services: ServiceTimes | None = None, seed: int = 1) -> Trace:
    """`services` and `seed` make jobs of counts; a trace has both itself. Raises TraceError."""
    text = _text(path)
    if is_trace(text):
        return parse_trace(path.stem, str(path), text)
    read = read_json if text.lstrip().startswith("{") else read_csv
    try:
        counts = read(text)
    except (ValueError, KeyError, TypeError) as error:
        raise TraceError(f"{path} is not usable: {error}. It must be {FORMS}.") from error
    if services is None:
        raise TraceError(
            f"{path} tells when messages were sent and not how long jobs work; add "
            "--service-seconds with the mean."
        )
    return trace_of(path.stem, counts, services, seed)


def is_trace(text: str) -> bool:
    heading = text.lstrip().split("\n", 1)[0]
    return any(column in heading for column in COLUMNS)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror}. Name a file.") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path} is no text in UTF-8: {error}.") from error
