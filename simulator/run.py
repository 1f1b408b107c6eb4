"""One policy on one trace, in virtual time."""

from __future__ import annotations

import gc
import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from local.group.clock import VirtualClock
from local.group.instance import Machine
from pilotlight.worker.idleness import Patience, patience_of_one
from simulator.arrivals import ArrivalMetric
from simulator.crew import Crew, Protection
from simulator.fleet import Exits, Fleet
from simulator.looks import Look, Looker, PeerLook
from simulator.news import News
from simulator.ours import OurLook, Ours
from simulator.prices import Bill, Usage, bill
from simulator.result import Result, Sample
from simulator.rules import Contestant
from simulator.surroundings import Durations, Surroundings
from simulator.trace import Trace

FILLING_SECONDS = 3600.0
"""Before the first second of the trace, so that the pool is asleep by then; not on the bill."""
QUIET_SECONDS = 900.0
"""After the last job, so that capacity can go back."""
PATIENCE_SECONDS = 86_400.0
"""After the last arrival a run ends, whatever still waits."""
SAMPLES = 5000
RARE_COLLECTIONS = (50_000, 20, 20)

HOUR_SECONDS = 3600.0
METRICS_AN_HOUR = 60 + 2 * 4
"""GetMetricData of ours: arrivals each minute, two for the service time each quarter of an hour, by
reconcile and, where it foresees, by on_queue_depth (docs/scaling.md)."""

Entrant = Contestant | Ours


