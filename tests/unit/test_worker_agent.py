"""The worker as a whole, with everything around it faked and the clock stepped."""

import io
import json
import random

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.aws.own_instance import RefusedError
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.prefetch import Pace
from pilotlight.worker.agent import Agent
from pilotlight.worker.drain_files import DrainFiles, DrainRequest
from pilotlight.worker.endings import Outcome
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.home import Home
from pilotlight.worker.intake import Intake
from pilotlight.worker.loop_state import Action, Fitness, Reason, entering_service, policy_of_one
from pilotlight.worker.parts import LeaveSign, Parts
from pilotlight.worker.slots import Places
from pilotlight.worker.wake import Stopwatch

UNREACHABLE = EndpointConnectionError(endpoint_url="http://aws")


class World:
    """Everything that an agent sees, and a record of what it does: `did`."""

    def __init__(self, folder) -> None:
        self.now = 0.0
        self.did: list[str] = []
        self.target_state: str | None = "InService"
        self.notice: float | None = None
        self.fit = Fitness.FIT
        self.running = 0
        self.free = 1
        self.line: list = []
        self.ready_at = 1.0
        self.open = False
        self.poll_ends_at = 0.0
        self.arriving: list[ReceivedMessage] | Exception = []
        self.waiting = 0
        self.job_seconds = 0.0
        self.refuse_protection = False
        self.drain_files = DrainFiles(Home(folder, folder / "run"))
        self.leave_sign = LeaveSign()
        self.log_text = io.StringIO()
        parts = Parts(
            around=self,
            slots=self,
            inlet=self,
            intake=Intake(self, self, self, Pace(slots=1), lambda: self.now),
            instance=self,
            depth=self,
            drain_files=self.drain_files,
            note=self,
            leave_sign=self.leave_sign,
            stopwatch=Stopwatch(0.0, lambda: self.now),
            clock=lambda: self.now,
            random=random.Random(7),  # noqa: S311
            log=EventLog(self.log_text, lambda: self.now),
        )
        self.agent = Agent(parts, policy_of_one(60, 3, 120, 0), entering_service(0, 0))

    # around
    def target(self):
        return self.target_state

    def notice_deadline(self):
        return self.notice

    # slots
    @property
    def fitness(self):
        return self.fit

    # slots and inlet share the name: an agent begins a receive with a number
    def begin(self, what):
        if isinstance(what, int):
            self.open = True
            self.poll_ends_at = self.now + 2
            self.did.append("receive")
            self.asked_for = what
        else:
            self.line.append((self.now, what))
            self.begin_next()

    def begin_next(self):
        if self.free and self.line:
            self.running, self.free = self.running + 1, self.free - 1
            self.job = self.line.pop(0)[1]

    def places(self):
        return Places(self.running + self.free, self.free, len(self.line))

    def withdraw(self, waiting_since):
        withdrawn = [delivery for since, delivery in self.line if since <= waiting_since]
        self.line = [entry for entry in self.line if entry[1] not in withdrawn]
        return withdrawn

    def finish_job(self):
        self.job.work(self.job, None)
        self.running, self.free = self.running - 1, self.free + 1
        self.begin_next()

    # errands, done at once
    unfinished = 0

    def do(self, errand):
        errand()

    # inlet
    def take(self):
        """A long poll: as soon as something is there, otherwise nothing after two seconds."""
        if not self.open or (not self.arriving and self.now < self.poll_ends_at):
            return None
        self.open = False
        arrived, self.arriving = self.arriving, []
        if isinstance(arrived, Exception):
            raise arrived
        return arrived

    # runner
    def claim_all(self, messages, worker_ready_at):
        self.did.append(f"claim {len(messages)}")
        return [None] * len(messages)

    def run(self, message, claimed, process, worker_ready_at):
        self.did.append(f"run {message.message_id}")
        self.now += self.job_seconds
        return lambda: Outcome.SUCCEEDED

    def hand_back_unstarted(self, message, claimed):
        self.did.append(f"hand back {message.message_id}")

    # instance
    def protect(self):
        if self.refuse_protection:
            raise RefusedError("The instance is not in InService")
        self.did.append("protect")

    def unprotect(self):
        self.did.append("unprotect")

    def report_unhealthy(self):
        self.did.append("report unhealthy")

    # depth
    def visible(self):
        self.did.append("look")
        return self.waiting

    # note
    def write(self):
        self.did.append("note")

    def erase(self):
        self.did.append("erase note")

    def steps(self, until: float) -> Action:
        """Step each quarter of a second, as the service does; the last action."""
        action = Action.WAIT
        while self.now < until:
            action = self.agent.step()
            self.now += 0.25
        return action


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def message(name: str) -> ReceivedMessage:
    return ReceivedMessage(name, "r", '{"payload": 1}', 1, 0.0, 0.0)


