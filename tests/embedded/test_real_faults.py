"""template.yaml at work, with real PyTorch in its instances, hit by real faults."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

from cli.churn.acts import FILL_DISK, KILL_JOB, KILL_WORKER, MAIN_PID
from cli.churn.fleet import fleet, serving
from cli.churn.hostile import make_messages
from cli.churn.hostile_run import make_canary, run_hostile
from cli.churn.plan import SHORT, make_plan
from cli.churn.play import KILLED
from cli.churn.run import PARAMETERS, run_churn
from cli.churn.table_log import TableLog
from cli.churn.witness import Witness
from cli.cloudlogs import FUNCTIONS
from cli.errors import CommandError
from cli.jobs import JobsDesk, message_body
from cli.live import LineView
from cli.recording import Job
from cli.run_command import SHELL_SCRIPT, run_on_instance
from cli.waiting import wait_until
from cli.watched import Watched
from local.cloud import EmbeddedCloud
from tests.embedded.whole_stack import unique_name

pytestmark = pytest.mark.timeout(1200)

LIMIT_SECONDS = 600.0  # many times what it takes: a slow computer is no defect
VISIBILITY_SECONDS = 30
IMPATIENT_SECONDS = 45  # instead of five minutes
BREAK_PYTHON = 'ln -sf /bin/false "${PILOTLIGHT_HOME:-/opt/pilotlight}/venv/bin/python" && '
SIZES = {"MinSize": "1", "MaxSize": "3", "IdleSeconds": "5"}


class Site:
    """A fleet at work, and what is done to it."""

    def __init__(self, watched: Watched, cloud: EmbeddedCloud, witness: Witness) -> None:
        self.watched = watched
        self.cloud = cloud
        self._witness = witness
        self._desk = JobsDesk(watched.stack)

    def send(self, seconds: float, *, saves: bool = False) -> str:
        """A job that counts for so long, and saves every two seconds; returns its id."""
        payload = {
            "task": "count",
            "tenths": round(seconds * 10),
            "patient": True,
            "saves": saves,
            "witness": self._witness.address,
        }
        job_id = f"job-{uuid.uuid4().hex[:8]}"
        self._desk.send([message_body(payload, job_id)])
        return job_id

    def job(self, job_id: str) -> Job | None:
        return next(iter(self._desk.read([job_id])), None)

    def running(self, job_id: str) -> Job:
        """Once its handler has begun."""
        self.until(
            lambda: any(
                each.job_id == job_id and each.ended_at is None for each in self._witness.sightings
            ),
            f"{job_id} runs",
        )
        job = self.job(job_id)
        assert job is not None
        return job

    def over(self, job_id: str) -> Job:
        """Once nothing more will happen to it."""

        def over() -> bool:
            job = self.job(job_id)
            return job is not None and job.over

        self.until(over, f"{job_id} is over")
        job = self.job(job_id)
        assert job is not None
        return job

    def until_saved(self, job_id: str) -> None:
        """Once it has saved what it did."""
        self.until(
            lambda: any(
                each.job_id == job_id and each.saved_at for each in self._witness.sightings
            ),
            f"{job_id} has saved",
        )

    def begun(self, job_id: str) -> list[float]:
        """When its attempts began; epoch seconds."""
        return [each.began_at for each in self._witness.sightings if each.job_id == job_id]

    def completed_runs(self, job_id: str) -> int:
        return sum(each.completed for each in self._witness.sightings if each.job_id == job_id)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, LIMIT_SECONDS, what)

    def at_rest(self) -> bool:
        look = self.watched.recorder.latest
        return look.at_rest and look.running == 1 and look.visible + look.in_flight == 0

    def run(self, instance_id: str, script: str) -> str:
        """As root, inside the instance; what it printed."""
        return run_on_instance(
            self.cloud, instance_id, SHELL_SCRIPT, {"commands": [script]}, LIMIT_SECONDS
        )


@pytest.fixture(scope="module")
def watched(cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Deployed once: pytest-xdist's loadscope runs a module on one worker."""
    view = LineView(Console(width=150))
    parameters = {**PARAMETERS, **SIZES}
    folder = tmp_path_factory.mktemp("real-faults")
    with fleet(cloud, unique_name(), parameters, folder, view) as watched:
        for queue in ("LifecycleQueue", "CommandResultQueue"):
            hide_briefly(cloud, watched.stack.name, queue)
        yield watched


def hide_briefly(cloud: EmbeddedCloud, stack_name: str, logical_id: str) -> None:
    """A batch whose function died comes again soon; on AWS after the queue's three minutes."""
    found = cloud.client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId=logical_id
    )["StackResourceDetail"]
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=found["PhysicalResourceId"], Attributes={"VisibilityTimeout": "5"}
    )


@pytest.fixture
def site(watched: Watched, cloud: EmbeddedCloud) -> Iterator[Site]:
    """At rest: one instance serves, the others sleep, and there is no job."""
    with Witness() as witness:
        site = Site(watched, cloud, witness)
        site.until(site.at_rest, "the fleet is at rest")
        yield site


def test_jobs_through_a_fleet_that_is_pulled_apart_have_one_result_each(
    site: Site, watched: Watched, cloud: EmbeddedCloud
) -> None:
    churn = run_churn(watched, cloud, make_plan(1, SHORT))
    assert churn.verdict.sentence == "40 sent, 40 results, 0 lost, 0 twice"
    assert churn.verdict.flawless
    missed = {hit.kind: hit.detail for hit in churn.hits if not hit.landed}
    assert len(missed) < len(SHORT.strikes) / 2, missed


