"""Servers that would answer without TLS: our settings protect our own connections alone."""

import asyncio

import asyncpg

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter

_POSTGRES = Reporter("doctor.security_postgres_forces_tls")
_REDIS = Reporter("doctor.security_redis_forces_tls")
_TIMEOUT_S = 5.0
_WITH_TLS = frozenset({"require", "verify-ca", "verify-full"})
# What servers of different ages say when only TLS would have been let in.
_REFUSALS = ("no encryption", "SSL off")
# Nobody's: what is asked is whether the server would listen to one at all.
_WRONG = "not-the-password"


async def check_postgres_forces_tls(ground: Ground) -> Finding:
    """Begin to sign in without TLS, as a careless client would; no password of ours is sent."""
    postgres = ground.settings.postgres
    if postgres.sslmode not in _WITH_TLS:
        return _POSTGRES.skipped("Not checked, because POSTGRES_SSLMODE itself asks for no TLS.")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            connection = await asyncpg.connect(
                host=postgres.host,
                port=postgres.port,
                user=postgres.user,
                password=_WRONG,
                database=postgres.db,
                ssl=False,
            )
            connection.terminate()
    except asyncpg.InvalidPasswordError:
        pass  # it would have taken the right one
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        if any(words in str(error) for words in _REFUSALS):
            return _POSTGRES.ok("PostgreSQL refuses connections without TLS.")
        return _POSTGRES.skipped("Not checked, because PostgreSQL refused the sign-in itself.")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        name = type(error).__name__
        return _POSTGRES.skipped(f"Not checked, because PostgreSQL was not reached ({name}).")
    return _POSTGRES.warning(
        "PostgreSQL also takes connections without TLS, so another client may send documents in "
        "the clear; set rds.force_ssl to 1 (Aurora), or leave only hostssl lines in pg_hba.conf."
    )


async def check_redis_forces_tls(ground: Ground) -> Finding:
    """Greet it without TLS."""
    redis = ground.settings.redis
    if not redis.ssl:
        return _REDIS.skipped("Not checked, because REDIS_SSL itself asks for no TLS.")
    try:
        answers = await _answers_in_the_clear(redis.host, redis.port)
    except OSError as error:
        name = type(error).__name__
        return _REDIS.skipped(f"Not checked, because Redis was not reached ({name}).")
    if answers:
        return _REDIS.warning(
            "Redis also answers without TLS, so another client may send its password in the clear; "
            "set transit_encryption_mode to required (ElastiCache), or `port 0` and `tls-port`."
        )
    return _REDIS.ok("Redis answers nobody without TLS.")


async def _answers_in_the_clear(host: str, port: int) -> bool:
    """Tell whether what comes back is of Redis: a TLS server sends an alert, or nothing.

    Raises:
        OSError: there is nobody.
    """
    async with asyncio.timeout(_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            writer.write(b"PING\r\n")
            await writer.drain()
            return await reader.read(1) in {b"+", b"-"}
    except OSError:  # TimeoutError is one: whoever is silent takes no commands
        return False
    finally:
        writer.close()