def test_a_worker_booting_for_the_pool_receives_nothing_ever(world):
    world.target_state, world.fit = "Warmed:Stopped", Fitness.UNKNOWN
    world.steps(until=600)
    assert world.did == []


def test_an_idle_worker_stops_receiving_then_notes_it_then_drops_protection(world):
    world.steps(until=29)
    assert world.did[0] == "receive"
    dropped = world.did.index("unprotect")
    assert world.did[dropped - 1 : dropped + 1] == ["note", "unprotect"]
    assert "receive" not in world.did[dropped:]


def test_nothing_is_received_between_dropping_protection_and_having_it_back(world):
    world.steps(until=29)
    world.did.clear()
    world.steps(until=34)
    assert set(world.did) == {"look"}
    world.waiting = 1
    world.steps(until=38)
    protected = world.did.index("protect")
    assert "receive" not in world.did[:protected]
    assert world.did[protected : protected + 3] == ["protect", "erase note", "receive"]


def test_without_its_protection_back_it_never_receives(world):
    world.steps(until=29)
    world.did.clear()
    world.waiting, world.refuse_protection = 5, True
    world.steps(until=300)
    assert "receive" not in world.did


def test_a_job_that_runs_is_not_idle(world):
    world.arriving = [message("m")]
    world.steps(until=500)
    assert "unprotect" not in world.did
    world.finish_job()
    world.steps(until=504)
    assert "unprotect" not in world.did
    world.steps(until=507)
    assert "unprotect" in world.did


def test_a_second_job_that_comes_to_an_idle_worker_lets_it_expect_another(world):
    """The first may be what it was started for."""
    for arrives_at, ends_at in ((1, 2), (6, 20)):
        world.steps(until=arrives_at)
        world.arriving = [message("m")]
        world.steps(until=ends_at)
        world.finish_job()
    world.steps(until=79)
    assert "unprotect" not in world.did
    world.steps(until=82)
    assert "unprotect" in world.did


def test_a_worker_that_nobody_takes_receives_again(world):
    world.steps(until=30)
    assert "unprotect" in world.did
    world.did.clear()
    world.steps(until=45)
    assert [it for it in world.did if it != "look"][:3] == ["protect", "erase note", "receive"]


def test_a_message_that_arrives_when_the_instance_is_leaving_goes_back(world):
    world.agent.step()
    world.target_state = "Terminated"
    world.agent.step()
    world.open, world.arriving = True, [message("late")]
    world.agent.step()
    assert world.did[-1] == "hand back late"
    assert world.running == 0


def short_jobs_before(world, count=5):
    """The worker has lately had jobs of a hundredth of a second."""
    world.job_seconds = 0.01
    for number in range(count):
        world.arriving = [message(f"short-{number}")]
        world.steps(until=world.now + 1)
        world.finish_job()


def test_after_short_jobs_messages_are_fetched_ahead_by_the_batch(world):
    world.agent.step()
    assert world.asked_for == 1
    short_jobs_before(world)
    world.steps(until=world.now + 3)
    assert world.asked_for == 10


def test_several_of_many_short_jobs_are_claimed_together(world):
    short_jobs_before(world)
    assert "claim" not in " ".join(world.did)
    world.arriving = [message("one"), message("two")]
    world.steps(until=world.now + 0.5)
    assert "claim 2" in world.did
    world.finish_job()
    world.finish_job()
    assert world.did[-2:] == ["run one", "run two"]


