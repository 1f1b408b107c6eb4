"""How the drain command and the worker talk: two small files that a stop of the instance wipes."""

import json
from dataclasses import asdict, dataclass

from pilotlight.worker.home import Home, write_atomically


@dataclass(frozen=True)
class DrainRequest:
    """Running jobs may go on until `requested_at + seconds` (epoch seconds)."""

    id: str
    requested_at: float
    seconds: float

    @property
    def deadline(self) -> float:
        return self.requested_at + self.seconds


@dataclass(frozen=True)
class DrainVerdict:
    """What the drain document prints; `seconds` is how long it took."""

    drained: bool
    finished: int
    handed_back: int
    seconds: float
    detail: str


class DrainFiles:
    """Not there and not readable are the same: nobody asked, nobody answered."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def request(self, request: DrainRequest) -> None:
        self._home.drain_verdict_file.unlink(missing_ok=True)
        write_atomically(self._home.drain_request_file, json.dumps(asdict(request)))

    def pending(self) -> DrainRequest | None:
        try:
            document = json.loads(self._home.drain_request_file.read_text(encoding="utf-8"))
            return DrainRequest(
                str(document["id"]), float(document["requested_at"]), float(document["seconds"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def answer(self, request: DrainRequest, verdict: DrainVerdict) -> None:
        document = {"id": request.id, **asdict(verdict)}
        write_atomically(self._home.drain_verdict_file, json.dumps(document))

    def answered(self, request: DrainRequest) -> DrainVerdict | None:
        try:
            document = json.loads(self._home.drain_verdict_file.read_text(encoding="utf-8"))
            if document.pop("id") != request.id:
                return None
            return DrainVerdict(**document)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self) -> None:
        self._home.drain_request_file.unlink(missing_ok=True)
        self._home.drain_verdict_file.unlink(missing_ok=True)
