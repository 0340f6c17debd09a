"""Which TCP ports on 127.0.0.1 the services use, the same ones after a restart where possible."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from ops.local.errors import PortTakenError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        # As servers do: connections that are just closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def choose_ports(wanted: Mapping[str, int | None], remembered: Mapping[str, int]) -> dict[str, int]:
    """One port per service: the wanted one, else the remembered one if free, else a free one.

    Raises:
        PortTakenError: a wanted port is used by another program or wanted twice.
    """
    chosen: dict[str, int] = {}
    for name, port in wanted.items():
        if port is None:
            continue
        if port in chosen.values() or not is_free(port):
            raise PortTakenError(
                f"Port {port} of {name} is used by something else; free it or choose another."
            )
        chosen[name] = port
    for name in wanted.keys() - chosen.keys():
        port = remembered.get(name)
        while port is None or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[name] = port
    return chosen


def remember_ports(path: Path, wanted: Mapping[str, int | None]) -> dict[str, int]:
    """Choose the ports and keep them in the JSON file `path`.

    Raises:
        PortTakenError: a wanted port is used by another program.
    """
    remembered = _read(path)
    chosen = choose_ports(wanted, remembered)
    path.write_text(json.dumps(remembered | chosen, indent=2, sort_keys=True))
    return chosen


def _read(path: Path) -> dict[str, int]:
    try:
        remembered: dict[str, int] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # cut short by a kill: other ports will do
        return {}
    return remembered
