"""How long a worker without a job holds its protection from scale-in.

The scaler knows what is to come, the worker holds the protection, and neither can ask the other. So
a worker that gives up its protection makes an offer: a scaler that wants fewer takes it, and a
worker that is not taken within the time of a look is wanted, and goes on receiving, protected.
"""

from dataclasses import dataclass

from pilotlight.scaling.watch import longest_pause_seconds

PROMPT_SECONDS = 1.0  # a job received so soon had waited for the worker
BRIEF_SECONDS = 5.0
UNUSED_SECONDS = 25.0
"""What EC2's least bill of 60 seconds leaves of a start that got no job: it boots for 14, is chosen
to leave in 6 and has left after 15 (local/group/latency.py)."""
MOST_DOUBLINGS = 3  # of the time until the next offer; two calls each, of as many workers as idle
MINUTE_SECONDS = 60.0
TAKING_SECONDS = 12.0
"""From a lowered capacity to the choice of who leaves: 5.6 s in a published recording of the live
service (radkawar/stackd), and as long again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: idle until an offer, the same after a job that came alone, before any job, and how
    long an offer lasts."""

    idle_seconds: float
    brief_seconds: float
    unused_seconds: float
    offer_seconds: float


def patience_of_one(idle_seconds: float, watch_seconds: int, spread: float) -> Patience:
    """An offer outlasts the time between two looks, a minute without the watch. `spread` (0 or
    more, a share of each idle time) makes a worker's times its own."""
    longer = 1.0 + spread
    return Patience(
        idle_seconds=idle_seconds * longer,
        brief_seconds=min(idle_seconds, BRIEF_SECONDS) * longer,
        # As many may be started in excess as work: they share the API by the whole spread.
        unused_seconds=min(idle_seconds, UNUSED_SECONDS) + idle_seconds * spread,
        offer_seconds=(longest_pause_seconds(watch_seconds) or MINUTE_SECONDS) + TAKING_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class Idleness:
    """What a worker has seen since it entered service.

    `jobs_come` while it is idle: unknown before its first job, which tells nothing since that is
    what it was started for; then what a later one told. `untaken` are its offers since its last
    job.
    """

    jobs_come: bool | None = None
    untaken: int = 0

    def seconds(self, patience: Patience) -> float:
        """Of idleness until the next offer."""
        if not self.untaken:
            return self._until_first_offer(patience)
        doublings: int = min(self.untaken - 1, MOST_DOUBLINGS)
        return patience.idle_seconds * (1 << doublings)

    def _until_first_offer(self, patience: Patience) -> float:
        if self.jobs_come is None:
            return patience.unused_seconds
        return patience.idle_seconds if self.jobs_come else patience.brief_seconds

    def job_came(self, idle_seconds: float) -> "Idleness":
        if self.jobs_come is None:
            return Idleness(jobs_come=False)
        return Idleness(jobs_come=self.jobs_come or idle_seconds > PROMPT_SECONDS)

    def offer_untaken(self) -> "Idleness":
        return Idleness(self.jobs_come, self.untaken + 1)


NEW = Idleness()
