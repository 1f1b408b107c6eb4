"""Everything of one run, put together: AWS's services, the shipped functions, the instances."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from random import Random
from typing import Any

from faults.auto_scaling import GROUP_ARN, AutoScalingApi
from faults.bucket import Bucket, BucketClient
from faults.bus import Bus, Rule
from faults.clients import Answer, Call, Caller, Client
from faults.code_layers import DOWNLOAD_SECONDS, LambdaLayerVersions
from faults.deployment import GROUP, PLACEMENTS, TABLE, group_settings, hooks, warm_pool
from faults.diary import Diary
from faults.ec2 import Ec2Api
from faults.group_listener import GroupListener
from faults.guest import Fate, Guest
from faults.heartbeats import HeartbeatsTable
from faults.ledger import Ledger
from faults.machines import Machines, uneven
from faults.metrics import QueueMetrics
from faults.mischief import Mischief
from faults.person import Person
from faults.plan import Plan, Settings
from faults.processes import CodeInUse
from faults.queues import Queue, QueueSettings
from faults.sqs import SqsApi
from faults.stack import Stack
from faults.systems_manager import SystemsManager
from faults.table import JobsTable
from faults.tasks import Tasks
from faults.threads import clock_of
from faults.wire import FaultyWire
from local.group.clock import VirtualClock
from local.group.group import Group
from local.group.ports import World as GroupWorld
from pilotlight.fleet.breaker_state import BreakerState

START = 1_790_000_000.0

NewGuest = Callable[["World", str, str, Fate], Guest]


class World:
    """`new_guest` makes what runs inside of an instance."""

    def __init__(self, plan: Plan, *, listens: bool = False, new_guest: NewGuest = Guest) -> None:
        self.plan = plan
        self._guest = new_guest
        self.settings_so_far: list[Settings] = [plan.settings]
        self.most_active = plan.settings.max_size
        self.clock = VirtualClock(START)
        self.tasks = Tasks(self.clock)
        self.time = clock_of(self.tasks)
        self.diary = Diary(self.since_start, listens=listens)
        self.tally: Counter[str] = Counter()
        self.effects: Counter[tuple[str, str]] = Counter()  # the tally by where it was
        self.defects: list[str] = []
        self.alerts: list[str] = []
        self.codes_in_use: list[CodeInUse] = []
        self.answering_since = self.heard_since = START
        self.stirred = True
        self.zones = tuple(place.zone for place in PLACEMENTS)
        self._pids = count(100)
        self.mischief = Mischief(self)
        self.wire = FaultyWire(self.tasks, self._random("wire"), self.mischief.calls, self.stir)
        self._make_queues()
        self._make_group()
        self._answers = self._services()
        self.stack: Stack = Stack(self)
        self.person: Person = Person(self)

    @property
    def settings(self) -> Settings:
        """Those deployed last."""
        return self.settings_so_far[-1]

    @property
    def code_version(self) -> int:
        """Of the workers' code that is deployed."""
        return self.stack.code_version

    # Time

    def since_start(self) -> float:
        return self.clock.now() - START

    def at(self, seconds: float) -> float:
        return START + seconds

    # What the code under test meets

    def client(self, service: str, caller: Caller) -> Client:
        kind = BucketClient if service == "s3" else Client
        return kind(service, self._answers[service], self.wire, caller)

    def download_layer(self, caller: Caller) -> None:
        """Over a link into S3. Raises what a client of S3 raises."""
        self.wire.carry(Call(caller, "s3", "GetObject", {}, dict))
        self.tasks.sleep(DOWNLOAD_SECONDS)

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        return self.wire.calls

    def next_pid(self) -> int:
        return next(self._pids)

    def process_exists(self, pid: int) -> bool:
        return any(
            guest.worker is not None and guest.worker.pid == pid
            for guest in self.machines.guests.values()
        )

    # What is told

    def defect(self, where: str, error: Exception) -> None:
        """The code under test raised what it should not."""
        self.stirred = True
        trace = "".join(traceback.format_exception(error))
        self.defects.append(f"{where} raised {type(error).__name__}: {error}\n{trace}")

    def stir(self) -> None:
        self.stirred = True

    @property
    def breaker(self) -> BreakerState:
        return self.auto_scaling.breaker

    def token(self) -> str:
        return f"{next(self._pids):036d}"

    # How it is put together

    def _random(self, purpose: str) -> Random:
        """Apart, so that one more draw for one purpose changes nothing for the others."""
        return Random(f"{self.plan.seed} {purpose}")

    def _make_queues(self) -> None:
        def queue(name: str, dead_letters: Queue | None = None, **more: Any) -> Queue:
            return Queue(self.tasks, self._random(name), QueueSettings(name, **more), dead_letters)

        now = self.settings
        self.dead_letters = queue("jobs-dead")
        self.jobs = queue(
            "jobs",
            self.dead_letters,
            visibility_seconds=now.visibility_timeout_seconds,
            max_receives=now.max_receive_count,
        )
        self.lost_events = queue("events-dead")
        self.lifecycle = queue(
            "lifecycle", self.lost_events, visibility_seconds=180.0, max_receives=120
        )
        self.results = queue("results", self.lost_events, visibility_seconds=180.0, max_receives=40)
        self.watch = queue(
            "watch",
            visibility_seconds=90.0,
            retention_seconds=120.0,
        )
        self.failed_events = queue("failed-events")
        self.table = JobsTable(TABLE, "job_id", self._random("table"), self._recorded)
        self.heartbeats = HeartbeatsTable()
        self.bucket = Bucket()
        self.ledger = Ledger(self.jobs, self.dead_letters, self.bucket, self.diary.say)
        self.metrics: QueueMetrics = QueueMetrics(
            self.clock, self.jobs, self.mischief.metrics_delay_seconds
        )

    def _recorded(self, key: str, before: Any, after: Any) -> None:
        self.stirred = True
        self.ledger.recorded(key, before, after)

    def _make_group(self) -> None:
        now = self.settings
        latency = uneven(self._random("latency"))
        self.bus = Bus(self.clock, self._random("bus"), self._rules(), self.mischief.event_fault)
        self.machines = Machines(
            self.clock,
            latency,
            self._new_guest,
            lambda: self.group.ec2,
            lambda: self.auto_scaling.template_version,
        )
        self.heard = GroupListener(
            self.bus, self.diary, self.machines, lambda it: self.group.members.get(it), self.stir
        )
        around = GroupWorld(self.clock, self.machines, self.heard, self, latency)
        self.group: Group = Group(GROUP, GROUP_ARN, group_settings(now), around, hooks=hooks(now))
        self.group.put_warm_pool(warm_pool(now))

    def _new_guest(self, instance_id: str, zone: str) -> Guest:
        return self._guest(self, instance_id, zone, self.mischief.fate(instance_id))

    def _rules(self) -> list[Rule]:
        """The template's two."""

        def is_lifecycle_action(source: str, detail_type: str, _: Mapping[str, Any]) -> bool:
            return source == "aws.autoscaling" and detail_type.endswith("Lifecycle Action")

        def has_ended(source: str, detail_type: str, detail: Mapping[str, Any]) -> bool:
            if source != "aws.ssm" or "Invocation" not in detail_type:
                return False
            return detail["status"] not in ("Pending", "InProgress", "Delayed", "Cancelling")

        return [Rule(is_lifecycle_action, self.lifecycle), Rule(has_ended, self.results)]

    def _services(self) -> Mapping[str, Mapping[str, Answer]]:
        self.auto_scaling: AutoScalingApi = AutoScalingApi(self)
        self.systems_manager = SystemsManager(
            self.tasks, self.bus, self.machines, lambda: self.stack.worker_parameter
        )
        queues = [self.jobs, self.dead_letters, self.lifecycle, self.results, self.watch]
        return {
            "autoscaling": self.auto_scaling.answers(),
            "ssm": self.systems_manager.answers(),
            "lambda": LambdaLayerVersions(lambda: self.stack.published_version).answers(),
            "sqs": SqsApi(queues).answers(),
            "dynamodb": {**self.table.answers(), **self.heartbeats.answers()},
            "cloudwatch": self.metrics.answers(),
            "sns": {"Publish": self._alert},
            "ec2": Ec2Api(self.machines).answers(),
            "s3": self.bucket.answers(),
            "logs": {"CreateLogStream": lambda _: {}, "PutLogEvents": lambda _: {}},
        }

    def _alert(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.alerts.append(request["Subject"])
        self.diary.say(f"ALERT {request['Subject']}")
        return {"MessageId": str(len(self.alerts))}
