"""template.yaml deployed again with another setup, while jobs run on real PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from cli.churn.fleet import fleet, serving
from cli.churn.run import PARAMETERS
from cli.churn.witness import Witness
from cli.deploy import Sam, default_network
from cli.jobs import JobsDesk, message_body
from cli.live import LineView
from cli.recording import Job
from cli.waiting import wait_until
from cli.watched import Watched
from local.cloud import EmbeddedCloud
from tests.embedded.whole_stack import Fleet, unique_name

pytestmark = pytest.mark.timeout(1500)

LIMIT_SECONDS = 900.0  # many times what it takes: a slow computer is no defect
SIZES = {"MinSize": "1", "MaxSize": "2", "IdleSeconds": "5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where it is built, once for both deploys."""
    return tmp_path


@pytest.fixture
def watched(cloud: EmbeddedCloud, folder: Path) -> Iterator[Watched]:
    """One instance serves, one sleeps."""
    view = LineView(Console(width=150))
    with fleet(cloud, unique_name(), {**PARAMETERS, **SIZES}, folder, view) as watched:
        yield watched


def test_a_deploy_of_another_setup_replaces_all_instances_and_loses_no_job(
    watched: Watched, cloud: EmbeddedCloud, folder: Path
) -> None:
    seen = Fleet(cloud, watched.stack.name)
    desk = JobsDesk(watched.stack)
    old = set(seen.instances())
    open_breaker(seen, cloud)
    with Witness() as witness:
        count = {"task": "count", "tenths": 300, "patient": True, "saves": False}
        desk.send([message_body({**count, "witness": witness.address}, "long")])
        seen.until(lambda: bool(witness.sightings), "the job runs")
        deploy_again(cloud, watched, folder, PyTorchPackages="torch six")
        [job] = desk.read(["long"])
        assert (job.state, job.attempt) == ("succeeded", 1)
        assert job.instance_id in old
    assert old.isdisjoint(seen.instances())
    assert len(seen.states()) == 1
    assert seen.asleep() == 1
    seen.until(lambda: closed(seen), "the breaker is closed")
    desk.send([message_body({"task": "echo", "data": 1}, "later")])
    assert over(desk, "later").instance_id in serving(watched)


def deploy_again(cloud: EmbeddedCloud, watched: Watched, folder: Path, **changed: str) -> None:
    """As a person does, with some other parameters; until CloudFormation is done."""
    sam = Sam(folder, cloud.environment())
    parameters = {**PARAMETERS, **SIZES, **changed}
    with sam.deploy(watched.stack.name, default_network(cloud), parameters) as deploy:
        wait_until(deploy.done, LIMIT_SECONDS, "it is deployed again")


def open_breaker(seen: Fleet, cloud: EmbeddedCloud) -> None:
    """As reconcile leaves it after setups that failed."""
    cloud.client("autoscaling").suspend_processes(
        AutoScalingGroupName=seen.stack.group_name, ScalingProcesses=["Launch"]
    )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    seen.write_breaker(f"open {now} 0 0 {seen.setup()}")


def closed(seen: Fleet) -> bool:
    seen.reconcile()
    return seen.breaker().startswith("closed") and "Launch" not in seen.suspended()


def over(desk: JobsDesk, job_id: str) -> Job:
    """Once nothing more will happen to it."""

    def found() -> Job | None:
        return next((it for it in desk.read([job_id]) if it.over), None)

    wait_until(lambda: found() is not None, LIMIT_SECONDS, f"{job_id} is over")
    job = found()
    assert job is not None
    return job
