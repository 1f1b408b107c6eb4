"""Boxes as such: what runs in them, what a stop loses, what a disk keeps. No EC2 around them."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.instances.disk import CODE
from local.instances.guest.processes import marked
from local.instances.host import Completed
from tests.embedded.boxed_computer import (
    PATIENCE_SECONDS,
    VERSION,
    Computer,
    enclosure_or_skip,
)

Make = Callable[[str], Computer]


@pytest.fixture(params=["namespaces", "folders"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """`make(user_data)`: a computer, by each way of keeping it apart from this one."""
    enclosure = enclosure_or_skip(request.param)
    computers: list[Computer] = []

    def make_one(user_data: str) -> Computer:
        computers.append(Computer(tmp_path / str(len(computers)), enclosure, user_data))
        return computers[-1]

    yield make_one
    for computer in computers:
        computer.host.close()


WITH_SERVICE = """
    #!/bin/sh
    set -eu
    root=${HOME%/root}
    echo "first boot"
    mkdir -p $root/opt/x && echo kept > $root/opt/x/y
    cat > $root/opt/x/ticker <<'TICKER'
    trap "echo asked to stop; exit 0" TERM
    echo started
    while :; do sleep 0.05; done
    TICKER
    cat > $root/etc/systemd/system/ticker.service <<UNIT
    [Service]
    ExecStartPre=/bin/sh -c 'echo before'
    ExecStart=/bin/sh $root/opt/x/ticker
    Restart=always
    RestartSec=50ms
    [Install]
    WantedBy=multi-user.target
    UNIT
    systemctl enable --now ticker
    systemctl is-active ticker
"""


def test_user_data_runs_once_and_services_at_every_boot(make: Make) -> None:
    computer = make(WITH_SERVICE)
    assert "first boot" in computer.set_up()
    computer.stop()
    computer.boot()
    computer.wait_for(lambda: computer.run("systemctl is-active ticker").exit_code == 0, "service")
    assert computer.run("cloud-init status").stdout == "status: done\n"
    assert computer.output().count("first boot") == 1
    assert computer.run("journalctl -u ticker").stdout.count("started") == 2


def test_a_stop_loses_memory_and_keeps_the_disk(make: Make) -> None:
    computer = make(WITH_SERVICE)
    computer.set_up()
    computer.run("echo x > $root/tmp/x; echo x > $root/run/x; (sleep 1000 &)")
    mark = computer.mark
    assert marked(mark)

    computer.stop()

    assert marked(mark) == []
    assert not computer.host.agent_online(computer.id)
    assert computer.host.agent_registered(computer.id)
    computer.boot()
    assert computer.run("cat $root/opt/x/y; ls $root/tmp $root/run/x").stdout.startswith("kept\n")
    assert computer.run("ls $root/tmp/x $root/run/x").exit_code != 0


def test_services_are_asked_to_stop_before_the_power_goes(make: Make) -> None:
    computer = make(WITH_SERVICE)
    computer.set_up()
    computer.stop()
    assert (
        "asked to stop" in (computer.folder / "disk/var/log/journal/ticker.service.log").read_text()
    )


MIXED = """
    #!/bin/sh
    set -eu
    root=${HOME%/root}
    cat > $root/opt/job <<'JOB'
    trap "echo job was asked" TERM
    echo job started
    while :; do sleep 0.05; done
    JOB
    cat > $root/opt/worker <<WORKER
    trap 'echo worker ends; exit 0' TERM
    sh $root/opt/job &
    while :; do sleep 0.05; done
    WORKER
    cat > $root/etc/systemd/system/mixed.service <<UNIT
    [Service]
    ExecStart=/bin/sh $root/opt/worker
    KillMode=mixed
    UNIT
    systemctl start mixed
