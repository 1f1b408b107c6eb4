"""A box that is a mere folder lies where other users of this computer may not reach."""

from __future__ import annotations

import ctypes
import platform

PR_CAPBSET_DROP = 24
CAP_SETUID = 7


def keep_to_own_user() -> None:
    """No program that this process starts can become another user, root's neither (prctl(2)).

    Who is not root cannot anyway, and the kernel refuses to take it away again.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SETUID, 0, 0, 0)
