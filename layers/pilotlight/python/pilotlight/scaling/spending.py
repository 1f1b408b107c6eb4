"""Money as a number of instances, rounded down: a limit is not to be passed."""

HOURS_A_DAY = 24


def affordable_instances(usd_a_day: float, usd_an_hour: float) -> int | None:
    """How many may run all day. None without a limit (0), or without a price to tell it by."""
    if not usd_a_day or not usd_an_hour:
        return None
    return int(usd_a_day / (HOURS_A_DAY * usd_an_hour))


def affordable_disks(usd_a_month: float, usd_a_gib_month: float, gib: int) -> int | None:
    """How many root volumes may exist all month. None without a limit (0)."""
    if not usd_a_month or not usd_a_gib_month:
        return None
    return int(usd_a_month / (usd_a_gib_month * gib))
