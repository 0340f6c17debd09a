"""Addresses of the servers, built from settings; the only place where a password meets a URL."""

from typing import Any
from urllib.parse import quote

from sqlalchemy import URL

from shared.settings import Settings
from shared.settings_sections import PostgresSettings, RedisSettings


def ledger_url(settings: Settings) -> URL:
    """Return SQLAlchemy's URL of the ledger: PostgreSQL, or a SQLite file in files mode."""
    if not settings.external:
        return URL.create("sqlite+aiosqlite", database=str(settings.storage.data_dir / "ledger.db"))
    postgres = settings.postgres
    return URL.create(
        "postgresql+asyncpg",
        username=postgres.user,
        password=postgres.password.get_secret_value(),
        host=postgres.host,
        port=postgres.port,
        database=postgres.db,
        query=_ssl_query(postgres),
    )


def redis_url(redis: RedisSettings) -> str:
    """Return the URL of the key-value Redis."""
    return _redis_url(redis, database=redis.db)


def broker_url(settings: Settings) -> str:
    """Return the broker's URL: BROKER_URL, or the database after REDIS_DB on the same server."""
    return settings.broker.url.get_secret_value() or _redis_url(
        settings.redis, database=settings.redis.db + 1
    )


def shared_redis_url(settings: Settings) -> str | None:
    """Return the Redis in which the processes of a fleet agree; None where there is only one."""
    return broker_url(settings) if settings.external else None


def _redis_url(redis: RedisSettings, *, database: int) -> str:
    password = redis.password.get_secret_value()
    credentials = f":{quote(password, safe='')}@" if password else ""
    scheme = "rediss" if redis.ssl else "redis"
    return f"{scheme}://{credentials}{redis.host}:{redis.port}/{database}"


def _ssl_query(postgres: PostgresSettings) -> dict[str, Any]:
    # asyncpg's name for libpq's sslmode.
    return {"ssl": postgres.sslmode}
