"""Looking at a group, its pool and its queue, again and again: where every timeline comes from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.recording import Look, Member
from cli.stack import Cloud

LOOK_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 20  # an endpoint which fails for longer is gone, not slow


class Observer:
    """One look costs three calls: DescribeAutoScalingGroups, DescribeWarmPool, GetQueueAttributes.

    A group that does not exist (yet, or any more) is an empty look. `queue_url` may be set once
    it is known.
    """

    def __init__(
        self, cloud: Cloud, group_name: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.queue_url = ""
        self._autoscaling = cloud.client("autoscaling")
        self._sqs = cloud.client("sqs")
        self._group_name = group_name
        self._clock = clock

    def look(self) -> Look:
        """Raises botocore's errors when the endpoint does not answer."""
        group = self._group()
        members = self._pool_members() if group else {}
        # A member on its way from one list to the other may be in both: the group has it then.
        members |= {m.instance_id: m for m in map(_member, group.get("Instances", []))}
        visible, in_flight = self._queue_depth()
        return Look(
            at=self._clock(),
            desired=group.get("DesiredCapacity", 0),
            pool_size=_pool_size(group) if group else 0,
            members=tuple(members[name] for name in sorted(members)),
            visible=visible,
            in_flight=in_flight,
        )

    def _group(self) -> dict[str, Any]:
        found = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._group_name]
        )["AutoScalingGroups"]
        return found[0] if found else {}

    def _pool_members(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        request = {"AutoScalingGroupName": self._group_name}
        while True:
            page = self._autoscaling.describe_warm_pool(**request)
            members |= {m.instance_id: m for m in map(_member, page.get("Instances", []))}
            if not page.get("NextToken"):
                return members
            request["NextToken"] = page["NextToken"]

    def _queue_depth(self) -> tuple[int, int]:
        if not self.queue_url:
            return 0, 0
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )


class Recorder:
    """Looks twice a second in a thread of its own, keeps what changed, and tells a listener.

    The last look is always kept, so that the last state's duration is known.
    """

    def __init__(self, observer: Observer, listener: Callable[[Look], None]) -> None:
        self._observer = observer
        self._listener = listener
        self._looks: list[Look] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._failure: Exception | None = None

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def looks(self) -> tuple[Look, ...]:
        with self._lock:
            return tuple(self._looks)

    @property
    def latest(self) -> Look:
        """The newest look; an empty one before the first. Raises what ended the recording."""
        if self._failure:
            raise self._failure
        with self._lock:
            return self._looks[-1] if self._looks else Look(at=0.0, desired=0, members=())

    def keep(self, look: Look) -> None:
        """Take a look into the record; of equal looks in a row the first and the last stay."""
        with self._lock:
            if len(self._looks) > 1 and all(look.same_as(known) for known in self._looks[-2:]):
                self._looks.pop()
            self._looks.append(look)
        self._listener(look)

    def _run(self) -> None:
        try:
            self._record()
        except Exception as error:  # the thread's edge: raised again where `latest` is read
            self._failure = error

    def _record(self) -> None:
        last_success = time.monotonic()
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                look = self._observer.look()
            except (BotoCoreError, ClientError):
                if time.monotonic() - last_success > PATIENCE_SECONDS:
                    raise
                continue
            last_success = time.monotonic()
            self.keep(look)


def _pool_size(group: dict[str, Any]) -> int:
    """The size a warm pool strives for: BC PutWarmPool, MaxGroupPreparedCapacity and MinSize."""
    pool = group.get("WarmPoolConfiguration")
    if not pool or pool.get("Status") == "PendingDelete":
        return 0
    prepared = pool.get("MaxGroupPreparedCapacity", -1)
    ceiling = group["MaxSize"] if prepared < 0 else prepared
    return int(max(pool.get("MinSize", 0), ceiling - group["DesiredCapacity"]))


def _member(instance: dict[str, Any]) -> Member:
    return Member(
        instance_id=instance["InstanceId"],
        state=instance["LifecycleState"],
        protected=bool(instance.get("ProtectedFromScaleIn", False)),
    )