def test_a_worker_killed_in_a_job_costs_an_attempt_and_the_job_has_one_result(site: Site) -> None:
    job_id = site.send(seconds=8)
    first = site.running(job_id)
    site.run(first.instance_id, KILL_WORKER)
    last = site.over(job_id)
    assert (last.state, last.attempt, last.failures) == ("succeeded", 2, 0)
    assert site.completed_runs(job_id) == 1


def test_a_job_goes_on_where_it_had_saved_when_its_worker_was_killed(site: Site) -> None:
    seconds = 20
    job_id = site.send(seconds, saves=True)
    first = site.running(job_id)
    site.until_saved(job_id)
    time.sleep(seconds / 2)
    site.run(first.instance_id, KILL_WORKER)
    last = site.over(job_id)
    assert (last.state, last.attempt, last.result) == ("succeeded", 2, '{"counted": 200}')
    assert last.finished_at is not None
    assert last.finished_at - site.begun(job_id)[1] < seconds - 5


def test_a_job_process_that_is_killed_has_failed_once_and_its_worker_goes_on(site: Site) -> None:
    job_id = site.send(seconds=8)
    first = site.running(job_id)
    worker = site.run(first.instance_id, f'{MAIN_PID} && echo "$pid"')
    site.run(first.instance_id, KILL_JOB)
    last = site.over(job_id)
    assert (last.state, last.attempt, last.failures) == ("succeeded", 2, 1)
    assert last.history[0].error.startswith("JobProcessLost")
    assert site.run(first.instance_id, f'{MAIN_PID} && echo "$pid"') == worker


def test_a_result_outlives_an_endpoint_that_is_cut_for_longer_than_the_message_is_hidden(
    site: Site, watched: Watched
) -> None:
    log = TableLog(watched.stack)
    log.open()
    job_id = site.send(seconds=5)
    site.running(job_id)
    site.cloud.control("network", caller="*", cut=True)
    try:
        time.sleep(VISIBILITY_SECONDS + 10)
        assert site.completed_runs(job_id) == 1
        job = site.job(job_id)
        assert job is not None
        assert job.state == "running"
    finally:
        site.cloud.control("network", caller="*", cut=False)
    assert site.over(job_id).state == "succeeded"
    site.until(site.at_rest, "the fleet is at rest")
    results = [it for it in log.writes() if it.job_id == job_id and it.records_result]
    assert len(results) == 1


def test_a_worker_starts_on_a_full_disk_and_has_its_instance_replaced(site: Site) -> None:
    job_id = site.send(seconds=4)
    full = site.running(job_id).instance_id
    try:
        site.run(full, FILL_DISK + KILL_WORKER)
    except CommandError as error:
        if "mount" not in error.details:
            raise
        pytest.skip(f"boxes may not mount anything here: {error.details}")
    later = [site.send(seconds=1, saves=True) for _ in range(4)]
    assert {site.over(each).state for each in (job_id, *later)} == {"succeeded"}
    site.until(lambda: full not in serving(site.watched), f"{full} is replaced")


def test_a_job_is_not_left_to_an_instance_whose_worker_cannot_start_any_more(
    site: Site, watched: Watched, cloud: EmbeddedCloud
) -> None:
    [broken] = serving(watched)
    with overdue_after(IMPATIENT_SECONDS, cloud, watched.stack.name):
        site.run(broken, BREAK_PYTHON + KILL_WORKER)
        job_id = site.send(seconds=1)
        job = site.over(job_id)
    assert job.state == "succeeded"
    assert job.instance_id != broken
    site.until(lambda: broken not in serving(watched), f"{broken} is replaced")
    watched.logs.read_new()
    reasons = [
        line.fields["reason"]
        for line in watched.logs.lines
        if line.instance_id == broken and line.fields.get("message") == "dead worker replaced"
    ]
    assert reasons[0] == "HEARTBEAT_OVERDUE"


@contextmanager
def overdue_after(seconds: int, cloud: EmbeddedCloud, stack_name: str) -> Iterator[None]:
    """Reconcile judges a heartbeat that has not come after so long."""
    functions, name = cloud.client("lambda"), f"{stack_name}-reconcile"
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    impatient = {**before, "HEARTBEAT_OVERDUE_SECONDS": str(seconds)}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": impatient})
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before}
        )


@pytest.mark.parametrize("at_call", [1, 2])
def test_functions_killed_in_a_call_leave_no_job_and_no_instance_behind(
    at_call: int, site: Site, watched: Watched
) -> None:
    watched.logs.read_new()
    earlier = len(deaths(watched))
    for function in FUNCTIONS:
        name = f"{watched.stack.name}-{function}"
        site.cloud.control("kill-function", function_name=name, at_call=at_call)
    job_ids = [site.send(seconds=3) for _ in range(8)]
    assert {site.over(job_id).state for job_id in job_ids} == {"succeeded"}
    site.until(site.at_rest, "the fleet is at rest")
    watched.logs.read_new()
    assert len(deaths(watched)) - earlier >= 3


def deaths(watched: Watched) -> list[Any]:
    """Invocations that ended with their process."""
    return [
        line
        for line in watched.logs.lines
        if line.fields.get("record", {}).get("errorType") == KILLED
    ]


def test_hostile_messages_are_dead_letters_and_harm_neither_jobs_nor_instances(
    site: Site, watched: Watched, cloud: EmbeddedCloud
) -> None:
    canary = make_canary()
    messages = make_messages(seed=1, count=400, canary=canary)
    disks = cloud.log_file.parent / "instances"
    verdict = run_hostile(watched, messages, canary, disks, LIMIT_SECONDS)
    assert verdict.missing == {}
    assert verdict.executed == ()
    assert verdict.logged == ()
    assert serving(watched)
