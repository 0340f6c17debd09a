"""What the checks of security look at: settings, where secrets stand, and how far hosts are."""

import ipaddress
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dotenv import dotenv_values

from shared.errors import SettingsError
from shared.settings import Settings
from shared.startup import storage_shape


class Distance(Enum):
    """How far a server is by its name."""

    SAME_MACHINE = "on this machine"
    ONE_LABEL = "on a network of this host, by its name"
    """A name without a dot, as containers have for each other."""
    NETWORK = "over a network"


@dataclass(frozen=True)
class EnvFile:
    """The file of settings beside the command."""

    path: Path
    mode: int
    """Permissions; 0o600: the owner alone."""
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """One installation, as its settings have it."""

    settings: Settings
    env_file: EnvFile | None
    """None: there is none."""
    environment: Mapping[str, str]
    cluster: str | None = None
    """The ECS cluster to look at; None: nobody named one."""

    @property
    def has_servers(self) -> bool:
        """Whether data is kept on servers, not in files of one process."""
        return storage_shape(self.settings) == "servers"

    @property
    def auth_mode(self) -> str:
        """AUTH_MODE; empty where it is not set."""
        return self.settings.auth.mode


def distance_of(host: str) -> Distance:
    """Tell from a name or address alone; nothing is looked up."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.startswith("/"):  # the second: a socket
        return Distance.SAME_MACHINE
    try:
        is_near = ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return Distance.NETWORK if "." in bare else Distance.ONE_LABEL
    return Distance.SAME_MACHINE if is_near else Distance.NETWORK


def read_env_file(path: Path) -> EnvFile | None:
    """Read it as settings do.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        found = dotenv_values(path, interpolate=False)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({type(error).__name__}).") from None
    return EnvFile(path, mode, {name.upper(): value for name, value in found.items() if value})
