"""Doors: who may use the API and the dashboard, and which ports this machine shows to others."""

import asyncio
import ipaddress
import sys
from pathlib import Path

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.subject import Distance, Subject, distance_of

_KEY = Reporter("doctor.security_api_key")
_ADDRESS = Reporter("doctor.security_api_address")
_PORTS = Reporter("doctor.security_ports")
_FLOWER = Reporter("doctor.security_flower")
_LOGS = Reporter("doctor.security_logs")
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENING = "0A"
_NEO4J = {7474: "Neo4j's browser", 7687: "Neo4j"}


def check_api_key(subject: Subject) -> Finding:
    """Tell whether the API asks who comes."""
    settings = subject.settings
    is_open = subject.auth_mode == "none" or not settings.api.key.get_secret_value()
    if not is_open:
        return _KEY.ok("The API asks for its key.")
    reason = "AUTH_MODE is none" if subject.auth_mode == "none" else "API_KEY is not set"
    if distance_of(settings.api.host) is Distance.SAME_MACHINE:
        return _KEY.warning(
            f"{reason}: whoever is on this machine may read and delete every document; set API_KEY."
        )
    return _KEY.error(
        f"{reason}, and the API listens on {settings.api.host}: whoever reaches it may read and "
        "delete every document; set API_KEY and AUTH_MODE=key."
    )


def check_api_address(subject: Subject) -> Finding:
    """Tell how far the API can be reached; it speaks no TLS of its own."""
    file = subject.env_file.variables if subject.env_file else {}
    published = file.get("BIND_ADDRESS", "")
    if published and distance_of(published) is not Distance.SAME_MACHINE:
        return _ADDRESS.error(
            f"BIND_ADDRESS={published} publishes the API of the containers without TLS: keys and "
            "documents can be read on the way; set it to 127.0.0.1 and use the profile production."
        )
    host = subject.settings.api.host
    if distance_of(host) is Distance.SAME_MACHINE:
        return _ADDRESS.ok(f"The API listens on {host} alone.")
    return _ADDRESS.warning(
        f"The API listens on {host} without TLS; see that only a proxy or load balancer with TLS "
        "reaches it."
    )


async def check_ports(subject: Subject) -> Finding:
    """Look for stores and dashboards of this machine that others can connect to."""
    if not sys.platform.startswith("linux"):
        return _PORTS.skipped("Not checked, because only Linux tells which ports are open.")
    settings = subject.settings
    guarded = {
        settings.postgres.port: "PostgreSQL",
        settings.redis.port: "Redis",
        settings.flower.port: "Flower",
        **_NEO4J,
    }
    try:
        tables = [await asyncio.to_thread(path.read_text) for path in _TABLES if path.exists()]
    except OSError as error:
        return _PORTS.skipped(f"Not checked, because {error.strerror}.")
    open_to_others = sorted({port for text in tables for port in open_ports(text)} & set(guarded))
    if open_to_others:
        named = ", ".join(f"{guarded[port]} ({port})" for port in open_to_others)
        return _PORTS.error(
            f"Others can connect to {named} of this machine; bind it to 127.0.0.1, or to a network "
            "that only the fleet is in."
        )
    return _PORTS.ok("No store and no dashboard of this machine listens beyond 127.0.0.1.")


def open_ports(table: str) -> set[int]:
    """Return the ports on which something listens that others can reach.

    Args:
        table: /proc/net/tcp or tcp6, as proc(5) describes them.
    """
    found = set()
    for line in table.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        address, _, port = local.partition(":")
        if state == _LISTENING and not _is_loopback(address):
            found.add(int(port, 16))
    return found


def _is_loopback(hexadecimal: str) -> bool:
    # The kernel writes words of four bytes in this machine's order, little-endian as a rule.
    words = [hexadecimal[start : start + 8] for start in range(0, len(hexadecimal), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def check_flower(subject: Subject) -> Finding:
    """Tell whether the dashboard asks who comes: it can cancel tasks."""
    flower = subject.settings.flower
    if flower.password.get_secret_value():
        return _FLOWER.ok("Flower asks for a password; its /metrics and /healthcheck do not.")
    if distance_of(flower.host) is Distance.SAME_MACHINE:
        return _FLOWER.ok("Flower listens on this machine alone.")
    sentence = f"Flower listens on {flower.host} without a password; set FLOWER_PASSWORD."
    return _FLOWER.error(sentence)


def check_logs(subject: Subject) -> Finding:
    """Tell whether logs may hold what documents say."""
    if subject.settings.log.level == "debug":
        return _LOGS.warning(
            "LOG_LEVEL=debug writes more than operators need, of libraries as well; set it to info."
        )
    return _LOGS.ok(f"LOG_LEVEL is {subject.settings.log.level}.")
