"""Errors of LightRAG's stores, told apart from errors of the document at hand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import redis.exceptions
import sqlalchemy.exc

from shared.errors import AppError, StoreRefusedError, StoreTlsError, StoreUnavailableError
from shared.metrics.stores import count_store_error
from shared.tls import TlsFault, tls_fault

_OUTAGES: tuple[type[BaseException], ...] = (
    # Classes of PostgreSQL's errors: connection, rollback, resources, intervention, system.
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby took over
    asyncpg.InterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.BusyLoadingError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    OSError,
    asyncio.TimeoutError,
)
# By name: importing the driver costs 60 MB, which only a process that uses Neo4j should pay.
_NEO4J_OUTAGES = frozenset({"ServiceUnavailable", "SessionExpired", "TransientError"})
# Outages as well: a server that does not know us, or not our database, perhaps does not yet.
_CLOSED_DOORS: tuple[type[BaseException], ...] = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    redis.exceptions.AuthenticationError,
    redis.exceptions.NoPermissionError,
)
_NEO4J_CLOSED_DOORS = ("Neo.ClientError.Security.", "Neo.ClientError.Database.")
# By the driver that complains: the store, and what to correct.
_SETTINGS = {
    "asyncpg": ("PostgreSQL", "POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_SSLMODE"),
    "redis": ("Redis", "REDIS_USERNAME, REDIS_PASSWORD and REDIS_SSL"),
    "neo4j": ("Neo4j", "NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE"),
}
_STORES = {"asyncpg": "postgresql", "redis": "redis", "neo4j": "neo4j"}
_TLS_SETTINGS = {
    "PostgreSQL": "POSTGRES_HOST, POSTGRES_SSLMODE and POSTGRES_SSL_ROOT_CERT",
    "Redis": "REDIS_HOST, REDIS_SSL and REDIS_SSL_CA_CERTS",
    "Neo4j": "NEO4J_URI and NEO4J_SSL_CA_CERTS",
}

# What a database says of a row that it will never take.
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    redis.exceptions.DataError,
    ValueError,
    TypeError,
    KeyError,  # LightRAG's classes want columns that the row does not have
)
_NEO4J_REFUSALS = ("Neo.ClientError.Statement.", "Neo.ClientError.Schema.")
# Ended by its own timeout, by an administrator, because its leader changed or its login is too old.
_NEO4J_INTERRUPTIONS = (
    "Neo.ClientError.Transaction.",
    "Neo.ClientError.Cluster.",
    "Neo.ClientError.Security.AuthorizationExpired",
)


def is_about_the_row(error: BaseException) -> bool:
    """Tell whether a store refused what was to be written, and would refuse it at any time."""
    return isinstance(error, _REFUSALS) or _neo4j_code(error).startswith(_NEO4J_REFUSALS)


@contextmanager
def translated_store_errors() -> Iterator[None]:
    """Turn what drivers raise when a server is away into one error of ours.

    Raises:
        StoreUnavailableError: a store is not reachable, restarting or full.
        StoreRefusedError: it is there, and does not let us in.
        StoreTlsError: it is there, and we do not trust it.
    """
    try:
        yield
    except Exception as error:  # not BaseException: a cancellation must stay one
        if cause := outage_behind(error):
            ours = _named(error, cause)
            count_store_error(_STORES.get(_driver_of(cause), "other"), ours)
            raise ours from error
        raise


def _named(error: Exception, cause: BaseException) -> StoreUnavailableError:
    if fault := tls_fault(error):
        return StoreTlsError(_tls_sentence(fault, error))
    if _is_closed_door(cause):
        return StoreRefusedError(_closed_door(cause))
    return StoreUnavailableError(_not_reachable(cause))


def outage_behind(error: BaseException) -> BaseException | None:
    """Find a store outage in an error or in what caused it; LightRAG wraps drivers' errors."""
    found: BaseException | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AppError):
            return None  # it has its name already: a model's outage, for example
        if _is_closed_door(seen) or (found is None and _is_outage(seen)):
            found = seen  # a closed door says more than the lost connection around it
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return found


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, _OUTAGES) or _is_neo4j_outage(error)


def _is_closed_door(error: BaseException) -> bool:
    if isinstance(error, _CLOSED_DOORS):
        return True
    code = _neo4j_code(error)
    return code.startswith(_NEO4J_CLOSED_DOORS) and not code.startswith(_NEO4J_INTERRUPTIONS)


def _closed_door(error: BaseException) -> str:
    store, settings = _SETTINGS[_driver_of(error)]
    return f"{store} does not let us in; check {settings}."


def _not_reachable(error: BaseException) -> str:
    store, _ = _SETTINGS.get(_driver_of(error), ("A LightRAG store", ""))
    sentence = f"{store} is not reachable ({type(error).__name__}); try again shortly"
    # A server that wants TLS hangs up on whoever speaks without, and cannot say why.
    hint = (
        f", and where it never was, check {_TLS_SETTINGS[store]}" if store in _TLS_SETTINGS else ""
    )
    return f"{sentence}{hint}."


def _tls_sentence(fault: TlsFault, error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None and _driver_of(seen) not in _SETTINGS:
        seen = seen.__cause__ or seen.__context__
    # asyncpg lets such errors through as they are.
    store, _ = _SETTINGS["asyncpg" if seen is None else _driver_of(seen)]
    return f"{fault.told_of(store)}; check {_TLS_SETTINGS[store]}."


def _driver_of(error: BaseException) -> str:
    modules = (base.__module__.partition(".")[0] for base in type(error).__mro__)
    return next((module for module in modules if module in _SETTINGS), "")


def _is_neo4j_outage(error: BaseException) -> bool:
    return _neo4j_code(error).startswith(_NEO4J_INTERRUPTIONS) or any(
        base.__module__ == "neo4j.exceptions" and base.__name__ in _NEO4J_OUTAGES
        for base in type(error).__mro__
    )


def _neo4j_code(error: BaseException) -> str:
    if not any(base.__module__ == "neo4j.exceptions" for base in type(error).__mro__):
        return ""
    return str(getattr(error, "code", None) or "")
