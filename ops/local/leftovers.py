"""Ending what a dead supervisor left behind, before anything starts on the same DATA_DIR."""

import signal
from functools import partial

from ops.local.identity import (
    Identity,
    boot_id,
    identify,
    is_alive,
    kill_all,
    session_members,
    signal_quietly,
    wait_until,
)
from ops.local.state import SupervisorState

# The longest stop time-out of a service (PostgreSQL, 30 s) and the time to kill the rest.
GUARDS_TIMEOUT_S = 45.0
KILL_TIMEOUT_S = 5.0


def end_leftovers(state: SupervisorState) -> bool:
    """Wait until the guards of a dead supervisor have ended their processes; else end them. Blocks.

    The kernel has told the guards already; telling them again would make them kill at once.

    Returns:
        Whether all is gone.
    """
    guards = [service.guard for service in state.services]
    wait_until(lambda: not any(map(is_alive, guards)), GUARDS_TIMEOUT_S)
    for guard in guards:
        if guard is not None and is_alive(guard):
            signal_quietly(guard.pid, signal.SIGKILL)
    # Their processes die with the guards, but what those started may not.
    leaders = [service.process for service in state.services if service.process is not None]
    return not [leader for leader in leaders if not _end_session(leader)]


def _end_session(leader: Identity) -> bool:
    if not leader.started.startswith(boot_id()):
        return True  # the machine was restarted: nothing is left, and its pids mean others now
    if identify(leader.pid) not in {None, leader}:
        return True  # the pid was given out again, which cannot be while its session has members
    return kill_all(partial(session_members, leader.pid), KILL_TIMEOUT_S)
