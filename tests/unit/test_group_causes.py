"""Why an activity happened, in AWS's words: as it stood then, whenever it is read."""

from __future__ import annotations

import re

from tests.scenario_stage import Stage
from tests.virtual_scenario import VirtualSurroundings

MOMENT = re.compile(r"At \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")


def test_a_cause_tells_who_asked_what_was_done_and_who_was_chosen() -> None:
    stage = Stage(VirtualSurroundings(), "workers")
    stage.create(desired=2, max_size=5)
    stage.rest(in_service=2, pooled=0)
    stage.set_desired(1)
    (leaving,) = stage.until_action("AutoScalingGroup", "EC2")
    cause = stage.activities()[0]["Cause"]

    assert MOMENT.split(cause) == [
        "",
        "a user request explicitly set group desired capacity changing the desired capacity "
        "from 2 to 1.  ",
        "an instance was taken out of service in response to a difference between desired and "
        "actual capacity, shrinking the capacity from 2 to 1.  ",
        f"instance {leaving['detail']['EC2InstanceId']} was selected for termination.",
    ]
    stage.around.pass_seconds(3600)
    assert cause in [activity["Cause"] for activity in stage.activities()]