"""


def test_kill_mode_mixed_asks_the_main_process_alone(make: Make) -> None:
    computer = make(MIXED)
    computer.set_up()
    read = "journalctl -u mixed -o cat"
    computer.wait_for(lambda: "job started" in computer.run(read).stdout, "job")
    computer.run("systemctl stop mixed")
    assert "worker ends" in computer.run(read).stdout
    assert "job was asked" not in computer.run(read).stdout
    assert computer.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout.count("opt/job") == 0


def test_a_service_that_dies_is_started_again_by_its_policy(make: Make) -> None:
    computer = make(WITH_SERVICE)
    computer.set_up()
    computer.run("kill -9 $(systemctl show ticker -p MainPID --value)")

    def restarted() -> bool:
        return computer.run("journalctl -u ticker").stdout.count("started") == 2

    computer.wait_for(restarted, "restart")
    assert computer.run("systemctl is-active ticker").stdout == "active\n"
    assert computer.run("systemctl stop ticker; systemctl is-active ticker").stdout == "inactive\n"


def test_user_data_that_a_stop_cut_off_does_not_run_again(make: Make) -> None:
    computer = make("#!/bin/sh\necho begun\nsleep 1000\necho ended\n")
    computer.boot()
    assert computer.run("cloud-init status").stdout == "status: running\n"
    computer.stop()
    computer.boot()
    assert computer.run("cloud-init status --wait").exit_code == 0
    assert computer.output() == "begun\n"


def test_user_data_that_fails_is_an_error_of_cloud_init(make: Make) -> None:
    computer = make("#!/bin/sh\necho about to fail\nexit 7\n")
    assert "part-001 exited with 7" in computer.set_up()
    status = computer.run("cloud-init status --long")
    assert status.exit_code == 1
    assert "status: error" in status.stdout


def test_dnf_gives_the_python_that_is_here_and_names_what_is_not(make: Make) -> None:
    computer = make("#!/bin/sh\n")
    computer.set_up()
    there = computer.run(
        f"dnf install -y python{VERSION} python{VERSION}-pip git "
        f"&& python{VERSION} -m venv $root/opt/venv "
        "&& $root/opt/venv/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'"
    )
    assert there.stdout.splitlines()[-1] == "True", there
    missing = computer.run("dnf -q -y install python3.99 no-such-program")
    assert missing.exit_code == 1
    assert f"python3.99 (this computer has Python {VERSION}" in missing.stderr
    assert "no-such-program" in missing.stderr


def test_a_command_gives_its_output_and_its_exit_code(make: Make) -> None:
    computer = make("#!/bin/sh\n")
    computer.boot()
    completed = computer.run("echo out $WORD; echo err >&2; exit 3", WORD="word")
    assert completed == Completed(3, "out word\n", "err\n")
    with pytest.raises(TimeoutError, match=r"longer than 0\.3 s"):
        computer.run("sleep 1000", seconds=0.3)
    assert computer.run("true").exit_code == 0


def test_a_command_ends_with_the_instance(make: Make) -> None:
    computer = make("#!/bin/sh\n")
    computer.boot()
    ends: list[BaseException] = []

    def wait() -> None:
        try:
            computer.run("touch $root/tmp/begun; sleep 1000")
        except ConnectionError as error:
            ends.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    computer.wait_for((computer.folder / "disk/tmp/begun").exists, "command")
    computer.stop()
    waiting.join(PATIENCE_SECONDS)
    assert "went away" in str(ends[0])
    with pytest.raises(ConnectionError, match="not online"):
        computer.run("true")


def test_shutdown_inside_tells_ec2_and_reboot_does_not(make: Make) -> None:
    computer = make(WITH_SERVICE)
    computer.set_up()
    computer.run("touch $root/run/of-this-boot")
    with pytest.raises(ConnectionError):
        computer.run("reboot; sleep 1000")
    computer.wait_for(lambda: computer.host.agent_online(computer.id), "reboot")
    assert computer.run("test -e $root/run/of-this-boot").exit_code == 1
    assert computer.off == []
    computer.run("shutdown -h now")
    computer.wait_for(lambda: computer.off == [computer.id], "shutdown")


def test_a_broken_agent_is_offline_and_a_hung_instance_impaired(make: Make) -> None:
    computer = make("#!/bin/sh\n")
    computer.host.break_agent(computer.id)
    computer._and_wait(computer.host.boot)
    computer.wait_for(lambda: computer.host.status(computer.id) == "ok", "boot")
    assert not computer.host.agent_registered(computer.id)
    computer.host.mend_agent(computer.id)
    computer.wait_for(lambda: computer.host.agent_online(computer.id), "agent")
    computer.host.hang(computer.id)
    assert not computer.host.agent_online(computer.id)
    silent_since = computer.host.agent_pinged_at(computer.id)
    assert time.time() - 60 < silent_since == computer.host.agent_pinged_at(computer.id)
    assert computer.host.status(computer.id) == "impaired"
    computer.stop()
    computer.boot()
    assert computer.host.status(computer.id) == "ok"


def test_nothing_is_left_of_a_terminated_instance(make: Make) -> None:
    computer = make(WITH_SERVICE)
    computer.set_up()
    computer.terminate()
    assert not computer.folder.exists()
    assert not computer.host.agent_registered(computer.id)


def test_an_enclosed_box_changes_nothing_of_this_computer(make: Make) -> None:
    computer = make("#!/bin/sh\n")
    computer.boot()
    if not computer.enclosed:
        pytest.skip("this is what enclosing is for")
    with tempfile.NamedTemporaryFile(dir="/tmp") as secret:
        assert computer.run(f"cat {secret.name}").exit_code == 1, "it sees this computer's /tmp"
    said = computer.run(
        "for d in /opt /etc /var/lib /usr/bin /new; do mkdir -p $d/pilotlight-box; done;"
        "cat /proc/1/cmdline | tr '\\0' ' '; hostname"
    ).stdout
    assert "local.instances.guest.init" in said
    assert said.endswith("ip-172-31-0-9.ec2.internal\n")
    for folder in ("/opt", "/etc", "/var/lib", "/usr/bin", "/new"):
        assert not Path(folder, "pilotlight-box").exists()
    computer.stop()
    computer.boot()
    assert (
        computer.run("ls -d /opt/pilotlight-box /etc/pilotlight-box /new/pilotlight-box").exit_code
        == 0
    )


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {code!r})
from tests.embedded.boxed_computer import Computer, enclosure_of
user_data = "#!/bin/sh\\n(setsid sleep 1000 &)\\nsleep 1000\\n"
computer = Computer(Path({folder!r}), enclosure_of({kind!r}), user_data)
computer.boot()
print(computer.mark, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("kind", ["namespaces", "folders"])
def test_no_process_outlives_a_cloud_that_is_killed(kind: str, tmp_path: Path) -> None:
    enclosure_or_skip(kind)
    code = KILLED.format(code=str(CODE), kind=kind, folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as cloud:
        assert cloud.stdout is not None
        mark = cloud.stdout.readline().strip()
        assert len(marked(mark)) >= 2
        cloud.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(mark) == []
