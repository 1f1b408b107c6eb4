"""A stack under observation: its fleet twice a second, its functions' logs as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.alarms import QueueDepthAlarm
from cli.cloudlogs import FunctionLogs, LogLine, decisions
from cli.errors import CommandError
from cli.live import View
from cli.stack import Stack
from cli.waiting import wait_until
from cli.watch import Observer, Recorder

REST_LIMIT_SECONDS = 480.0
MAX_FAILED_SETUPS = 2  # a third instance would fail in the same way
HOOK_RESULTS = ("Continued", "Abandoned", "Evicted")


class Watched:
    """What a command sees and shows of one stack while it works with it."""

    def __init__(self, stack: Stack, view: View, observer: Observer, recorder: Recorder) -> None:
        self.stack = stack
        self.view = view
        self.recorder = recorder
        self.logs = FunctionLogs(stack.cloud, stack.name, since=time.time() - 1)
        self._alarm = QueueDepthAlarm(stack.cloud, stack.name)
        self._observer = observer
        self._failed_setups: list[LogLine] = []
        self._errors_shown: set[str] = set()

    def watch_queue(self, queue_url: str) -> None:
        """Show the depth of this queue from now on."""
        self._observer.queue_url = queue_url

    def wait_until(self, condition: Callable[[], bool], limit_seconds: float, what: str) -> float:
        """As waiting.wait_until, with the logs followed meanwhile."""

        def followed() -> bool:
            self.follow_logs()
            return condition()

        self.view.status(f"waiting until {what}")
        return wait_until(followed, limit_seconds, what)

    def wait_for_rest(self, running: int) -> float:
        """Until `running` instances serve, all others sleep, and none shall change; in seconds."""

        def at_rest() -> bool:
            look = self.recorder.latest
            return look.at_rest and look.running == running

        what = f"{running} in service and the others asleep"
        return self.wait_until(at_rest, REST_LIMIT_SECONDS, what)

    def follow_logs(self) -> None:
        """Show the alarm's changes, decisions, completed hooks and failures since the last call.

        Raises CommandError when one setup after another fails.
        """
        for change in self._alarm.changes():
            self.view.say(change)
        for line in self.logs.read_new():
            self._show(line)
        if len(self._failed_setups) >= MAX_FAILED_SETUPS:
            last = self._failed_setups[-1]
            raise CommandError(
                f"{len(self._failed_setups)} instances failed their setup, so more would: the "
                f"last was {last.instance_id}, {last.fields.get('reason')}.",
                details=str(last.fields.get("detail", "")),
            )

    def _show(self, line: LogLine) -> None:
        for decision in decisions([line]):
            self.view.say(
                f"{decision.woken_by} decided: capacity {decision.before} -> {decision.capacity}, "
                f"{decision.reason} ({line.fields.get('visible')} waiting, "
                f"{line.fields.get('in_flight')} in work)"
            )
        if line.fields.get("result") in HOOK_RESULTS:
            self._show_hook(line)
        if line.is_failure:
            self._show_failure(line)

    def _show_hook(self, line: LogLine) -> None:
        self.view.say(
            f"{line.instance_id}  {line.fields.get('hook')} hook {line.fields['result']}: "
            f"{line.fields.get('reason')}"
        )
        if line.fields["result"] == "Abandoned":
            self._failed_setups.append(line)

    def _show_failure(self, line: LogLine) -> None:
        """Once for each kind: a function that cannot work says so at every retry."""
        said = line.fields.get("message") or line.fields.get("errorMessage")
        kind = f"{line.function}: {said}"
        if kind not in self._errors_shown:
            self._errors_shown.add(kind)
            cause = str(line.fields.get("exception") or line.fields.get("reason") or "")
            self.view.say(f"ERROR {kind}: {(cause.splitlines() or [''])[-1]}")


@contextmanager
def watching(stack: Stack, view: View) -> Iterator[Watched]:
    """Record and show `stack`, which need not be there yet, until the block ends."""
    observer = Observer(stack.cloud, stack.group_name)
    with view, Recorder(observer, view.show) as recorder:
        yield Watched(stack, view, observer, recorder)
