"""What the template makes that acts, made, updated and deleted in CloudFormation's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from faults import deployment, functions, triggers
from faults.auto_scaling import AutoScalingApi
from faults.deployment import function_settings, group_settings, hooks, warm_pool, worker_settings
from faults.functions import Function
from faults.metrics import DepthAlarm, QueueMetrics
from faults.plan import Plan, Settings
from faults.queues import Queue
from faults.triggers import AsynchronousCalls, QueueMapping, alarm_event, scheduled_event
from local.group.clock import Schedule
from local.group.group import Group
from local.group.instance import Instance
from local.group.refresh_record import RefreshStatus

# Time limits, batches and concurrency are the template's.
LIMITS_SECONDS = {
    "on_lifecycle_action": 30.0,
    "on_command_result": 30.0,
    "on_queue_depth": 15.0,
    "reconcile": 60.0,
}
BATCH_SIZE = 10
CONCURRENCY = 5
EACH_RESOURCE_SECONDS = (1.0, 8.0)
LOOK_SECONDS = 5.0


class Surroundings(functions.Surroundings, triggers.Surroundings, deployment.Resources, Protocol):
    """What a stack is made amid, and what it acts on.

    `settings_so_far` are those that were deployed; `most_active` is how many instances there may
    be in service, after the largest size was lowered.
    """

    plan: Plan
    group: Group
    metrics: QueueMetrics
    failed_events: Queue
    settings_so_far: list[Settings]
    most_active: int

    @property
    def auto_scaling(self) -> AutoScalingApi: ...

    @property
    def clock(self) -> Schedule: ...


@dataclass(frozen=True)
class Deployed:
    """What a stack is brought to: parameters, and the versions of layers and launch template."""

    settings: Settings
    code_version: int
    template_version: int


class Stack:
    """One operation at a time: what is asked for meanwhile is refused."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._random = Random(f"{around.plan.seed} stack")
        self._busy = False
        self.deployed = Deployed(around.plan.settings, 1, 1)
        self.published_version = 1  # of the layers; a rollback takes none back
        self._template_versions = 1
        self.worker_parameter = worker_settings(around, self.code_version)
        self.is_deleted = False  # or about to be
        self.group_is_gone = False
        self._pool = warm_pool(around.plan.settings)
        self.pool_deployed_at = 0.0
        settings = self._function_settings()
        self.functions = {
            name: Function(around, name, settings, limit) for name, limit in LIMITS_SECONDS.items()
        }
        queues = {
            "on_lifecycle_action": around.lifecycle,
            "on_command_result": around.results,
            "on_queue_depth": around.watch,
        }
        self._mappings = {
            name: QueueMapping(around, queue, self.functions[name], BATCH_SIZE, CONCURRENCY)
            for name, queue in queues.items()
        }
        self._alarm = self._asynchronous("on_queue_depth", retries=2)
        DepthAlarm(
            around.clock, around.metrics, lambda: self._alarm.invoke(alarm_event(self._now()))
        )
        self._minutes = self._asynchronous("reconcile", retries=0)
        around.clock.call_at(self._now() + 20.0, self._each_minute)

    @property
    def code_version(self) -> int:
        return self.deployed.code_version

    @property
    def is_busy(self) -> bool:
        return self._busy

    def outdated(self) -> list[Instance]:
        """Those with another launch template than is deployed."""
        newest = self.deployed.template_version
        return [it for it in self._around.group.members if it.launched.template_version != newest]

    def update(self, settings: Settings, *, new_template: bool) -> bool:
        """Code, settings and functions first, then the group, whose instances are replaced when
        their template is a new one, its pool last. Whether it begins."""
        return self._begin(partial(self._update, settings, new_template))

    def delete(self) -> bool:
        """The pool, then the group; what answers for its instances goes last. Whether it begins."""
        return self._begin(self._delete)

    def _begin(self, operation: Callable[[], None]) -> bool:
        if self._busy or self.is_deleted:
            return False
        self._busy = True
        self._around.tasks.spawn(lambda: self._carry_out(operation), "CloudFormation")
        return True

    def _carry_out(self, operation: Callable[[], None]) -> None:
        operation()
        self._busy = False

    def _update(self, settings: Settings, new_template: bool) -> None:
        before = self.deployed
        self.published_version += 1
        self._template_versions += new_template
        template_version = self._template_versions if new_template else before.template_version
        if self._bring_to(Deployed(settings, self.published_version, template_version)):
            self._around.diary.say("the stack is updated")
            return
        self._around.tally["stack_rolled_back"] += 1
        self._around.diary.say("the stack rolls back")
        if not self._bring_to(before):
            self._around.tally["rollback_failed"] += 1

    def _bring_to(self, deployed: Deployed) -> bool:
        """Whether that succeeds: an instance refresh may not. What stays the same is left alone."""
        around, group, before = self._around, self._around.group, self.deployed
        self.deployed, settings = deployed, deployed.settings
        around.settings_so_far.append(settings)
        self.worker_parameter = worker_settings(around, self.code_version)
        for function in self.functions.values():
            self._pause()
            function.deploy(self._function_settings())
        self._pause()
        around.most_active = max(group.members.group_active, settings.max_size)
        group.update(group_settings(settings))
        for hook in hooks(settings):
            group.put_hook(hook)
        if deployed.template_version != before.template_version and not self._refresh():
            return False
        self._pause()
        # What it deployed last is all that it knows: nobody else's PutWarmPool.
        if warm_pool(settings) != self._pool:
            self._deploy_pool(settings)
        return True

    def _function_settings(self) -> Mapping[str, str]:
        now = self.deployed
        return function_settings(self._around, now.code_version, now.template_version)

    def _refresh(self) -> bool:
        group_first = self._random.random() < 0.5
        version = self.deployed.template_version
        refresh = self._around.auto_scaling.refresh(version, group_first=group_first)
        self._until(lambda: refresh.end_time is not None)
        return refresh.status is RefreshStatus.SUCCESSFUL

    def _deploy_pool(self, settings: Settings) -> None:
        self._pool = warm_pool(settings)
        self._around.group.put_warm_pool(self._pool)
        self.pool_deployed_at = self._now()

    def _delete(self) -> None:
        """Nothing depends on the alarm and on what looks at the queue, so they go at once."""
        around, group = self._around, self._around.group
        self.is_deleted = True
        self._alarm.close()
        self._mappings["on_queue_depth"].close()
        self._pause()
        group.delete_warm_pool(force=True)
        self._until(lambda: group.pool is None)
        around.diary.say("the pool is deleted")
        group.delete(force=True)
        self._until(lambda: not len(group.members))
        around.auto_scaling.forget_group()
        self.group_is_gone = True
        self._minutes.close()
        for mapping in self._mappings.values():
            mapping.close()
        around.diary.say("the stack is deleted")

    def _pause(self) -> None:
        self._around.tasks.sleep(self._random.uniform(*EACH_RESOURCE_SECONDS))

    def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._around.tasks.sleep(LOOK_SECONDS)

    def _asynchronous(self, name: str, retries: int) -> AsynchronousCalls:
        around = self._around
        return AsynchronousCalls(around, self.functions[name], retries, around.failed_events)

    def _each_minute(self) -> None:
        self._minutes.invoke(scheduled_event(self._now()))
        self._around.clock.call_at(self._now() + 60.0, self._each_minute)

    def _now(self) -> float:
        return self._around.clock.now()