def simulate(trace: Trace, entrant: Entrant, surroundings: Surroundings) -> Result:
    """The same arguments give the same result."""
    with _rare_collections():
        return Run(trace, entrant, surroundings).result()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A run leaves next to no reference cycles before its end, and looking for them after each 700
    new objects, Python's default, takes a tenth of it."""
    usual = gc.get_threshold()
    gc.set_threshold(*RARE_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class Run:
    """Everything of one run, put together."""

    def __init__(self, trace: Trace, entrant: Entrant, surroundings: Surroundings) -> None:
        self._trace = trace
        self._entrant = entrant
        self._surroundings = surroundings
        # Apart, so that what a policy starts does not change which worker gets a job, say.
        machine_random, crew_random = (
            Random(f"{surroundings.seed} {purpose}") for purpose in ("machines", "crew")
        )
        self._clock = VirtualClock(-FILLING_SECONDS)
        self._news = News()
        self._fleet = Fleet(
            self._clock, surroundings, machine_random, self._news, protects=not entrant.kills_busy
        )
        self._arrivals = ArrivalMetric(self._clock)
        self._crew = Crew(
            self._clock,
            Durations(crew_random),
            crew_random,
            self._protection(),
            self._news,
            entrant.jobs_per_instance,
            self._patience(),
            self._arrivals.ended,
        )
        self._fleet.employ(self._crew)
        self._at_max_seconds = 0.0
        self._samples: list[Sample] = []

    def result(self) -> Result:
        self._clock.run_until(0.0)
        self._fleet.begin()
        self._looker = Looker(self._clock, self._news, self._fleet, self._look())
        step = (self._trace.window_seconds + QUIET_SECONDS) / SAMPLES
        self._clock.call_at(0.0, self._sample, step)
        for arrival, service in zip(
            self._trace.arrivals_seconds, self._trace.services_seconds, strict=True
        ):
            self._clock.run_until(arrival)
            self._arrivals.sent()
            self._crew.arrive(service)
        self._finish()
        return self._summary()

    def _look(self) -> Look:
        clock, crew, fleet = self._clock, self._crew, self._fleet
        if isinstance(self._entrant, Ours):
            return OurLook(clock, self._news, crew, fleet, self._arrivals, self._entrant)
        return PeerLook(clock, self._news, crew, fleet, self._surroundings, self._entrant)

    def _patience(self) -> Patience | None:
        entrant = self._entrant
        if isinstance(entrant, Ours):
            return patience_of_one(entrant.idle_seconds, entrant.watch_seconds, spread=0.0)
        idle_seconds = entrant.worker_idle_exit_seconds
        if idle_seconds is None:
            if entrant.kills_busy:
                return None
            idle_seconds = self._surroundings.idle_seconds
        return Patience(idle_seconds, idle_seconds, idle_seconds, offer_seconds=math.inf)

    def _protection(self) -> Protection:
        exits = self._entrant.worker_idle_exit_seconds is not None
        return Exits(self._fleet) if exits else self._fleet

    def _finish(self) -> None:
        """Until all is done and quiet."""
        crew, clock = self._crew, self._clock
        end = self._trace.window_seconds + PATIENCE_SECONDS
        while (crew.queue or crew.in_flight) and clock.now() < end:
            clock.advance(QUIET_SECONDS)
        clock.advance(QUIET_SECONDS)

    def _sample(self, step: float) -> None:
        fleet, crew, now = self._fleet, self._crew, self._clock.now()
        in_service = fleet.in_service
        capacity = in_service + fleet.pending
        if capacity >= self._surroundings.max_size:
            self._at_max_seconds += step
        self._samples.append(Sample(now, capacity, in_service, len(crew.queue), crew.in_flight))
        if crew.queue or crew.in_flight or now < self._trace.window_seconds:
            self._clock.call_at(now + step, self._sample, step)

    def _summary(self) -> Result:
        crew, fleet = self._crew, self._fleet
        fleet.meter.read()
        now = self._clock.now()
        unfinished = [now - job.arrived_at for job in crew.queue]
        waits = array("d", sorted([*crew.waits_seconds, *unfinished]))
        return Result(
            policy=self._entrant.name,
            jobs=len(self._trace),
            unfinished=len(self._trace) - len(crew.waits_seconds),
            waits_seconds=waits,
            warm_starts=fleet.warm_starts,
            cold_starts=fleet.cold_starts,
            failed_starts=fleet.failed_starts,
            busy_kills=crew.busy_kills,
            lost_job_seconds=crew.lost_job_seconds,
            instance_hours=self._hours(),
            bill=self._bill(),
            looks=self._looker.looks,
            api_calls=self._api_calls(),
            throttled_calls=fleet.throttled_calls,
            at_max_seconds=self._at_max_seconds,
            samples=tuple(self._samples),
        )

    def _hours(self) -> dict[str, float]:
        """By EC2's state of the machine; working is what of running went into jobs that ended."""
        seconds, slots = self._fleet.meter.seconds, self._entrant.jobs_per_instance
        return {
            **{machine.value: seconds[machine] / HOUR_SECONDS for machine in Machine},
            "working": self._crew.worked_seconds / slots / HOUR_SECONDS,
            "billed": self._fleet.meter.billed_seconds / HOUR_SECONDS,
        }

    def _bill(self) -> Bill:
        meter = self._fleet.meter
        return bill(
            Usage(
                instance_type=self._surroundings.instance_type,
                billed_hours=meter.billed_seconds / HOUR_SECONDS,
                disk_hours=sum(meter.seconds.values()) / HOUR_SECONDS,
                volume_gigabytes=self._surroundings.volume_gigabytes,
                run_hours=self._clock.now() / HOUR_SECONDS,
                looks=self._looker.looks,
                jobs=len(self._trace),
                asks_sqs=not self._entrant.look_delay_seconds,
                metrics_read=self._metrics_read(),
            )
        )

    def _metrics_read(self) -> float:
        """At most: a quiet hour asks for less."""
        if not isinstance(self._entrant, Ours):
            return 0.0
        functions = 2 if self._entrant.policy.waiting.foresees else 1
        return functions * METRICS_AN_HOUR * self._clock.now() / HOUR_SECONDS

    def _api_calls(self) -> int:
        """Of the control plane: looks at queue and group, capacity, protection, hooks."""
        asks_sqs = not self._entrant.look_delay_seconds
        return self._fleet.api_calls + (2 * self._looker.looks if asks_sqs else 0)
