"""Whether this instance can do the work: checks that load torch and the user's code.

They run in the process of the jobs and never in the worker itself: a wrong build of torch may
hang or take its process down with it, and that has to be a failed check, not a dead worker.
A check returns a detail worth knowing, and raises anything at all when it fails.
"""

import importlib
import importlib.util
from collections.abc import Callable

LIGHT_CHECKS = ("import_torch", "tensor_operation", "cuda_visible", "jobs_importable")
ALL_CHECKS = (*LIGHT_CHECKS, "own_check")

Check = Callable[[str], str]


class CheckFailedError(Exception):
    """A check that ran, with an answer that is not good enough."""


def import_torch(device: str) -> str:
    torch = importlib.import_module("torch")
    return f"torch {torch.__version__} for {device}"


def tensor_operation(device: str) -> str:
    torch = importlib.import_module("torch")
    ones = torch.ones(8, 8, device=device)
    total = float((ones @ ones).sum())
    if total != 8.0**3:
        raise CheckFailedError(f"the sum of ones(8, 8) @ ones(8, 8) is {total}, not 512")
    return f"8x8 matrix product on {device}"


def cuda_visible(device: str) -> str:
    if device != "cuda":
        return f"not asked for: the device is {device}"
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        raise CheckFailedError(
            "torch sees no CUDA device: the AMI needs the NVIDIA driver, the wheel index a CUDA "
            "build, and the instance type a GPU"
        )
    return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"


def jobs_importable(_device: str) -> str:
    handler = importlib.import_module("jobs.handler")
    if not callable(getattr(handler, "handle", None)):
        raise CheckFailedError("jobs/handler.py has no function handle(payload, job)")
    return "jobs.handler.handle"


def own_check(_device: str) -> str:
    """`def check() -> None` of jobs/check.py, for those who ship one."""
    if importlib.util.find_spec("jobs.check") is None:
        return "jobs/check.py is not there"
    importlib.import_module("jobs.check").check()
    return "jobs.check.check"


BY_NAME: dict[str, Check] = {
    "import_torch": import_torch,
    "tensor_operation": tensor_operation,
    "cuda_visible": cuda_visible,
    "jobs_importable": jobs_importable,
    "own_check": own_check,
}
