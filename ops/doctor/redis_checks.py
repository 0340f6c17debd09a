"""The Redis (or Valkey) of rows and messages: does it keep what it was given?"""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.errors import AppError, StoreRefusedError, StoreUnavailableError
from shared.rag.store_errors import translated_store_errors

_SERVER = Reporter("doctor.redis")
_BROKER = Reporter("doctor.broker")
_VERSION = Reporter("doctor.redis_version")
_EVICTION = Reporter("doctor.redis_eviction")
_PERSISTENCE = Reporter("doctor.redis_persistence")
_MEMORY = Reporter("doctor.redis_memory")
# It has WAITAOF: commits wait until what they wrote is on the disk.
_WAITS_FOR_DISK = (7, 2)
_NEARLY_FULL = 0.85

Answers = dict[str, Any]


async def check_server(ground: Ground) -> Finding:
    """Ask the Redis of LightRAG's rows whether it lets us in."""
    assert ground.redis is not None  # noqa: S101 - asked only where it is used
    return await _ping(ground.redis, _SERVER, "Redis", "REDIS_HOST, REDIS_PORT and REDIS_SSL")


async def check_broker(ground: Ground) -> Finding:
    """Ask the Redis of the messages whether it lets us in."""
    assert ground.broker is not None  # noqa: S101 - as above
    return await _ping(ground.broker, _BROKER, "The broker", "BROKER_URL, or REDIS_*")


async def _ping(client: Redis, reporter: Reporter, name: str, variables: str) -> Finding:
    try:
        with translated_store_errors():
            await client.ping()
    except StoreRefusedError as error:
        return reporter.error(error.detail)
    except StoreUnavailableError:
        return reporter.error(f"{name} is not reachable; start it, or look at {variables}.")
    return reporter.ok(f"{name} answers.")


async def check_version(client: Redis) -> Finding:
    """Say what it is, and whether commits can wait for its disk."""
    found = await _info(client, "server")
    name = "Valkey" if "valkey_version" in found else "Redis"
    version = str(found.get("valkey_version") or found.get("redis_version", "unknown"))
    spoken = str(found.get("redis_version", "0"))
    if tuple(int(part) for part in spoken.split(".")[:2]) < _WAITS_FOR_DISK:
        return _VERSION.warning(
            f"{name} {version} cannot say when writes are on its disk (WAITAOF, from 7.2): after a "
            "crash its last second is written again from journals, as long as those are kept "
            "(JOURNAL_RETENTION_S)."
        )
    return _VERSION.ok(f"{name} {version}.")


async def check_eviction(client: Redis) -> Finding:
    """Find out whether it throws rows away when it is full, also where CONFIG is blocked."""
    policy, source = await _policy(client), "CONFIG GET"
    if policy is None:
        policy, source = (await _info(client, "memory")).get("maxmemory_policy"), "INFO memory"
    if policy is None:
        return _EVICTION.warning(
            "Neither CONFIG nor INFO may be asked; make sure that maxmemory-policy is noeviction."
        )
    if policy != "noeviction":
        return _EVICTION.error(
            f"maxmemory-policy is {policy} (by {source}): a full Redis would throw documents and "
            "messages away; set it to noeviction, on ElastiCache in the parameter group."
        )
    return _EVICTION.ok(f"maxmemory-policy is noeviction (by {source}).")


async def check_persistence(client: Redis) -> Finding:
    """Find out whether rows outlive the server's process."""
    found = await _info(client, "persistence")
    if not found:
        return _PERSISTENCE.warning(
            "INFO may not be asked; make sure that the append-only file is on, or a replica takes "
            "over."
        )
    if str(found.get("aof_enabled")) == "1":
        if found.get("aof_last_write_status", "ok") != "ok":
            return _PERSISTENCE.error(
                "The server cannot write its append-only file; look at its disk and its log."
            )
        return _PERSISTENCE.ok("The append-only file is on.")
    if found.get("rdb_last_bgsave_status", "ok") != "ok":
        return _PERSISTENCE.error(
            "The last snapshot failed, and there is no append-only file; look at the server's disk."
        )
    return _PERSISTENCE.warning(
        "The append-only file is off: what was written since the last snapshot is lost with the "
        "server; set `appendonly yes` unless a replica takes over."
    )


async def check_memory(client: Redis) -> Finding:
    """Compare what is used with what may be."""
    found = await _info(client, "memory")
    if not found:
        return _MEMORY.skipped("INFO may not be asked; look at the server's own monitoring.")
    used, limit = int(found.get("used_memory", 0)), int(found.get("maxmemory", 0))
    if not limit:
        return _MEMORY.ok(f"{used / 1e6:,.0f} MB are used; there is no limit.")
    sentence = f"{used / 1e6:,.0f} of {limit / 1e6:,.0f} MB are used"
    if used > limit * _NEARLY_FULL:
        return _MEMORY.warning(f"{sentence}; a full server refuses commits: give it more memory.")
    return _MEMORY.ok(f"{sentence}.")


async def _policy(client: Redis) -> str | None:
    """Ask by CONFIG; None: it is renamed, blocked, or not allowed to this user."""
    try:
        with translated_store_errors():
            found = await client.config_get("maxmemory-policy")
    except (ResponseError, AppError):
        return None
    return found.get("maxmemory-policy")


async def _info(client: Redis, section: str) -> Answers:
    """Ask by INFO; nothing: it is not allowed to this user."""
    try:
        found: Answers = await client.info(section)
    except (NoPermissionError, ResponseError):
        return {}
    return found


CHECKS = {
    _VERSION.code: check_version,
    _EVICTION.code: check_eviction,
    _PERSISTENCE.code: check_persistence,
    _MEMORY.code: check_memory,
}
"""What is asked of a Redis that answers."""
