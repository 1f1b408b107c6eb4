"""The embedded AWS's process: it starts, says where it is, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud import EmbeddedCloud
from local.errors import CloudStartError
from tests.embedded.lambda_functions import function_maker
from tests.embedded.patience import until

ROOT = Path(__file__).parents[2]
PRINTS_PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def start(folder: Path, *options: str) -> tuple[subprocess.Popen[str], Path]:
    """`python -m local` on a free port, and the file that it writes when it is ready."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "local", "--port", "0", "--folder", str(folder / "cloud")]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready_file), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    return process, ready_file


def words(refused: pytest.ExceptionInfo[CloudStartError]) -> str:
    """What was said, without the box that it is shown in."""
    return re.sub(r"[\s│]+", " ", str(refused.value))


def test_a_port_in_use_is_named_with_its_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CloudStartError) as refused:
            EmbeddedCloud(tmp_path, port=port).start()
    assert f"port {port} of 127.0.0.1 is in use" in words(refused)
    assert "--port 0 for any free one" in words(refused)


def test_a_folder_in_use_is_named_with_its_remedy(tmp_path: Path) -> None:
    with EmbeddedCloud(tmp_path), pytest.raises(CloudStartError) as refused:
        EmbeddedCloud(tmp_path).start()
    assert "--folder" in words(refused)
    assert "is in use by another embedded AWS" in words(refused)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_what_programs_need_and_ends_when_told(
    number: signal.Signals, tmp_path: Path
) -> None:
    process, ready_file = start(tmp_path)
    assert until(ready_file.exists)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in printed
    assert "vpc-" in printed
    assert "subnet-" in printed


def test_no_function_outlives_it(tmp_path: Path) -> None:
    with EmbeddedCloud(tmp_path) as own:
        function = function_maker(own)(PRINTS_PID)
        answer = own.client("lambda").invoke(FunctionName=function)
        pid = int(answer["Payload"].read())
        assert runs(pid)
    assert until(lambda: not runs(pid))


def test_it_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    parent = """
import sys, time
from pathlib import Path
from local.cloud import EmbeddedCloud
cloud = EmbeddedCloud(Path(sys.argv[1]))
cloud.start()
print(cloud._process.pid, flush=True)
time.sleep(600)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", parent, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout:
        child = int(process.stdout.readline())
    process.kill()
    process.wait()
    assert until(lambda: not runs(child))
