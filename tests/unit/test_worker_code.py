"""Settings and code on the disk, kept up to date from layers served over real HTTP."""

import base64
import hashlib
import io
import json
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.aws.worker_code import LayerArchive
from pilotlight.errors import SettingsError
from pilotlight.worker.code import CodeUpdate, RequirementsError
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.home import Home
from pilotlight.worker.layer_store import LayerError, LayerStore

SETTINGS = {
    "queue_url": "https://sqs/jobs",
    "dead_letter_queue_url": "https://sqs/dead",
    "jobs_table": "jobs",
    "heartbeats_table": "heartbeats",
    "bucket": "jobs-bucket",
    "group_name": "g-workers",
    "log_group": "/pilotlight/g/workers",
    "region": "us-east-1",
    "layers": {"pilotlight": "arn:p:1", "jobs": "arn:j:1"},
    "template_version": "7",
    "heartbeat_seconds": 60,
    "visibility_timeout_seconds": 120,
    "job_timeout_seconds": 600,
    "idle_seconds": 60,
    "watch_seconds": 3,
    "drain_seconds": 120,
    "jobs_per_instance": 1,
    "max_attempts": 3,
    "max_receive_count": 20,
    "job_memory_mib": 0,
    "device": "cpu",
}
UNREACHABLE = EndpointConnectionError(endpoint_url="http://ssm")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Deployment:
    """What the account holds, an instance's disk, and the update that joins them."""

    def __init__(self, web, folder) -> None:
        self._web, self._address = web
        self.folder = folder
        self.settings: str | Exception = json.dumps(SETTINGS)
        self.archives: dict[str, LayerArchive] = {}
        self.steps: list[str] = []
        self.pip_works = True
        self.log_text = io.StringIO()
        self.publish("arn:p:1", {"python/pilotlight/__init__.py": ""})
        self.publish("arn:j:1", {"python/jobs/handler.py": "VERSION = 1"})
        self.home = Home(folder, folder / "run")

    def publish(self, arn: str, files: dict[str, str]) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        data = content.getvalue()
        name = f"{self.folder.name}-{arn}.zip".replace(":", "-")
        (self._web / name).write_bytes(data)
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        self.archives[arn] = LayerArchive(arn, f"{self._address}/{name}", digest)

    def deploy(self, **layers: str) -> None:
        document = SETTINGS | {"layers": {**SETTINGS["layers"], **layers}}
        self.settings = json.dumps(document)

    def read(self, name):
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings

    def locate(self, arn):
        return self.archives[arn]

    def install(self, path):
        if not self.pip_works:
            raise RequirementsError("No matching distribution found for nothing")
        self.steps.append(f"installed {path.read_text().strip()}")

    def boot(self) -> list[str]:
        """Run the update; the events that it logged."""
        log = EventLog(self.log_text, lambda: 0.0)
        store = LayerStore(self.home.code)
        CodeUpdate(
            home=self.home,
            store=store,
            parameter=self,
            layers=self,
            excuse=lambda settings: self.steps.append(f"excused in {settings.heartbeats_table}"),
            install=self.install,
            log=log,
        ).run("/pilotlight/g/worker")
        lines = self.log_text.getvalue().splitlines()
        self.log_text.truncate(0)
        self.log_text.seek(0)
        return [json.loads(line)["event"] for line in lines]

    def handler(self) -> str:
        return (self.home.code / "jobs/python/jobs/handler.py").read_text()


@pytest.fixture
def deployment(web, tmp_path):
    return Deployment(web, tmp_path)


def test_the_first_boot_brings_settings_and_both_layers(deployment):
    assert deployment.boot() == ["layer_updated", "layer_updated"]
    assert deployment.handler() == "VERSION = 1"
    assert json.loads(deployment.home.settings_file.read_text()) == SETTINGS


def test_when_nothing_has_changed_nothing_is_fetched(deployment):
    deployment.boot()
    deployment.archives.clear()
    assert deployment.boot() == []


def test_a_stopped_instance_takes_the_newest_code_at_its_next_start(deployment):
    deployment.boot()
    deployment.publish("arn:j:2", {"python/jobs/handler.py": "VERSION = 2"})
    deployment.deploy(jobs="arn:j:2")
    assert deployment.boot() == ["layer_updated"]
    assert deployment.handler() == "VERSION = 2"


