"""One execution environment of a python function: its process, its log stream, its limits."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ministack.core import lambda_runtime

from local.context import CloudContext
from local.seams.logs import FunctionLog
from local.services.lambda_lines import JsonLines, Outcome, TextLines

MEMORY_CHECK_SECONDS = 0.05
KIB_PER_MIB = 1024
TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
STATUS_OF_ERROR = {TIMED_OUT: "timeout", EXITED: "failure", OUT_OF_MEMORY: "failure"}


class ExecutionEnvironment(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """Stock's Runtime API server, with AWS's log lines, errors and memory limit around it.

    Stock writes an invocation's output after its end into a stream of its own, knows no memory
    limit, and says in words of its own what Lambda itself has to say.
    """

    context: CloudContext  # set once, when the seam is installed

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, config, code_zip)
        log_format = (config.get("LoggingConfig") or {}).get("LogFormat", "Text")
        lines = JsonLines if log_format == "JSON" else TextLines
        self._lines = lines(config["Runtime"], config.get("Version", "$LATEST"))
        self._log = FunctionLog(self.context, config)
        self._peak_kib = 0

    def invoke(
        self,
        event: Any,
        request_id: str,
        *,
        trace_id: str | None = None,
        invoked_function_arn: str | None = None,
    ) -> dict[str, Any]:
        """Run one invocation; the answer is ministack's: status, result or error_payload, log."""
        init_ms, failure = self._initialise()
        self._log.write(self._lines.start(request_id, time.time()))
        started = time.monotonic()
        if failure is not None:
            result = self._init_failed(failure, request_id)
        else:
            process = self._proc
            with self._memory_limit(process) as killed:
                result = super().invoke(
                    event, request_id, trace_id=trace_id, invoked_function_arn=invoked_function_arn
                )
            if result["status"] == "error":
                self._say_as_aws(result, request_id, process, killed.is_set())
        self._report(request_id, result, (time.monotonic() - started) * 1000, init_ms)
        return result

    def _initialise(self) -> tuple[float | None, RuntimeError | None]:
        """Start the process unless it runs; milliseconds it took, and why it could not start.

        Init gets 10 s; when it is not done it starts anew under the function's own timeout
        (Lambda guide, lambda-runtime-environment).
        """
        if self._proc is not None and self._proc.poll() is None:
            return None, None
        self._log.write(self._lines.init(time.time()))
        started = time.monotonic()
        failure: RuntimeError | None = None
        try:
            try:
                self._spawn()
            except lambda_runtime.ProvidedInitTimeout:
                self._spawn(init_timeout=self.config["Timeout"])
        except RuntimeError as error:
            failure = error
        return (time.monotonic() - started) * 1000, failure

    def _init_failed(self, failure: RuntimeError, request_id: str) -> dict[str, Any]:
        payload = self._init_error
        if not isinstance(payload, dict):
            timed_out = isinstance(failure, lambda_runtime.ProvidedInitTimeout)
            payload = self._platform_error(
                request_id, TIMED_OUT if timed_out else EXITED, self._timeout_words()
            )
            if not timed_out:
                payload["errorMessage"] = f"RequestId: {request_id} Error: {failure}"
        return {"status": "error", "error": payload.get("errorMessage"), "error_payload": payload}

    def _say_as_aws(
        self,
        result: dict[str, Any],
        request_id: str,
        process: subprocess.Popen[bytes],
        out_of_memory: bool,
    ) -> None:
        kind = (result.get("error_payload") or {}).get("errorType")
        if kind == TIMED_OUT:
            self._log.write(self._lines.timed_out(request_id, self.config["Timeout"], time.time()))
            words = self._timeout_words()
        elif kind == EXITED:
            kind = OUT_OF_MEMORY if out_of_memory else EXITED
            words = f"Runtime exited with error: {exit_words(process.wait())}"
        else:
            return  # the handler's own error, as awslambdaric reports it
        result["error_payload"] = self._platform_error(request_id, kind, words)

    def _timeout_words(self) -> str:
        return f"Task timed out after {self.config['Timeout']:.2f} seconds"

    @staticmethod
    def _platform_error(request_id: str, kind: str, words: str) -> dict[str, Any]:
        return {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {words}"}

    def _report(
        self, request_id: str, result: dict[str, Any], duration_ms: float, init_ms: float | None
    ) -> None:
        kind = (result.get("error_payload") or {}).get("errorType", "")
        failed = STATUS_OF_ERROR.get(kind, "error")
        outcome = Outcome(
            duration_ms=duration_ms,
            init_ms=init_ms,
            memory_size_mb=self.config["MemorySize"],
            max_memory_mb=self._peak_kib // KIB_PER_MIB,
            status=failed if result["status"] == "error" else "success",
            error_type=kind,
        )
        self._log.write(self._lines.end(request_id, outcome, time.time()))

    @contextmanager
    def _memory_limit(self, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
        """Kill the process when it outgrows MemorySize; the event says whether that happened."""
        done, killed = threading.Event(), threading.Event()
        limit_kib = self.config["MemorySize"] * KIB_PER_MIB

        def watch() -> None:
            while not killed.is_set():
                self._peak_kib = max(self._peak_kib, resident_kib(process.pid))
                if self._peak_kib > limit_kib:
                    killed.set()
                    process.send_signal(signal.SIGKILL)
                if done.wait(MEMORY_CHECK_SECONDS):
                    return

        watcher = threading.Thread(target=watch, daemon=True, name=f"memory-{self.func_name}")
        watcher.start()
        try:
            yield killed
        finally:
            done.set()
            watcher.join()

    def _pump_output(self, stream: BinaryIO, log_queue: Any) -> None:
        """Stock keeps output until the invocation has ended; here each line is logged at once."""
        super()._pump_output(LoggedStream(stream, self._log), log_queue)


class LoggedStream:
    """A process's output whose lines go into a log while they are read."""

    def __init__(self, stream: BinaryIO, log: FunctionLog) -> None:
        self._stream = stream
        self._log = log

    def readline(self) -> bytes:
        line = self._stream.readline()
        if line:
            self._log.write([line.decode("utf-8", "replace").rstrip("\r\n")])
        return line

    def close(self) -> None:
        self._stream.close()


def exit_words(code: int) -> str:
    """How Lambda words a process's end: `signal: killed`, `exit status 1`."""
    if code < 0:
        return f"signal: {signal.strsignal(-code) or -code}".lower()
    return f"exit status {code}"


def resident_kib(pid: int) -> int:
    """Memory that the process holds; 0 where there is no /proc, so that nothing is limited."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
