"""The way between this endpoint and its callers, cut where a test wants it cut.

What is lost is lost in silence, as packets are: a request waits, as TCP would send it again, until
the way is open or its caller gives up, and one whose caller gave up was never heard. An answer
waits likewise: a caller that gave up before it came has been served and does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

EVERYBODY = "*"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


@dataclass
class _Countdown:
    answers: int
    then: Callable[[], None]


class Network:
    """Who is cut off, by the caller's name. For the server's event loop only."""

    def __init__(self) -> None:
        self._cuts: dict[str, asyncio.Event] = {}
        self._countdowns: dict[str, _Countdown] = {}

    def cut(self, caller: str) -> None:
        """Lose what `caller` (or everybody, `*`) says and is told from now on; again is fine."""
        self._cuts.setdefault(caller, asyncio.Event())

    def mend(self, caller: str) -> None:
        """The end of that; a cut of everybody and one of a single caller end each by themselves."""
        if cut := self._cuts.pop(caller, None):
            cut.set()

    def before_answer(self, caller: str, number: int, act: Callable[[], None]) -> None:
        """Call `act` once, when the `number`th call of `caller` from now on has been carried out
        and has not been answered yet."""
        self._countdowns[caller] = _Countdown(number, act)

    async def hear(self, caller: str, receive: Receive) -> Receive | None:
        """`receive` once the request has come through; None when its caller gave up before."""
        if self._cut_of(caller) is None:
            return receive
        heard = await _whole_body(receive)
        opened = asyncio.ensure_future(self._opened(caller))
        gone = asyncio.ensure_future(receive())
        await asyncio.wait((opened, gone), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            opened.cancel()
            return None
        return _replay(heard, gone)

    async def answer(self, caller: str) -> None:
        """Wait until an answer may go out, and do what is to be done before it does."""
        countdown = self._countdowns.get(caller)
        if countdown is not None:
            countdown.answers -= 1
            if countdown.answers == 0:
                del self._countdowns[caller]
                countdown.then()
        await self._opened(caller)

    async def _opened(self, caller: str) -> None:
        while (cut := self._cut_of(caller)) is not None:
            await cut.wait()

    def _cut_of(self, caller: str) -> asyncio.Event | None:
        return self._cuts.get(caller) or self._cuts.get(EVERYBODY)


def behind(app: App, network: Network, caller_of: Callable[[Any], str]) -> App:
    """`app`, reached by `network`. `caller_of(headers)` is empty for who is never cut off."""

    async def reached(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        caller = caller_of(scope["headers"]) if scope["type"] == "http" else ""
        if not caller:
            await app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                await network.answer(caller)
            await send(message)

        heard = await network.hear(caller, receive)
        if heard is not None:
            await app(scope, heard, answer)

    return reached


async def _whole_body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _replay(heard: list[Message], next_message: asyncio.Future[Message]) -> Receive:
    rest = iter(heard)

    async def receive() -> Message:
        message = next(rest, None)
        return message if message is not None else await next_message

    return receive
