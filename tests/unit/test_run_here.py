"""`python -m jobs`: a handler tried on this computer, as a person types it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (ROOT / "layers/pilotlight/python", ROOT / "layers/jobs/python")
PATIENCE_SECONDS = 60

COUNTING = """
import pathlib, time
def handle(payload, job):
    restored = job.restore()
    count = int(restored.read_text()) if restored else 0
    started_at = count
    while count < payload["to"]:
        count += 1
        pathlib.Path("count").write_text(str(count))
        job.save("count")
        if payload.get("slowly"):
            time.sleep(0.05)
        if job.stopping:
            raise RuntimeError(f"stopped at {count}")
    return {"from": started_at, "job_id": job.job_id}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the person stands, with a handler of their own."""
    handler = tmp_path / "own" / "jobs" / "handler.py"
    handler.parent.mkdir(parents=True)
    (handler.parent / "__init__.py").touch()
    (handler.parent / "__main__.py").write_text((LAYERS[1] / "jobs/__main__.py").read_text())
    handler.write_text(COUNTING)
    return tmp_path


def start(folder: Path, *arguments: str, **streams: int) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(folder / "own"), str(LAYERS[0])])
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        text=True,
        stdin=streams.get("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, *arguments: str, typed: str | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and the last line of standard error."""
    process = start(folder, *arguments, stdin=subprocess.PIPE)
    out, errors = process.communicate(typed, timeout=PATIENCE_SECONDS)
    return process.returncode, out, (errors.splitlines() or [""])[-1]


def test_the_result_is_all_that_is_printed_on_standard_output(folder: Path) -> None:
    code, out, _ = run(folder, '{"to": 2}', "--id", "j-1")
    assert (code, json.loads(out)) == (0, {"from": 0, "job_id": "j-1"})


def test_a_payload_may_come_from_a_file_or_standard_input(folder: Path) -> None:
    (folder / "payload.json").write_text('{"to": 1}')
    assert run(folder, "@payload.json")[0] == 0
    assert run(folder, typed='{"to": 1}')[0] == 0


def test_a_job_stopped_by_ctrl_c_goes_on_from_its_checkpoint(folder: Path) -> None:
    payload = '{"to": 1000, "slowly": 1}'
    process = start(folder, payload)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("checkpoint 1: ")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "given back, not failed: RuntimeError: stopped at" in errors.splitlines()[-1]
    stopped_at = int(errors.split("stopped at ")[-1].split(".")[0])
    code, out, _ = run(folder, json.dumps({"to": stopped_at + 1}))
    assert (code, json.loads(out)["from"]) == (0, stopped_at)
    assert json.loads(run(folder, '{"to": 1}')[1])["from"] == 0, "success clears its checkpoints"


@pytest.mark.parametrize(
    ("handler", "code", "said"),
    [
        ("def handle(payload, job): raise ValueError('no good')", 1, "failed: ValueError: no good"),
        ("def handle(payload, job): return object()", 1, "failed: ResultError: the result is not"),
        ("def handle(payload, job): raise SystemExit(7)", 1, "failed: SystemExit: 7"),
        ("import nowhere", 2, "No module named 'nowhere'. Install what it needs"),
        ("def hundle(payload, job): ...", 2, "has no function handle(payload, job)"),
    ],
)
def test_what_is_wrong_with_a_handler_is_the_last_line(
    folder: Path, handler: str, code: int, said: str
) -> None:
    (folder / "own/jobs/handler.py").write_text(handler)
    ended, out, last = run(folder, "{}")
    assert (ended, out) == (code, "")
    assert said in last


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{to: 1}"], "is not JSON"),
        (["@nowhere.json"], "cannot be read from nowhere.json"),
        (["{}", "--id", "a/b"], "job_id is 'a/b'"),
        (["{}", "--id", ".."], "job_id is '..'"),
    ],
)
def test_what_a_worker_would_refuse_is_refused_here(
    folder: Path, arguments: list[str], said: str
) -> None:
    code, out, last = run(folder, *arguments)
    assert (code, out) == (2, "")
    assert said in last
