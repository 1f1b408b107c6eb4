"""The network in front of this cloud: cutting off a box, a function or everybody but the operator.

Callers are known by the session that signs their calls: an instance's is named by its id, a
function's by the function's name. The account's own keys, the operator's, are never cut off.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from local.context import CloudContext
from local.instances.guest.processes import marked, signal_all
from local.seams import control
from local.services.network import Network, behind

_CREDENTIAL = re.compile(rb"Credential=([^/]+)/")


def install(_context: CloudContext) -> None:
    """Stock is always reachable."""
    from ministack import app

    network = Network()
    app.app = behind(app.app, network, caller_of)
    offer_faults(network)


def caller_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Instance id or function's name; empty for calls that no session has signed."""
    from ministack.services import sts

    for name, value in headers:
        if name.lower() == b"authorization":
            signed = _CREDENTIAL.search(value)
            session = sts._sessions.get(signed.group(1).decode("latin-1")) if signed else None
            return str(session["UserId"]).rpartition(":")[2] if session else ""
    return ""


def kill_function(name: str) -> None:
    """Every process of a function, wherever it is in its work."""
    signal_all(marked(f"AWS_LAMBDA_FUNCTION_NAME={name}"), signal.SIGKILL)


def offer_faults(network: Network) -> None:
    """The control paths of the network, as `control` lists them."""

    def cut(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        change = network.cut if asked["cut"] else network.mend
        change(asked["caller"])
        return asked

    def kill(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        name = asked["function_name"]
        network.before_answer(name, asked["at_call"], partial(kill_function, name))
        return asked

    control.on_post("network", cut)
    control.on_post("kill-function", kill)
