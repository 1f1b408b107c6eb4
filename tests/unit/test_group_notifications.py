"""The message that PutLifecycleHook sends ahead to a hook's target."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.group.errors import ValidationError
from local.group.settings import Hook
from local.services.autoscaling_service import GroupRecord
from tests.virtual_scenario import VirtualSurroundings

QUEUE = "arn:aws:sqs:us-east-1:000000000000:hooks"


class ToldSurroundings(VirtualSurroundings):
    """Keeps what was sent, and whether the groups could be asked meanwhile."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__()
        self.told: list[str | None] = []
        self.could_be_asked: list[bool] = []
        self._refuses = refuses

    def test_notification(self, record: GroupRecord, hook: Hook) -> None:
        asking = threading.Thread(target=self._ask)
        asking.start()
        asking.join()
        self.told.append(hook.notification_target_arn)
        if self._refuses:
            raise ValidationError("Unable to publish test message")

    def _ask(self) -> None:
        free: Any = self.service.lock
        self.could_be_asked.append(free.acquire(blocking=False))
        if self.could_be_asked[-1]:
            free.release()


def make_group(around: VirtualSurroundings) -> None:
    around.client.create_auto_scaling_group(
        AutoScalingGroupName="workers", MinSize=0, MaxSize=1, **around.where_to_launch()
    )


def put_hook(around: VirtualSurroundings, **more: Any) -> None:
    around.client.put_lifecycle_hook(
        AutoScalingGroupName="workers",
        LifecycleHookName="ready",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        **more,
    )


def hooks(around: VirtualSurroundings) -> list[str]:
    answer = around.client.describe_lifecycle_hooks(AutoScalingGroupName="workers")
    return [hook["LifecycleHookName"] for hook in answer["LifecycleHooks"]]


def test_the_groups_answer_others_while_a_queue_is_told_of_its_hook() -> None:
    around = ToldSurroundings()
    make_group(around)
    put_hook(around, NotificationTargetARN=QUEUE)
    assert (around.told, around.could_be_asked) == ([QUEUE], [True])
    assert hooks(around) == ["ready"]


def test_a_hook_put_again_tells_the_target_it_has() -> None:
    around = ToldSurroundings()
    make_group(around)
    put_hook(around, NotificationTargetARN=QUEUE)
    put_hook(around, HeartbeatTimeout=60)
    assert around.told == [QUEUE, QUEUE]


def test_a_hook_whose_target_cannot_be_told_is_not_put() -> None:
    around = ToldSurroundings(refuses=True)
    make_group(around)
    with pytest.raises(ClientError, match="Unable to publish test message"):
        put_hook(around, NotificationTargetARN=QUEUE)
    assert hooks(around) == []
