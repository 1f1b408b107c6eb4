"""systemd service units, read as systemd.service(5), systemd.unit(5) and systemd.exec(5) say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KNOWN_TYPES = ("simple", "exec", "oneshot")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|sec|m|min|h|hr|d)?\b")
_SPAN_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "sec": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "hr": 3600,
}
_SPAN_SECONDS |= {"d": 86400, "": 1}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class UnitError(Exception):
    """A unit cannot be read or is not provided here; says which, why and what to do."""


@dataclass(frozen=True)
class Command:
    """One Exec line. A leading `-` means that its failure does not matter."""

    line: str
    may_fail: bool

    def argv(self, environment: Mapping[str, str]) -> list[str]:
        """Words with $NAME and ${NAME} replaced; a lone $NAME splits into words."""
        words: list[str] = []
        for word in shlex.split(self.line):
            lone = re.fullmatch(r"\$(\w+)", word)
            if lone:
                words += environment.get(lone[1], "").split()
            else:
                words.append(_VARIABLE.sub(lambda m: environment.get(m[1] or m[2], ""), word))
        return words


@dataclass(frozen=True)
class Unit:
    """A service unit. Times are seconds; infinity where systemd has none."""

    name: str
    description: str
    type: str
    before_start: tuple[Command, ...]
    start: tuple[Command, ...]
    after_start: tuple[Command, ...]
    stop: tuple[Command, ...]
    after_stop: tuple[Command, ...]
    environment: Mapping[str, str]
    environment_files: tuple[str, ...]
    working_directory: str
    user: str | None
    restart: str
    restart_seconds: float
    start_timeout_seconds: float
    stop_timeout_seconds: float
    kill_mode: str
    kill_signal: str
    remain_after_exit: bool
    start_limit_burst: int
    start_limit_seconds: float
    needed_paths: tuple[str, ...]
    """ConditionPathExists; a leading `!` turns one around."""
    wanted_by: tuple[str, ...]


def read_unit(name: str, text: str) -> Unit:
    """Parse `text` (drop-ins appended). Raises UnitError for what cannot be run faithfully."""
    settings = _settings(name, text)
    unit = _unit(name, settings)
    if unit.type not in KNOWN_TYPES:
        raise UnitError(f"{name}: Type={unit.type} is not provided here; use one of {KNOWN_TYPES}")
    if not unit.start and not (unit.type == "oneshot" and unit.stop):
        raise UnitError(f"{name}: Service has no ExecStart= setting. Refusing.")
    return unit


def should_restart(policy: str, exit_code: int) -> bool:
    """systemd.service(5), table "Exit causes and the effect of the Restart= settings"."""
    clean = exit_code == 0 or -exit_code in (1, 2, 13, 15)  # SIGHUP, SIGINT, SIGPIPE, SIGTERM
    if policy in ("on-abnormal", "on-abort", "on-watchdog"):
        return policy != "on-watchdog" and exit_code < 0 and not clean
    return {"always": True, "on-success": clean, "on-failure": not clean}.get(policy, False)


def seconds_of(span: str) -> float:
    """A time span as systemd.time(7) writes it: `5`, `500ms`, `1min 30s`, `infinity`."""
    text = span.strip()
    if text == "infinity":
        return float("inf")
    parts = _SPAN.findall(text)
    if not parts or _SPAN.sub("", text).strip():
        raise UnitError(f"Failed to parse time span {span!r}; write it like 5s or 1min 30s")
    return sum(float(number) * _SPAN_SECONDS[unit] for number, unit in parts)


def environment_of(text: str) -> dict[str, str]:
    """An EnvironmentFile: NAME=value lines, comments by # or ;, quotes removed."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        name, equals, value = stripped.partition("=")
        if equals and not stripped.startswith(("#", ";")):
            found[name.strip()] = (
                " ".join(shlex.split(value)) if value[:1] in "'\"" else value.strip()
            )
    return found


def _settings(name: str, text: str) -> dict[tuple[str, str], list[str]]:
    """(section, key) -> its values, in order; an empty assignment resets the list."""
    settings: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped[0] == "[":
            section = stripped.strip("[]")
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            raise UnitError(f"{name}: missing '=' in line {stripped!r}")
        values = settings.setdefault((section, key.strip()), [])
        if value.strip():
            values.append(value.strip().replace("%n", name).replace("%%", "%"))
        else:
            values.clear()
    return settings


def _unit(name: str, settings: Mapping[tuple[str, str], list[str]]) -> Unit:
    def every(key: str, section: str = "Service") -> list[str]:
        return settings.get((section, key), [])

    def last(key: str, default: str, section: str = "Service") -> str:
        return (every(key, section) or [default])[-1]

    stop_timeout = last("TimeoutStopSec", last("TimeoutSec", "90"))
    kind = last("Type", "simple" if every("ExecStart") else "oneshot")
    start_timeout = last(
        "TimeoutStartSec", "infinity" if kind == "oneshot" else last("TimeoutSec", "90")
    )
    return Unit(
        name=name,
        description=last("Description", name, "Unit"),
        type=kind,
        before_start=_commands(every("ExecStartPre")),
        start=_commands(every("ExecStart")),
        after_start=_commands(every("ExecStartPost")),
        stop=_commands(every("ExecStop")),
        after_stop=_commands(every("ExecStopPost")),
        environment=dict(
            pair.split("=", 1) for line in every("Environment") for pair in shlex.split(line)
        ),
        environment_files=tuple(every("EnvironmentFile")),
        working_directory=last("WorkingDirectory", "/"),
        user=last("User", "") or None,
        restart=last("Restart", "no"),
        restart_seconds=seconds_of(last("RestartSec", "100ms")),
        start_timeout_seconds=seconds_of(start_timeout),
        stop_timeout_seconds=seconds_of(stop_timeout),
        kill_mode=last("KillMode", "control-group"),
        kill_signal=last("KillSignal", "SIGTERM"),
        remain_after_exit=last("RemainAfterExit", "no") in ("yes", "true", "1", "on"),
        start_limit_burst=int(last("StartLimitBurst", "5", "Unit")),
        start_limit_seconds=seconds_of(last("StartLimitIntervalSec", "10", "Unit")),
        needed_paths=tuple(every("ConditionPathExists", "Unit")),
        wanted_by=tuple(target for line in every("WantedBy", "Install") for target in line.split()),
    )


def _commands(lines: Iterable[str]) -> tuple[Command, ...]:
    return tuple(Command(line.lstrip("-@:+!"), line.startswith("-")) for line in lines)
