"""A network of our own: bridges, ports and firewall rules of the engine stay inside it."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.rehearsal.commands import run

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>; Python 3.12 has os.unshare and os.setns


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and whatever it starts meanwhile, into a new and empty network.

    The network ends with its last process: there is nothing to remove.

    Raises:
        OSError: we may not, or the kernel cannot.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", _CLONE_NEWNET)
        try:
            run(["ip", "link", "set", "lo", "up"])
            yield
        finally:
            _call("setns", before, _CLONE_NEWNET)
    finally:
        os.close(before)


def _call(name: str, *numbers: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*numbers):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
