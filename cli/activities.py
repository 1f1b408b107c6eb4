"""Scaling activities, as DescribeScalingActivities tells them."""

from __future__ import annotations

import re
from typing import Any

from cli.recording import Activity
from cli.stack import Stack

# AWS states the instance in the description alone, e.g.
# "Launching a new EC2 instance from warm pool: i-0123".
_INSTANCE = re.compile(r"\bi-[0-9a-f]+\b")


def read_activities(stack: Stack) -> list[Activity]:
    """Every activity of the group that AWS still lists (six weeks), newest first."""
    pages = stack.cloud.client("autoscaling").get_paginator("describe_scaling_activities")
    return [
        activity_of(activity)
        for page in pages.paginate(AutoScalingGroupName=stack.group_name)
        for activity in page["Activities"]
    ]


def activity_of(activity: dict[str, Any]) -> Activity:
    """One element of DescribeScalingActivities' answer."""
    found = _INSTANCE.search(activity["Description"])
    end = activity.get("EndTime")
    return Activity(
        instance_id=found.group() if found else "",
        description=activity["Description"],
        status=activity["StatusCode"],
        start=activity["StartTime"].timestamp(),
        end=end.timestamp() if end else None,
    )
