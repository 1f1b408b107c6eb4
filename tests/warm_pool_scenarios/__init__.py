"""The scenarios of a warm pool, told once: each runs in virtual time and against the endpoint.

Every row is behaviour that AWS states or that was recorded from the live service.
"""

from tests.warm_pool_scenarios.joining import *  # noqa: F403
from tests.warm_pool_scenarios.leaving import *  # noqa: F403
from tests.warm_pool_scenarios.losses import *  # noqa: F403
from tests.warm_pool_scenarios.refreshing import *  # noqa: F403
from tests.warm_pool_scenarios.requests import *  # noqa: F403
