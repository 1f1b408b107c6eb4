"""Jobs in a box, which has a system's users: what a handler can do to what is not its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.instances.disk import CODE
from local.instances.interpreters import own_interpreter
from pilotlight.worker.job_user import FIRST_ID, has_user
from tests.embedded.boxed_computer import Computer, enclosure_or_skip

HANDLER = '''
import os, pathlib, subprocess, tempfile

HOME = pathlib.Path(os.environ["PILOTLIGHT_HOME"])
RUN = pathlib.Path(os.environ["PILOTLIGHT_RUN"])

def handle(payload, job):
    return {
        "user": os.getuid(), "group": os.getgid(), "groups": os.getgroups(),
        "kept": kept(), "module": module(), "denied": denied(),
        "asked": [asked("systemctl", "stop", "worker"), asked("poweroff")],
    }

def kept():
    """Writes where it may, and closes a folder to itself."""
    pathlib.Path("here").write_text("")
    pathlib.Path.home().joinpath("model.pt").write_text("")
    os.mkdir("closed", mode=0)
    return [os.path.dirname(tempfile.mkstemp()[1]) == os.getcwd(), os.stat(".").st_mode & 0o777]

def module():
    """What it leaves in its working directory is imported by nobody."""
    pathlib.Path("antigravity_of_ours.py").write_text("")
    try:
        import antigravity_of_ours
    except ImportError as error:
        return type(error).__name__

def denied():
    [other] = [it for it in (HOME / "tmp").iterdir() if it != pathlib.Path.cwd()]
    deeds = {
        "the marker": lambda: (HOME / "setup.json").write_text("{}"),
        "the marker's name": lambda: (HOME / "setup.json").rename(HOME / "gone"),
        "the settings": lambda: (HOME / "settings.json").write_text("{}"),
        "the unit": lambda: (HOME / "worker.service").open("a"),
        "the handler": lambda: (HOME / "code/handler.py").open("a"),
        "new code": lambda: (HOME / "code/sitecustomize.py").write_text(""),
        "a drain request": lambda: (RUN / "drain-request.json").write_text("{}"),
        "another slot's files": lambda: list(other.iterdir()),
        "another slot's home": lambda: list((HOME / "home/1").iterdir()),
        "the worker": lambda: os.kill(os.getppid(), 9),
        "another slot's process": lambda: os.kill(neighbour(), 9),
        "the worker's environment": lambda: open(f"/proc/{os.getppid()}/environ").read(),
        "root": lambda: os.setuid(0),
    }
    return {name: said(deed) for name, deed in deeds.items()}

def neighbour():
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        parent = int(stat.read_text().rpartition(")")[2].split()[1])
        if parent == os.getppid() and int(stat.parent.name) != os.getpid():
            return int(stat.parent.name)

def said(deed):
    try:
        deed()
    except OSError as error:
        return type(error).__name__
    return "done"

def asked(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    return [done.returncode, done.stderr]
'''


def prepare(computer: Computer) -> None:
    """An instance's home with what a job must leave alone, before the first boot."""
    home = computer.folder / "disk/opt/pilotlight"
    for name in ("code/jobs/handler.py", "code/handler.py", "setup.json", "settings.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    (home / "code/jobs/handler.py").write_text(HANDLER)
    (home / "worker.service").write_text("")
    shutil.copy(Path(__file__).with_name("job_in_box.py"), home)


def answer_of_a_job(computer: Computer) -> dict[str, Any]:
    script = """
        export PILOTLIGHT_HOME=$root/opt/pilotlight PILOTLIGHT_RUN=$root/run/pilotlight
        mkdir -p $PILOTLIGHT_RUN
        export PYTHONPATH=$code:$PILOTLIGHT_HOME/code
        exec $python $PILOTLIGHT_HOME/job_in_box.py
    """
    code = CODE / "layers/pilotlight/python"
    done = computer.run(script, code=str(code), python=str(own_interpreter().executable))
    assert done.exit_code == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def booted(kind: str, folder: Path) -> Computer:
    computer = Computer(folder, enclosure_or_skip(kind), "#!/bin/sh\n")
    prepare(computer)
    computer.boot()
    return computer


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    computer = booted("namespaces", tmp_path_factory.mktemp("users"))
    yield computer
    computer.host.close()


@pytest.fixture(scope="module")
def answer(computer: Computer) -> dict[str, Any]:
    if not has_user(computer.run("cat /proc/self/uid_map").stdout, FIRST_ID):
        pytest.skip("run as root: who is not has no other users to give to a box")
    return answer_of_a_job(computer)


def test_a_job_is_neither_root_nor_in_any_group_of_the_system(answer: dict[str, Any]) -> None:
    result = answer["result"]
    assert (result["user"], result["group"]) == (FIRST_ID, FIRST_ID)
    assert result["groups"] in ([], [FIRST_ID])


def test_a_job_changes_nothing_of_its_worker_instance_or_neighbour(answer: dict[str, Any]) -> None:
    denied = answer["result"]["denied"]
    assert denied == dict.fromkeys(denied, "PermissionError")


def test_a_job_commands_neither_services_nor_power(
    answer: dict[str, Any], computer: Computer
) -> None:
    assert answer["result"]["asked"] == [[1, "Access denied\n"]] * 2
    assert computer.off == []


def test_a_job_has_a_private_folder_of_its_own_that_goes_with_its_process(
    answer: dict[str, Any],
) -> None:
    assert answer["result"]["kept"] == [True, 0o700]
    assert answer["result"]["module"] == "ModuleNotFoundError"
    assert answer["left"] == []


def test_what_a_job_keeps_at_home_is_there_after_it(
    answer: dict[str, Any], computer: Computer
) -> None:
    assert answer["left"] == []
    found = computer.run("stat -c '%u %a' /opt/pilotlight/home/0 /opt/pilotlight/home/0/model.pt")
    assert found.stdout == f"{FIRST_ID} 700\n{FIRST_ID} 600\n"


def test_a_box_that_is_a_mere_folder_has_no_other_users(tmp_path: Path) -> None:
    computer = booted("folders", tmp_path)
    try:
        printed = computer.run(
            'exec $python -c "from pilotlight.worker.home import Home;'
            "from pilotlight.worker.job_user import job_user;"
            'print(job_user(Home.from_environment({}), 0))"',
            python=str(own_interpreter().executable),
            PYTHONPATH=str(CODE / "layers/pilotlight/python"),
        )
        assert printed.stdout == "None\n"
    finally:
        computer.host.close()
