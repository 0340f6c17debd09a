"""The supervisor process: from an empty or crashed DATA_DIR to a running system and back."""

import asyncio
import signal
from collections.abc import Callable

from ops.local.credentials import load_credentials
from ops.local.errors import StopFailedError
from ops.local.leftovers import end_leftovers
from ops.local.ports import remember_ports
from ops.local.service import Ground, Plan
from ops.local.state import Layout, Phase, SupervisorState
from ops.local.supervisor import Supervisor, own_identity

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_foreground(
    plan: Plan, on_ready: Callable[[SupervisorState], None] | None = None
) -> int:
    """Run the system until SIGINT, SIGTERM or SIGHUP; a second signal hurries, a third kills.

    Call it in the main thread. `on_ready` is called once, when every service is ready.

    Returns:
        The exit code, 0: it was stopped by a signal.

    Raises:
        AlreadyRunningError: another supervisor runs on this DATA_DIR.
        PortTakenError: a port of the plan is used by another program.
        AppError: a service did not start; nothing is left running.
    """
    layout = Layout(plan.data_dir.resolve())
    with layout.lock():
        ground = await asyncio.to_thread(lay_ground, plan, layout)
        supervisor = Supervisor(
            plan.compose(ground),
            layout,
            secrets=plan.secrets | ground.credentials.secrets(),
            on_ready=on_ready,
        )
        loop = asyncio.get_running_loop()
        for signum in STOP_SIGNALS:
            loop.add_signal_handler(signum, supervisor.request_stop)
        try:
            await supervisor.run()
        finally:
            for signum in STOP_SIGNALS:
                loop.remove_signal_handler(signum)
    return 0


def lay_ground(plan: Plan, layout: Layout) -> Ground:
    """Clear what a crash left, then settle ports and passwords. Blocks.

    Raises:
        StopFailedError: processes of a crashed supervisor do not end.
        PortTakenError: a port of the plan is used by another program.
    """
    previous = layout.load()
    if previous is not None and not end_leftovers(previous):
        raise StopFailedError
    # From here on `status` and `stop` know us, though nothing runs yet.
    layout.save(SupervisorState(supervisor=own_identity(), phase=Phase.STARTING))
    return Ground(
        data_dir=layout.data_dir,
        ports=remember_ports(layout.ports, plan.ports),
        credentials=load_credentials(layout.secrets),
    )
