"""Buildkite's agent scaler: a Lambda that polls every ten seconds and sets desired capacity.

Source: buildkite/buildkite-agent-scaler, scaler/scaling_calculator.go, scaler/scaler.go,
lambda/main.go and template.yaml at 49c4145.
"""

import math
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View

MIN_AGENTS_SHARE = 0.5  # fewer of the expected agents registered: instances never joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The scaler's settings, by default those of the bare Lambda."""

    jobs_per_instance: int = 1
    instance_buffer: int = 0
    include_waiting: bool = False
    scale_in: bool = True
    out_cooldown_seconds: float = 0.0
    in_cooldown_seconds: float = 0.0
    out_factor: float | None = None
    in_factor: float | None = None
    # The Elastic CI mode: scale-in waits for instances on their way, old numbers are not acted on.
    waits_for_pending: bool = False
    max_metrics_age_seconds: float = math.inf


def required_jobs(view: View, settings: Settings) -> int:
    """Scheduled jobs and the running ones, or the waiting where they are more and asked for."""
    if settings.include_waiting and view.delayed > view.in_flight:
        return view.visible + view.delayed
    return view.visible + view.in_flight


def buffer_instances(view: View, settings: Settings) -> int:
    """Instances beyond the need, as many as there are jobs for them; none while there is no job."""
    jobs = view.visible + view.in_flight + (view.delayed if settings.include_waiting else 0)
    return min(settings.instance_buffer, math.ceil(jobs / settings.jobs_per_instance))


def wanted_instances(view: View, agents: int, settings: Settings) -> int:
    """Instances for the jobs there are, `agents` being the workers that have registered."""
    base = view.in_service or view.desired
    jobs = required_jobs(view, settings)
    wanted = math.ceil(jobs / settings.jobs_per_instance)
    available = agents / (settings.jobs_per_instance * base) if base else 1.0
    if jobs and available < MIN_AGENTS_SHARE and view.in_service == view.desired:
        wanted = max(wanted, view.desired + 1)
    return bounded(wanted + buffer_instances(view, settings), view)


def scaled_out(wanted: int, view: View, factor: float | None) -> int:
    change = wanted - view.desired
    return min(view.max_size, view.desired + math.ceil(change * (factor or 1)))


def scaled_in(wanted: int, view: View, factor: float | None) -> int:
    change = wanted - view.desired
    return max(view.min_size, 0, view.desired + math.floor(change * (factor or 1)))


@dataclass(slots=True)
class AgentScaler:
    """The rule; it remembers when it last scaled out and in."""

    settings: Settings = field(default_factory=Settings)
    _last_out: float = -math.inf
    _last_in: float = -math.inf

    def decide(self, view: View) -> int | None:
        # Every instance in service runs its agents: an SQS worker has nothing to register with.
        return self.decide_with_agents(view, view.in_service * self.settings.jobs_per_instance)

    def decide_with_agents(self, view: View, agents: int) -> int | None:
        if view.now - view.measured_at > self.settings.max_metrics_age_seconds:
            return None
        wanted = wanted_instances(view, agents, self.settings)
        base = view.in_service or view.desired
        if wanted > base and wanted > view.desired:
            return self._out(wanted, view)
        if wanted < base or wanted < view.desired:
            return self._in(wanted, view)
        return None  # there, or the group is on its way to what was asked for

    def _out(self, wanted: int, view: View) -> int | None:
        if view.now - self._last_out < self.settings.out_cooldown_seconds:
            return None
        self._last_out = view.now
        return scaled_out(wanted, view, self.settings.out_factor)

    def _in(self, wanted: int, view: View) -> int | None:
        if not self.settings.scale_in or (self.settings.waits_for_pending and view.pending):
            return None
        if view.now - self._last_in < self.settings.in_cooldown_seconds:
            return None
        self._last_in = view.now
        return scaled_in(wanted, view, self.settings.in_factor)


SOURCE = "buildkite-agent-scaler 49c4145: scaler/, lambda/main.go, template.yaml"


def _stack() -> AgentScaler:
    return AgentScaler(Settings(scale_in=False, out_cooldown_seconds=300, in_cooldown_seconds=3600))


def _elastic_ci() -> AgentScaler:
    return AgentScaler(
        Settings(
            out_cooldown_seconds=300,
            in_cooldown_seconds=3600,
            waits_for_pending=True,
            max_metrics_age_seconds=120,
        )
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="buildkite-lambda",
        make=AgentScaler,
        every_seconds=10,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=True,  # the group picks whom scale-in takes
        source=SOURCE,
    ),
    Contestant(
        name="buildkite-stack",
        make=_stack,
        every_seconds=10,
        memory_seconds=300,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=600,
        source=SOURCE,
    ),
    Contestant(
        name="buildkite-elastic-ci",
        make=_elastic_ci,
        every_seconds=10,
        memory_seconds=3600,
        look_delay_seconds=0,
        kills_busy=False,  # it asks the agents to stop, and they finish their job
        source=SOURCE,
    ),
    Contestant(
        name="buildkite-tuned",
        make=lambda: AgentScaler(Settings(scale_in=False)),
        every_seconds=5,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=SOURCE,
        tuned=True,
    ),
)
