"""The metadata client against a real HTTP server that behaves as IMDSv2 does."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pilotlight.worker.event_log import EventLog
from pilotlight.worker.metadata import TOKEN_SECONDS, InstanceMetadata, MetadataError
from pilotlight.worker.surroundings import (
    BEFORE_INTERRUPTION_SECONDS,
    NOTICE_SECONDS,
    TARGET_SECONDS,
    Surroundings,
)

TARGET = "/latest/meta-data/autoscaling/target-lifecycle-state"


class Imds(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.tree: dict[str, str] = {"/latest/meta-data/instance-id": "i-1"}
        self.tokens: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.server_port}"
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": address}


class Answering(BaseHTTPRequestHandler):
    server: Imds

    def log_message(self, *args):
        pass

    def do_PUT(self):
        assert 1 <= int(self.headers["X-aws-ec2-metadata-token-ttl-seconds"]) <= 21_600
        self.server.tokens.append(f"token-{len(self.server.tokens)}")
        self._answer(200, self.server.tokens[-1])

    def do_GET(self):
        if self.headers["X-aws-ec2-metadata-token"] != self.server.tokens[-1]:
            self._answer(401, "")
        elif self.path not in self.server.tree:
            self._answer(404, "")
        else:
            self._answer(200, self.server.tree[self.path])

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def imds():
    server = Imds()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_readings_share_one_token(imds):
    metadata = InstanceMetadata(imds.environment)
    imds.tree[TARGET] = "InService"
    assert metadata.instance_id() == "i-1"
    assert metadata.target_lifecycle_state() == "InService"
    assert len(imds.tokens) == 1


def test_the_token_is_renewed_before_it_runs_out(imds):
    now = [0.0]
    metadata = InstanceMetadata(imds.environment, lambda: now[0])
    metadata.instance_id()
    now[0] = TOKEN_SECONDS - 1
    metadata.instance_id()
    assert len(imds.tokens) == 2


def test_a_token_that_is_refused_is_replaced_for_the_next_reading(imds):
    metadata = InstanceMetadata(imds.environment)
    metadata.instance_id()
    imds.tokens.append("of another boot")
    with pytest.raises(MetadataError, match="401"):
        metadata.instance_id()
    assert metadata.instance_id() == "i-1"


def test_outside_a_group_there_is_no_target(imds):
    assert InstanceMetadata(imds.environment).target_lifecycle_state() is None


def test_an_interruption_has_its_moment(imds):
    imds.tree["/latest/meta-data/spot/instance-action"] = (
        '{"action": "terminate", "time": "1970-01-01T00:16:40Z"}'
    )
    assert InstanceMetadata(imds.environment).interruption_at() == 1000.0


def test_an_endpoint_that_is_no_http_address_is_named():
    with pytest.raises(MetadataError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT is 'file:"):
        InstanceMetadata({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "file:///etc/passwd"})


class Metadata:
    """A metadata service without a network, counting how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.target: str | None = "InService"
        self.broken = False
        self.interruption: float | None = None
        self.rebalance: float | None = None

    def target_lifecycle_state(self):
        self.asked += 1
        if self.broken:
            raise MetadataError("no answer")
        return self.target

    def interruption_at(self):
        if self.broken:
            raise MetadataError("no answer")
        return self.interruption

    def rebalance_recommended_at(self):
        return self.rebalance


class Scene:
    def __init__(self, log_stream) -> None:
        self.now = 0.0
        self.metadata = Metadata()
        self.disk_is_full = False
        log = EventLog(log_stream, lambda: self.now)
        self.surroundings = Surroundings(
            self.metadata, 120, lambda: self.disk_is_full, lambda: self.now, log
        )


@pytest.fixture
def scene(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        yield Scene(stream)


def test_the_target_is_asked_for_no_oftener_than_needed(scene):
    for step in range(21):
        scene.now = step * TARGET_SECONDS / 10
        scene.surroundings.target()
    assert scene.metadata.asked <= 3


def test_a_target_that_cannot_be_read_is_not_the_last_one_read(scene):
    assert scene.surroundings.target() == "InService"
    scene.metadata.broken = True
    scene.now += TARGET_SECONDS
    assert scene.surroundings.target() is None


def test_of_two_notices_the_sooner_counts(scene):
    assert scene.surroundings.notice_deadline() is None
    scene.metadata.rebalance, scene.metadata.interruption = 100.0, 150.0
    scene.now += NOTICE_SECONDS
    assert scene.surroundings.notice_deadline() == 150.0 - BEFORE_INTERRUPTION_SECONDS


def test_a_full_disk_is_a_notice_from_when_it_was_seen_and_stays_one(scene):
    assert scene.surroundings.notice_deadline() is None
    scene.disk_is_full = True
    scene.now += NOTICE_SECONDS
    full_at = scene.now
    assert scene.surroundings.notice_deadline() == full_at + 120
    scene.disk_is_full = False
    scene.now += NOTICE_SECONDS
    assert scene.surroundings.notice_deadline() == full_at + 120


def test_a_full_disk_is_a_notice_though_the_metadata_do_not_answer(scene):
    scene.metadata.broken = True
    scene.disk_is_full = True
    assert scene.surroundings.notice_deadline() == 120
