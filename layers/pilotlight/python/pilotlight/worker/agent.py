"""Carries out what `loop.decide` decides, and tells it what became of that."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.aws.own_instance import RefusedError
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker import loop_state
from pilotlight.worker.drain_files import DrainRequest, DrainVerdict
from pilotlight.worker.endings import Outcome
from pilotlight.worker.loop import decide
from pilotlight.worker.loop_state import Action, Observation, Policy, Reason, State, Step
from pilotlight.worker.parts import Parts

UNREACHED = (RefusedError, *AWS_CALL_ERRORS)
AT_WORK = frozenset({Reason.RECEIVING, Reason.BUSY})  # not worth a line with each job


@dataclass
class _Counts:
    """Since when the instance is leaving, and what became of its jobs since then."""

    leaving_since: float | None = None
    finished: int = 0
    handed_back: int = 0


@dataclass
class Agent:
    parts: Parts
    policy: Policy
    state: State
    terminating: bool = False
    reason: Reason | None = None
    _last_work_at: float = 0.0
    _counts: _Counts = field(default_factory=_Counts)
    _received_before: bool = False

    def step(self) -> Action:
        """One look around and one action. EXIT and REPORT_UNHEALTHY are the caller's to do."""
        self._take_messages()
        self.parts.intake.hand_back_waiting(self._leaving)
        self._count_outcomes()
        request = self.parts.drain_files.pending()
        seen = self._observe(request)
        step = decide(self.state, seen, self.parts.clock(), self.policy)
        self._note(step)
        self._carry_out(step.action, seen.wanted)
        if request is not None and step.reason is Reason.DRAINED:
            self._answer(request)
        return step.action

    def report_unhealthy(self) -> bool:
        """Whether the group now knows; it replaces the instance."""
        try:
            self.parts.instance.report_unhealthy()
        except UNREACHED as error:
            self.parts.log("unhealthy_not_reported", error=str(error))
            return False
        self.parts.log("reported_unhealthy")
        return True

    def _observe(self, request: DrainRequest | None) -> Observation:
        at_work = self.parts.intake.at_work
        if at_work:
            self._last_work_at = self.parts.clock()
        return Observation(
            target=self.parts.around.target(),
            fitness=self.parts.slots.fitness,
            running=at_work,
            wanted=self.parts.intake.wanted(),
            receiving=self.parts.inlet.open,
            last_work_at=self._last_work_at,
            ready_at=self.parts.slots.ready_at,
            terminating=self.terminating,
            drain_deadline=request.deadline if request else None,
            notice_deadline=self.parts.around.notice_deadline(),
        )

    def _note(self, step: Step) -> None:
        self.state = step.state
        self.parts.leave_sign.hand_back_at = self.state.hand_back_at
        if self.state.hand_back_at is not None and self._counts.leaving_since is None:
            self._counts = _Counts(leaving_since=self.parts.clock())
        if step.reason is not self.reason and not {step.reason, self.reason} <= AT_WORK:
            self.parts.log("worker_state", reason=step.reason, protection=self.state.protection)
        self.reason = step.reason

    def _carry_out(self, action: Action, wanted: int) -> None:
        if action is Action.SELF_CHECK:
            self.parts.slots.open()
        elif action is Action.RECEIVE:
            self._receive(wanted)
        elif action is Action.LOOK:
            self._look()
        elif action is Action.PROTECT:
            self._protect()
        elif action is Action.UNPROTECT:
            self._unprotect()
        elif action is Action.RESUME:
            self._resume()

    def _receive(self, wanted: int) -> None:
        if not self._received_before:
            self._received_before = True
            self._tell_first_receive()
        self.parts.inlet.begin(wanted)

    def _tell_first_receive(self) -> None:
        stopwatch, ready_at = self.parts.stopwatch, self.parts.slots.ready_at
        stopwatch.lap("self_check", until=ready_at)
        stopwatch.lap("in_service")  # until the metadata said so, and the loop saw it
        self.parts.log(
            "first_receive",
            worker_ready_at=ready_at,
            seconds=stopwatch.seconds,
            spent=stopwatch.spent,
        )

    def _take_messages(self) -> None:
        try:
            messages = self.parts.inlet.take()
        except AWS_CALL_ERRORS as error:
            self.parts.log("receive_failed", error=str(error))
            self.state = loop_state.receive_failed(self.state, self.parts.clock(), self._jitter())
            return
        if messages is None:
            return
        self.state = loop_state.received(self.state)
        if messages:
            now = self.parts.clock()
            free_since = max(self._last_work_at, self.parts.slots.ready_at)
            self.state = loop_state.job_came(self.state, now - free_since)
            self._last_work_at = now
            self._take_in(messages)

    def _take_in(self, messages: Sequence[ReceivedMessage]) -> None:
        """Messages that arrive once the instance is leaving go back at once."""
        if not self._leaving:
            self.parts.intake.begin(messages)
            return
        for message in messages:
            self.parts.intake.hand_back(message)

    @property
    def _leaving(self) -> bool:
        return self.terminating or self.state.hand_back_at is not None

    def _count_outcomes(self) -> None:
        for outcome in self.parts.intake.outcomes():
            if outcome is Outcome.HANDED_BACK:
                self._counts.handed_back += 1
            else:
                self._counts.finished += 1

    def _look(self) -> None:
        try:
            waiting = self.parts.depth.visible()
        except AWS_CALL_ERRORS as error:
            self.parts.log("look_failed", error=str(error))
            waiting = 0
        self.state = loop_state.looked(self.state, waiting, self.parts.clock())

    def _protect(self) -> None:
        try:
            self.parts.instance.protect()
        except UNREACHED as error:
            self._protection_call_failed(Action.PROTECT, error)
            return
        self.state = loop_state.protected(self.state, self.parts.clock())
        self.parts.note.erase()
        self.parts.log("protected")

    def _unprotect(self) -> None:
        self.parts.note.write()  # before the call: after a crash, "perhaps" has to mean "yes"
        try:
            self.parts.instance.unprotect()
        except UNREACHED as error:
            self._protection_call_failed(Action.UNPROTECT, error)
            return
        self.state = loop_state.protection_dropped(self.state, self.parts.clock())
        self.parts.log("unprotected")

    def _protection_call_failed(self, action: Action, error: Exception) -> None:
        self.parts.log("protection_call_failed", action=action, error=str(error))
        self.state = loop_state.protection_call_failed(
            self.state, action, self.parts.clock(), self._jitter()
        )

    def _resume(self) -> None:
        """Back from the pool without a stop in between: as after a start."""
        self.parts.drain_files.forget()
        self.parts.note.erase()
        self.parts.leave_sign.hand_back_at = None
        self._counts = _Counts()
        self.state = loop_state.entering_service(self.parts.clock(), self._jitter())

    def _answer(self, request: DrainRequest) -> None:
        if self.parts.drain_files.answered(request) is not None:
            return
        self._count_outcomes()
        seconds = round(self.parts.clock() - request.requested_at, 3)
        finished, handed_back = self._counts.finished, self._counts.handed_back
        detail = f"{finished} finished, {handed_back} handed back"
        verdict = DrainVerdict(True, finished, handed_back, seconds, detail)
        self.parts.drain_files.answer(request, verdict)
        self.parts.log("drained", finished=finished, handed_back=handed_back, seconds=seconds)

    def _jitter(self) -> float:
        return self.parts.random.random()