def test_only_the_current_version_and_the_one_before_stay_on_the_disk(deployment):
    for number in range(1, 6):
        deployment.publish(f"arn:j:{number}", {"python/jobs/handler.py": f"VERSION = {number}"})
        deployment.deploy(jobs=f"arn:j:{number}")
        deployment.boot()
    assert len(list((deployment.home.code / ".versions").glob("jobs-*"))) == 2
    assert deployment.handler() == "VERSION = 5"


def test_what_user_data_unzipped_becomes_a_version_like_any_other(deployment):
    folder = deployment.home.code / "pilotlight"
    folder.mkdir(parents=True)
    (folder / "as-unzipped").touch()
    deployment.boot()
    assert folder.is_symlink()
    assert (folder / "python/pilotlight/__init__.py").exists()


def test_what_jobs_import_of_a_layer_is_compiled_before_they_do(deployment):
    deployment.boot()
    assert list((deployment.home.code / "jobs/python/jobs/__pycache__").glob("handler.*.pyc"))


def test_changed_requirements_are_installed_and_unchanged_ones_are_not(deployment):
    deployment.boot()
    wanted = {"requirements.txt": "numpy\n", "python/jobs/handler.py": "VERSION = 2"}
    for number in (2, 3):
        deployment.publish(f"arn:j:{number}", wanted)
        deployment.deploy(jobs=f"arn:j:{number}")
        deployment.boot()
    assert deployment.steps == ["excused in heartbeats", "installed numpy"]


def kept(deployment) -> bool:
    return deployment.boot() == ["layer_kept"] and deployment.handler() == "VERSION = 1"


def test_requirements_that_cannot_be_installed_keep_the_old_code(deployment):
    deployment.boot()
    deployment.publish("arn:j:2", {"requirements.txt": "nothing", "python/x": ""})
    deployment.deploy(jobs="arn:j:2")
    deployment.pip_works = False
    assert kept(deployment)


def test_an_archive_with_another_checksum_is_not_unpacked(deployment):
    deployment.boot()
    deployment.publish("arn:j:2", {"python/jobs/handler.py": "VERSION = 'evil'"})
    archive = deployment.archives["arn:j:2"]
    deployment.archives["arn:j:2"] = LayerArchive(archive.arn, archive.url, "bm90IGl0")
    deployment.deploy(jobs="arn:j:2")
    assert kept(deployment)


@pytest.mark.parametrize("name", ["../../evil.py", "/evil-root/evil.py", "a/../../../evil.py"])
def test_an_archive_cannot_write_outside_its_folder(deployment, name):
    deployment.boot()
    deployment.publish("arn:j:2", {name: "evil"})
    deployment.deploy(jobs="arn:j:2")
    assert kept(deployment)
    assert not list(deployment.folder.rglob("evil.py"))


def test_a_layer_that_is_gone_keeps_the_old_code(deployment):
    deployment.boot()
    deployment.archives["arn:j:2"] = LayerArchive(
        "arn:j:2", deployment.archives["arn:j:1"].url + ".gone", ""
    )
    deployment.deploy(jobs="arn:j:2")
    assert kept(deployment)


def test_settings_out_of_reach_are_those_of_the_last_boot(deployment):
    deployment.boot()
    deployment.settings = UNREACHABLE
    assert deployment.boot() == ["settings_kept"]


def test_malformed_settings_do_not_replace_good_ones(deployment):
    deployment.boot()
    deployment.settings = "{}"
    assert deployment.boot() == ["settings_kept"]
    assert json.loads(deployment.home.settings_file.read_text()) == SETTINGS


def test_settings_that_cannot_be_written_are_those_of_the_last_boot(deployment):
    deployment.boot()
    in_the_way = deployment.home.settings_file.with_name(".settings.json.new")
    in_the_way.mkdir()  # as good as a full disk: the write fails
    assert deployment.boot() == ["settings_kept"]


def test_without_any_code_to_fall_back_on_it_fails(deployment):
    archive = deployment.archives["arn:j:1"]
    deployment.archives["arn:j:1"] = LayerArchive(archive.arn, archive.url, "bm90IGl0")
    with pytest.raises(LayerError, match="SHA-256"):
        deployment.boot()


def test_without_any_settings_to_fall_back_on_it_fails(deployment):
    deployment.settings = '{"queue_url": ""}'
    with pytest.raises(SettingsError, match="queue_url is ''"):
        deployment.boot()
