"""Servers that answer: what our accounts may do there, and whether others get in without one."""

from typing import cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from sqlalchemy import text

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from ops.doctor.security.subject import Distance, distance_of
from shared.connections import redis_url

_ROLE = Reporter("doctor.security_postgres_role")
_PASSWORD = Reporter("doctor.security_redis_password")
_COMMANDS = Reporter("doctor.security_redis_commands")
_TIMEOUT_S = 5.0
_MAY = """
SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user
"""
# Nothing of ours sends these; who can, can read the server's files or stop it.
_DANGEROUS = (
    ("CONFIG", "SET", "dir", "/tmp"),  # noqa: S108 - a word of a command that is not carried out
    ("DEBUG", "SLEEP", "0"),
    ("MODULE", "LOAD", "x"),
    ("REPLICAOF", "NO", "ONE"),
    ("SHUTDOWN", "NOSAVE"),
)


async def check_postgres_role(ground: Ground) -> Finding:
    """Look at what our user may do in PostgreSQL."""
    async with ground.ledger.reading() as connection:
        is_super, may_make_roles, may_make_databases = (await connection.execute(text(_MAY))).one()
    if is_super:
        return _ROLE.warning(
            "POSTGRES_USER is a superuser, who may read the server's files and run its programs; "
            "give the fleet a role of its own that owns its database."
        )
    more = [
        name
        for name, may in (("CREATEROLE", may_make_roles), ("CREATEDB", may_make_databases))
        if may
    ]
    if more:
        return _ROLE.warning(
            f"POSTGRES_USER has {' and '.join(more)}, which nothing of ours needs."
        )
    return _ROLE.ok("POSTGRES_USER owns its tables and is no superuser.")


async def check_redis_password(ground: Ground) -> Finding:
    """Try to get in without a password."""
    redis = ground.settings.redis
    parts = urlsplit(redis_url(redis))
    bare = parts._replace(netloc=f"{redis.host}:{redis.port}").geturl()
    client = Redis.from_url(
        bare, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S, decode_responses=True
    )
    try:
        await client.ping()
    except (AuthenticationError, NoPermissionError, ResponseError):
        return _PASSWORD.ok("Redis lets nobody in without a password.")
    except (RedisError, OSError) as error:
        return _PASSWORD.skipped(
            f"Not checked, because Redis was not reached without a password "
            f"({type(error).__name__})."
        )
    finally:
        await client.aclose()
    sentence = (
        "Redis lets everybody in who reaches it; set `requirepass` (or an ACL) there and "
        "REDIS_PASSWORD here."
    )
    if distance_of(redis.host) is Distance.SAME_MACHINE:
        return _PASSWORD.warning(sentence)
    return _PASSWORD.error(sentence)


async def check_redis_commands(ground: Ground) -> Finding:
    """Ask what our user could do; ACL DRYRUN carries nothing out (Redis 7, Valkey)."""
    client = ground.redis if ground.redis is not None else ground.broker
    assert client is not None  # noqa: S101 - asked only where servers are used
    try:
        user = cast("str", await client.acl_whoami())
        allowed = [words[0] for words in _DANGEROUS if await _may(client, user, words)]
    except (NoPermissionError, ResponseError):
        return _COMMANDS.skipped(
            "Not checked, because this user may not ask with ACL DRYRUN (or the server is older "
            "than Redis 7); managed servers block such commands by themselves."
        )
    if allowed:
        return _COMMANDS.warning(
            f"The user {user} of Redis may {', '.join(allowed)}, which nothing of ours sends; take "
            "them away (`ACL SETUSER … -config|set -debug -module -replicaof -shutdown`)."
        )
    return _COMMANDS.ok(f"The user {user} of Redis may send none of the commands that harm it.")


async def _may(client: Redis, user: str, words: tuple[str, ...]) -> bool:
    answer = await client.acl_dryrun(user, *words)
    return bool(answer in {"OK", b"OK"})
