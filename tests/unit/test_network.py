"""A network that is cut: what gets through, when, and who never hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from local.services.network import EVERYBODY, Network, behind

Message = MutableMapping[str, Any]
CALLER = "i-0123456789abcdef0"


@dataclass
class Call:
    """One request to a service that answers `done`, and what became of it."""

    caller: str = CALLER
    carried_out: bool = False
    answered: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    while_working: Callable[[], None] = lambda: None

    async def make(self, network: Network) -> None:
        """Over `network`, with a body that comes in two pieces."""
        await behind(self._app, network, lambda _: self.caller)(
            {"type": "http", "headers": ()}, self._receiver(), self._send
        )

    async def _app(self, _scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        self.carried_out = body == b"whole"
        self.while_working()
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body"})

    def _receiver(self) -> Any:
        pieces = [
            {"type": "http.request", "body": b"wh", "more_body": True},
            {"type": "http.request", "body": b"ole"},
        ]

        async def receive() -> Message:
            if pieces:
                return pieces.pop(0)
            await self.gone.wait()
            return {"type": "http.disconnect"}

        return receive

    async def _send(self, message: Message) -> None:
        self.answered = message["type"] == "http.response.body"


def played(scene: Callable[[Network], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene(Network()))


async def a_while() -> None:
    """Until everything that can go on has done so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_call_waits_for_the_way_to_be_open_again_and_arrives_whole() -> None:
    async def scene(network: Network) -> None:
        call = Call()
        network.cut(CALLER)
        made = asyncio.create_task(call.make(network))
        await a_while()
        assert not call.carried_out
        network.mend(CALLER)
        await made
        assert call.carried_out
        assert call.answered

    played(scene)


def test_a_call_whose_caller_gave_up_is_never_carried_out() -> None:
    async def scene(network: Network) -> None:
        call = Call()
        network.cut(EVERYBODY)
        made = asyncio.create_task(call.make(network))
        await a_while()
        call.gone.set()
        await made
        network.mend(EVERYBODY)
        await a_while()
        assert not call.carried_out

    played(scene)


def test_an_answer_that_meets_the_cut_is_held_though_the_call_was_carried_out() -> None:
    async def scene(network: Network) -> None:
        call = Call(while_working=lambda: network.cut(CALLER))
        made = asyncio.create_task(call.make(network))
        await a_while()
        assert call.carried_out
        assert not call.answered
        network.mend(CALLER)
        await made
        assert call.answered

    played(scene)


def test_the_cut_of_one_caller_leaves_the_others_and_the_operator_alone() -> None:
    async def scene(network: Network) -> None:
        network.cut(CALLER)
        other, operator = Call(caller="i-other"), Call(caller="")
        await other.make(network)
        await operator.make(network)
        assert other.answered
        assert operator.answered

    played(scene)


def test_what_happens_before_an_answer_happens_once_and_at_the_call_that_was_named() -> None:
    async def scene(network: Network) -> None:
        done: list[bool] = []
        calls = [Call(), Call(), Call()]
        network.before_answer(CALLER, 2, lambda: done.append(calls[1].carried_out))
        for call in calls:
            await call.make(network)
            assert done == ([] if call is calls[0] else [True])

    played(scene)
