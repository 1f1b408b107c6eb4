"""Lambda: python functions run under AWS's own runtime interface client, awslambdaric."""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import zipfile
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.context import CloudContext
from local.seams.lambda_environment import ExecutionEnvironment


def install(context: CloudContext) -> None:
    """Route python functions through the Runtime API, which ministack has for `provided` only."""
    ExecutionEnvironment.context = context
    run_python_in_environments()
    start_by_bootstrap(context)
    leave_logs_to_environments()
    measure_every_invocation()
    context.on_stop(lambda_runtime.reset)


def is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def run_python_in_environments() -> None:
    """Stock runs python functions in a script of its own by another interpreter's rules."""
    stock_class_for = lambda_runtime._worker_class_for
    stock_warm = lambda_svc._execute_function_warm

    def worker_class_for(config: dict[str, Any]) -> type:
        return ExecutionEnvironment if is_python(config) else stock_class_for(config)

    def execute_warm(function: dict[str, Any], event: Any, request_id: str) -> Any:
        if is_python(function.get("config") or function):
            return lambda_svc._execute_function_provided_warm(function, event, request_id)
        return stock_warm(function, event, request_id)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_warm


def start_by_bootstrap(context: CloudContext) -> None:
    """Stock starts the package's own `bootstrap`; Amazon's python images bring one."""
    stock_code_dir = lambda_svc._provided_runtime_code_dir
    stock_environment = lambda_svc._provided_worker_env
    bootstrap = write_bootstrap(context)

    def code_dir(code_zip: bytes) -> str:
        folder: str = stock_code_dir(code_zip)
        link_bootstrap(bootstrap, Path(folder))
        return folder

    def environment(config: dict[str, Any], folder: str, port: int) -> dict[str, str]:
        if is_python(config):
            return process_environment(context, config, folder, port)
        stock: dict[str, str] = stock_environment(config, folder, port)
        return stock

    lambda_svc._provided_runtime_code_dir = code_dir
    lambda_svc._provided_worker_env = environment


def leave_logs_to_environments() -> None:
    """Stock writes an invocation's lines after its end, each time into another stream."""
    stock = lambda_svc._emit_lambda_logs

    def emit_lambda_logs(function: dict[str, Any], *details: Any, **more: Any) -> None:
        if not is_python(function.get("config") or function):
            stock(function, *details, **more)

    lambda_svc._emit_lambda_logs = emit_lambda_logs


def measure_every_invocation() -> None:
    """Stock gives AWS/Lambda metrics to direct calls only; AWS to queues' and events' as well."""
    stock_dispatch = lambda_svc._execute_function_dispatch
    stock_emit = lambda_svc._emit_lambda_metrics

    def emit_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            stock_emit(name, duration_ms, error, throttle)

    def dispatch(
        function: dict[str, Any],
        config: dict[str, Any],
        event: Any,
        request_id: str,
        started: float,
    ) -> Any:
        result = stock_dispatch(function, config, event, request_id, started)
        duration_ms = (lambda_svc.time.time() - started) * 1000
        stock_emit(config["FunctionName"], duration_ms, bool(result.get("error")), False)
        return result

    lambda_svc._emit_lambda_metrics = emit_throttles
    lambda_svc._execute_function_dispatch = dispatch


def write_bootstrap(context: CloudContext) -> Path:
    bootstrap = context.folder / "lambda/bootstrap"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    python = shlex.quote(str(context.lambda_python))
    bootstrap.write_text(
        f'#!/bin/sh\nexec {python} -m awslambdaric "$_HANDLER"\n', encoding="utf-8"
    )
    bootstrap.chmod(0o755)
    return bootstrap


def link_bootstrap(bootstrap: Path, folder: Path) -> None:
    """A link is whole or not there: two cold starts of one package at a time cannot tear it."""
    try:
        (folder / "bootstrap").symlink_to(bootstrap)
    except FileExistsError:
        return


def process_environment(
    context: CloudContext, config: dict[str, Any], folder: str, port: int
) -> dict[str, str]:
    """The environment of a function's process: AWS's reserved names, nothing of the host.

    Lambda guide, configuration-envvars. The credentials are a session of the function's role.
    """
    opt = unpack_layers(context, config.get("Layers") or [])
    logging = config.get("LoggingConfig") or {}
    return {
        **lambda_svc._runtime_env_vars(config),
        **lambda_runtime.execution_credentials(config),
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", ""),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup")
        or f"/aws/lambda/{config['FunctionName']}",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_REGION": context.region,
        "LAMBDA_TASK_ROOT": folder,
        "LANG": "en_US.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{folder}:{opt}/python",
        "TZ": ":UTC",
        "_HANDLER": config["Handler"],
    }


def unpack_layers(context: CloudContext, layers: list[dict[str, Any]]) -> Path:
    """The layers merged in their order, later ones over earlier ones, as AWS does in /opt."""
    archives = [archive for layer in layers if (archive := lambda_svc._resolve_layer_zip(layer))]
    digest = hashlib.sha256()
    for archive in archives:
        digest.update(hashlib.sha256(archive).digest())
    opt = context.folder / "lambda/opt" / digest.hexdigest()[:16]
    with lambda_svc._provided_code_lock:
        if not opt.exists():
            part = opt.with_suffix(".part")
            part.mkdir(parents=True)
            for archive in archives:
                zipfile.ZipFile(io.BytesIO(archive)).extractall(part)
            part.rename(opt)
    return opt
