"""What `systemctl` answers: its words and exit codes, from systemctl(1)."""

# ruff: noqa: ARG001 - every verb is called with the same three arguments

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from local.instances.guest.service import Service
from local.instances.guest.systemd import NOT_ACTIVE, NOT_FOUND, Systemd
from local.instances.guest.units import UnitError

FAILED = 1


@dataclass(frozen=True)
class Answer:
    """What a program prints and how it exits."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


async def answer(systemd: Systemd, argv: list[str]) -> Answer:
    """Do what `systemctl ARGV` asks."""
    options, words = _sorted(argv)
    verb, names = (words[0] if words else "list-units"), words[1:]
    if verb not in _VERBS:
        return Answer(
            FAILED, stderr=f"systemctl {verb} is not provided here. Known: {', '.join(_VERBS)}\n"
        )
    try:
        return await _VERBS[verb](systemd, names, options)
    except UnitError as error:
        return Answer(NOT_FOUND, stderr=f"{error}\n")
    except OSError as error:
        return Answer(FAILED, stderr=f"Failed to {verb} {' '.join(names)}: {error}\n")


async def _start(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    return await _each(systemd, names, Service.start)


async def _stop(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    for name in names:
        await systemd.service(name).stop()
    return Answer()


async def _restart(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    await _stop(systemd, names, options)
    return await _start(systemd, names, options)


async def _try_restart(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    running = [name for name in names if systemd.service(name).state == "active"]
    return await _restart(systemd, running, options)


async def _each(
    systemd: Systemd, names: list[str], act: Callable[[Service], Awaitable[bool]]
) -> Answer:
    failed = []
    for name in names:
        service = systemd.service(name)
        if not await act(service):
            failed.append(
                f"Job for {service.unit.name} failed because the control process exited with "
                f'error code.\nSee "journalctl -u {service.unit.name}" for details.\n'
            )
    return Answer(FAILED if failed else 0, stderr="".join(failed))


async def _enable(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    said = "".join(f"{line}\n" for line in systemd.enable(names))
    if "--now" not in options:
        return Answer(stderr=said)
    started = await _start(systemd, [name.rsplit("/", 1)[-1] for name in names], options)
    return Answer(started.exit_code, stderr=said + started.stderr)


async def _disable(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    said = "".join(f"{line}\n" for line in systemd.disable(names))
    if "--now" in options:
        await _stop(systemd, names, options)
    return Answer(stderr=said)


async def _is_active(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    states = [_state(systemd, name) for name in names]
    code = 0 if "active" in states else NOT_ACTIVE
    return Answer(code, stdout="" if _quiet(options) else "".join(f"{state}\n" for state in states))


async def _is_failed(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    states = [_state(systemd, name) for name in names]
    code = 0 if "failed" in states else FAILED
    return Answer(code, stdout="" if _quiet(options) else "".join(f"{state}\n" for state in states))


async def _is_enabled(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    states = ["enabled" if systemd.enabled(name) else "disabled" for name in names]
    code = 0 if "enabled" in states else FAILED
    return Answer(code, stdout="" if _quiet(options) else "".join(f"{state}\n" for state in states))


async def _status(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    lines = []
    for name in names:
        service = systemd.service(name)
        enabled = "enabled" if systemd.enabled(name) else "disabled"
        lines.append(
            f"{service.unit.name} - {service.unit.description}\n"
            f"     Loaded: loaded ({enabled})\n     Active: {service.state}\n"
            + (f"   Main PID: {service.main.pid}\n" if service.main else "")
        )
    active = all(systemd.service(name).state == "active" for name in names)
    return Answer(0 if active else NOT_ACTIVE, stdout="\n".join(lines))


async def _show(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    service = systemd.service(names[0])
    properties = {
        "Id": service.unit.name,
        "Description": service.unit.description,
        "ActiveState": service.state,
        "MainPID": str(service.main.pid if service.main else 0),
        "ExecMainStatus": str(service.exit_code),
        "UnitFileState": "enabled" if systemd.enabled(names[0]) else "disabled",
    }
    wanted = [option.partition("=")[2] for option in options if option.startswith("--property=")]
    keys = wanted[0].split(",") if wanted else list(properties)
    bare = "--value" in options
    lines = (
        properties[key] if bare else f"{key}={properties[key]}" for key in keys if key in properties
    )
    return Answer(stdout="".join(f"{line}\n" for line in lines))


async def _nothing(systemd: Systemd, names: list[str], options: list[str]) -> Answer:
    """daemon-reload and reset-failed: units are read from disk at each start anyway."""
    return Answer()


def _sorted(argv: list[str]) -> tuple[list[str], list[str]]:
    """Options (`-p NAME` as `--property=NAME`) and words."""
    options: list[str] = []
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word in ("-p", "--property"):
            options.append(f"--property={next(rest, '')}")
        else:
            (options if word.startswith("-") else words).append(word)
    return options, words


def _state(systemd: Systemd, name: str) -> str:
    try:
        return systemd.service(name).state
    except UnitError:
        return "inactive"


def _quiet(options: list[str]) -> bool:
    return "-q" in options or "--quiet" in options


_VERBS: dict[str, Callable[[Systemd, list[str], list[str]], Awaitable[Answer]]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "try-restart": _try_restart,
    "enable": _enable,
    "disable": _disable,
    "is-active": _is_active,
    "is-failed": _is_failed,
    "is-enabled": _is_enabled,
    "status": _status,
    "show": _show,
    "daemon-reload": _nothing,
    "reset-failed": _nothing,
}
