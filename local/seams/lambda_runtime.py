"""Lambda: python functions run under AWS's own runtime interface client, awslambdaric."""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import zipfile
from pathlib import Path
from typing import Any

from local.context import CloudContext


def install(context: CloudContext) -> None:
    """Route python functions through the Runtime API, which ministack has for `provided` only."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    stock_class_for = lambda_runtime._worker_class_for
    stock_warm = lambda_svc._execute_function_warm
    stock_code_dir = lambda_svc._provided_runtime_code_dir
    bootstrap = write_bootstrap(context)

    def worker_class_for(config: dict[str, Any]) -> type:
        return lambda_runtime.ProvidedWorker if is_python(config) else stock_class_for(config)

    def execute_warm(function: dict[str, Any], event: Any, request_id: str) -> Any:
        if is_python(function.get("config") or function):
            return lambda_svc._execute_function_provided_warm(function, event, request_id)
        return stock_warm(function, event, request_id)

    def code_dir(code_zip: bytes) -> str:
        folder = stock_code_dir(code_zip)
        link_bootstrap(bootstrap, Path(folder))
        return folder

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_warm
    lambda_svc._provided_runtime_code_dir = code_dir
    lambda_svc._provided_worker_env = lambda config, folder, port: worker_environment(
        context, config, folder, port
    )
    context.on_stop(lambda_runtime.reset)


def is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def write_bootstrap(context: CloudContext) -> Path:
    """The program that Amazon's python images start, with our interpreter."""
    bootstrap = context.folder / "lambda/bootstrap"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    python = shlex.quote(str(context.lambda_python))
    bootstrap.write_text(f'#!/bin/sh\nexec {python} -m awslambdaric "$_HANDLER"\n')
    bootstrap.chmod(0o755)
    return bootstrap


def link_bootstrap(bootstrap: Path, folder: Path) -> None:
    """A link is whole or not there: two cold starts of one package at a time cannot tear it."""
    try:
        (folder / "bootstrap").symlink_to(bootstrap)
    except FileExistsError:
        return


def worker_environment(
    context: CloudContext, config: dict[str, Any], folder: str, port: int
) -> dict[str, str]:
    """The environment of one execution environment: AWS's reserved names, nothing of the host."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    opt = unpack_layers(context, config.get("Layers") or [])
    return {
        **lambda_svc._runtime_env_vars(config),
        **lambda_runtime.execution_credentials(config),
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{config['FunctionName']}-{port}",
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
    from ministack.services import lambda_svc

    archives = [archive for layer in layers if (archive := lambda_svc._resolve_layer_zip(layer))]
    digest = hashlib.sha256()
    for archive in archives:
        digest.update(hashlib.sha256(archive).digest())
    opt = context.folder / "lambda/opt" / digest.hexdigest()[:16]
    with lambda_svc._provided_code_lock:
        if not opt.exists():
            part = opt.with_suffix(".part")
            for archive in archives:
                zipfile.ZipFile(io.BytesIO(archive)).extractall(part)
            part.mkdir(parents=True, exist_ok=True)
            part.rename(opt)
    return opt
