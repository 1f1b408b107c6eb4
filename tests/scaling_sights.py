"""What a scaling decision sees, with everything at rest that is not said."""

from pilotlight.scaling.decision import Observation, QueueDepth
from pilotlight.scaling.history import ArrivalHistory


def seen(
    visible: int = 0,
    in_flight: int = 0,
    *,
    desired: int = 1,
    protected: int = 0,
    idle: int = 0,
    starting: int = 0,
    warm: int = 0,
    min_size: int = 0,
    max_size: int = 5,
    delayed: int = 0,
    history: ArrivalHistory | None = None,
) -> Observation:
    return Observation(
        queue=QueueDepth(visible=visible, in_flight=in_flight, delayed=delayed),
        desired=desired,
        min_size=min_size,
        max_size=max_size,
        in_service=protected + idle,
        protected=protected,
        starting=starting,
        warm=warm,
        history=history,
    )


def hour(per_minute: int, service_seconds: float | None = None) -> ArrivalHistory:
    return ArrivalHistory(per_minute=(per_minute,) * 60, service_seconds=service_seconds)
