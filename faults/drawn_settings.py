"""What a person deploys next."""

from __future__ import annotations

from random import Random

from faults.plan import Settings


def new_settings(now: Settings, index: int) -> Settings:
    """Some other values, the same ones for the same index."""
    random = Random(f"update {index}")
    min_size = random.choice((0, 1, 2))
    choices: dict[str, float | bool | None] = {
        "drain_seconds": random.choice((0, 30, 60)),
        "idle_seconds": random.choice((15, 45)),
        "retry_seconds": random.choice((5, 20)),
        "watch_seconds": random.choice((0, 10, 20)),
        "jobs_per_instance": random.choice((1, 2)),
        "max_attempts": random.choice((2, 4)),
        "max_setup_failures": random.choice((2, 3, 4)),
        "min_size": min_size,
        "max_size": max(now.min_size, 1, now.max_size + random.choice((-2, -1, 1, 2))),
        "pool_min_size": random.choice((0, 1, 2)),
        "max_prepared": random.choice((None, 1, 3)),
        "reuse_on_scale_in": random.choice((False, True)),
    }
    changed = random.sample(sorted(choices), 3)
    new = now.changed({name: choices[name] for name in changed})
    return new.changed({"min_size": min(new.min_size, new.max_size)})
