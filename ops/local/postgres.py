"""PostgreSQL with pgvector as one supervised process that needs no installation."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import asyncpg

from ops.local.accounts import Account, unprivileged_account
from ops.local.errors import DatabaseSetupError, PasswordChangedError
from ops.local.identity import kill_all, working_in
from ops.local.ports import HOST
from ops.local.postgres_binaries import postgres_bin, require_reachable
from ops.local.process import ChildSpec
from ops.local.service import Service
from ops.local.state import Layout

SETUP_TIMEOUT_S = 120  # initdb takes a second; a slow disk needs patience
CONNECT_TIMEOUT_S = 5
NOT_YET = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
)


def _memory_for_pages_mib() -> int:
    """Return an eighth of this machine's memory, 128 MiB to 2 GiB; taken as far as it is filled.

    A vector costs a third more CPU where the indexes of 100,000 entities do not fit.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(128, min(2048, memory // 8 // 2**20))


SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # their paths may have 107 bytes only, and TCP is enough
    "max_connections": "200",  # api, workers and LightRAG's pools of one machine
    "shared_buffers": f"{_memory_for_pages_mib()}MB",
    "max_wal_size": "512MB",
    "fsync": "on",  # a committed task survives a power cut
    "log_min_messages": "warning",
    "log_statement": "none",  # statements carry document text
    "log_min_error_statement": "panic",  # same
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres:
    """A PostgreSQL server of our own on 127.0.0.1, its files in `data_dir`/postgres.

    As root it runs as the user nobody, because PostgreSQL refuses to run as root.
    """

    def __init__(
        self, data_dir: Path, port: int, *, user: str, password: str, database: str
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self._files = self.data_dir / "postgres"
        self._account: Account | None = unprivileged_account()

    def url(self, database: str | None = None) -> str:
        """The address with the password; add a driver after `postgresql` where one is needed."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{who}@{HOST}:{self.port}/{database or self.database}"

    @property
    def public_url(self) -> str:
        """The address without user and password."""
        return f"postgresql://{HOST}:{self.port}/{self.database}"

    def prepare(self) -> None:
        """Make the database's files if there are none, and end what a crash left behind. Blocks.

        Raises:
            DataDirUnusableError: the user nobody cannot reach DATA_DIR.
            BinaryMissingError: PostgreSQL is not installed.
            DatabaseSetupError: initdb failed.
        """
        Layout(self.data_dir).make()
        if self._account is not None:
            require_reachable(self.data_dir, self._account)
        if not self._files.exists():
            self._initialise()
        self._end_leftovers()

    def child(self) -> ChildSpec:
        """How to run the server; call `prepare` before every start."""
        program = postgres_bin(self.data_dir, self._account) / "postgres"
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return ChildSpec(
            name="postgres",
            argv=(str(program), "-D", str(self._files), "-p", str(self.port), *options),
            log_path=self.data_dir / "logs" / "postgres.log",
            cwd=self.data_dir,
            environment={"LC_ALL": "C", "TZ": "UTC"},
            user=None if self._account is None else self._account.name,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, then writes a checkpoint
            stop_timeout_s=30.0,  # the checkpoint of 512 MB on a slow disk
        )

    def service(self) -> Service:
        """The server as a service of the supervisor."""
        return Service(
            name="postgres",
            prepare=self._prepared_child,
            ready=self.ready,
            port=self.port,
            url=self.public_url,
        )

    def _prepared_child(self) -> ChildSpec:
        self.prepare()
        return self.child()

    async def ready(self) -> bool:
        """Whether the server answers; makes the database and its extension when they are missing.

        Raises:
            PasswordChangedError: the server was set up with another password.
        """
        try:
            await self._create_database()
            await self._add_vectors()
        except asyncpg.InvalidPasswordError:
            raise PasswordChangedError from None
        except asyncpg.TooManyConnectionsError:
            return True  # after a restart the clients may be faster than we are
        except NOT_YET:
            return False
        return True

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"), timeout=CONNECT_TIMEOUT_S)
        try:
            found = await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", self.database
            )
            if not found:
                await connection.execute(f'CREATE DATABASE "{self.database}"')
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    async def _add_vectors(self) -> None:
        connection = await asyncpg.connect(self.url(), timeout=CONNECT_TIMEOUT_S)
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    def _initialise(self) -> None:
        """Run initdb beside the final place, so that a crash leaves no half-made database."""
        unfinished = self._files.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        with tempfile.NamedTemporaryFile("w", dir=unfinished.parent, prefix=".pw-") as password:
            password.write(self.password)
            password.flush()
            self._give(Path(password.name))
            result = self._run_initdb(unfinished, Path(password.name))
        if result.returncode != 0:
            raise DatabaseSetupError(f"initdb failed: {result.stderr.strip()[-500:]}")
        unfinished.rename(self._files)

    def _run_initdb(self, target: Path, password: Path) -> subprocess.CompletedProcess[str]:
        account = self._account
        command = [
            str(postgres_bin(self.data_dir, account) / "initdb"),
            f"--pgdata={target}",
            f"--username={self.user}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            # Sorts like C, by code point, but knows upper and lower case beyond ASCII.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        return subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=self.data_dir,
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            capture_output=True,
            text=True,
            check=False,
            timeout=SETUP_TIMEOUT_S,
        )

    def _give(self, path: Path) -> None:
        if self._account is not None:
            shutil.chown(path, self._account.uid, self._account.gid)

    def _end_leftovers(self) -> None:
        """End old server processes before their pid file is removed.

        The caller holds DATA_DIR, so whoever works in the database's folder was left by a crash. A
        stale pid file alone would stop the start when its pid now belongs to another nobody.
        """
        if not kill_all(lambda: working_in(self._files)):
            raise DatabaseSetupError("Old PostgreSQL processes do not end; end them by hand.")
        (self._files / "postmaster.pid").unlink(missing_ok=True)
