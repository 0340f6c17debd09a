"""Engines for PostgreSQL; the one place where it is decided whom we trust there."""

import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_VERIFYING = frozenset({"verify-ca", "verify-full"})


def postgres_engine(url: URL, *, connect_args: Mapping[str, Any], **options: Any) -> AsyncEngine:  # noqa: ANN401 - SQLAlchemy's
    """Make an engine.

    Args:
        url: its query may name `ssl`, one of libpq's modes, and `sslrootcert`, a file.
        connect_args: of the driver.
        options: of SQLAlchemy.
    """
    mode, root_cert = url.query.get("ssl"), url.query.get("sslrootcert")
    arguments = dict(connect_args)
    if mode in _VERIFYING:
        # asyncpg's own contexts look for a file in the home folder, and at nothing else.
        arguments["ssl"] = _context(str(mode), str(root_cert or ""))
        url = url.difference_update_query(["ssl"])
    url = url.difference_update_query(["sslrootcert"])
    return create_async_engine(url, connect_args=arguments, **options)


@lru_cache(maxsize=4)  # reading the authorities of a machine takes tens of milliseconds
def _context(mode: str, root_cert: str) -> ssl.SSLContext:
    """Trust whom the machine trusts, and whom the file names; LightRAG's storages do the same."""
    context = ssl.create_default_context()
    context.check_hostname = mode == "verify-full"
    if root_cert:
        context.load_verify_locations(cafile=root_cert)
    return context