def test_a_message_never_waits_behind_a_long_job(world):
    short_jobs_before(world)
    world.arriving = [message(name) for name in ("long", "behind-1", "behind-2")]
    world.steps(until=world.now + 0.75)
    assert world.running == 1
    assert "hand back behind-1" not in world.did
    world.steps(until=world.now + 1.5)
    assert [it for it in world.did if "hand back" in it] == [
        "hand back behind-1",
        "hand back behind-2",
    ]
    world.did.clear()
    world.arriving = [message("visible")]
    world.steps(until=world.now + 600)
    assert "receive" not in world.did, "a message that is handed back again and again is given up"


def test_after_a_long_job_nothing_is_fetched_ahead(world):
    short_jobs_before(world)
    world.steps(until=world.now + 2)  # it has been idle: the next job is expected
    world.job_seconds = 30.0
    world.arriving = [message("long")]
    world.steps(until=world.now + 0.75)
    world.finish_job()
    world.steps(until=world.now + 3)
    assert world.asked_for == 1


def test_what_waits_when_the_instance_is_leaving_goes_back_at_once(world):
    short_jobs_before(world)
    world.arriving = [message("long"), message("behind")]
    world.steps(until=world.now + 0.5)
    world.agent.terminating = True
    world.steps(until=world.now + 0.25)
    assert world.did[-1] == "hand back behind"


def test_a_queue_out_of_reach_is_tried_again_and_logged(world):
    world.agent.step()
    world.arriving = UNREACHABLE
    world.steps(until=3)
    assert world.did.count("receive") > 1
    assert '"receive_failed"' in world.log_text.getvalue()


def test_draining_ends_when_the_last_job_does_and_the_verdict_counts_it(world):
    world.arriving = [message("m")]
    world.steps(until=2)
    request = DrainRequest("d-1", requested_at=2.0, seconds=30)
    world.drain_files.request(request)
    world.steps(until=10)
    assert world.drain_files.answered(request) is None
    assert world.leave_sign.hand_back_at == 32.0
    world.finish_job()
    world.steps(until=11)
    verdict = world.drain_files.answered(request)
    assert (verdict.drained, verdict.finished, verdict.handed_back) == (True, 1, 0)


def test_an_idle_worker_is_drained_within_a_step_or_two(world):
    request = DrainRequest("d-1", requested_at=0.0, seconds=30)
    world.drain_files.request(request)
    world.steps(until=0.5)
    assert world.drain_files.answered(request).drained


def test_after_the_pool_it_takes_jobs_again_and_forgets_the_drain(world):
    world.drain_files.request(DrainRequest("d-1", 0.0, 30))
    world.target_state = "Warmed:Running"
    world.steps(until=5)
    assert "receive" not in world.did
    world.target_state = "InService"
    world.steps(until=6)
    assert world.drain_files.pending() is None
    assert world.leave_sign.hand_back_at is None
    assert "receive" in world.did


def test_told_to_end_it_hands_running_jobs_back_at_once_and_ends_after_them(world):
    world.arriving = [message("m")]
    world.steps(until=2)
    world.agent.terminating = True
    assert world.steps(until=3) is Action.WAIT
    assert world.leave_sign.hand_back_at == 2.0
    world.finish_job()
    assert world.agent.step() is Action.EXIT


def test_an_unfit_worker_receives_nothing_and_asks_to_be_replaced(world):
    world.fit = Fitness.UNFIT
    assert world.agent.step() is Action.REPORT_UNHEALTHY
    assert world.agent.report_unhealthy()
    assert world.did == ["report unhealthy"]


def test_the_log_has_a_line_for_each_change_and_none_for_each_step(world):
    world.steps(until=20)
    states = [json.loads(line) for line in world.log_text.getvalue().splitlines()]
    reasons = [line["reason"] for line in states if line["event"] == "worker_state"]
    assert len(reasons) <= 4
    assert reasons[0] == Reason.RECEIVING
