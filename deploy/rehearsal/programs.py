"""The programs of an engine of our own, unpacked from Debian's packages into the cache."""

import hashlib
import shutil
from pathlib import Path

from deploy.rehearsal.debian import Packages
from shared.settings import inherited_environment

# The engine of Debian 12 with the libraries that a machine without iptables lacks; mmdebstrap makes
# the first file system of the stand-ins.
_ENGINE = (
    "docker.io", "containerd", "runc", "tini", "mmdebstrap", "iptables", "libxtables12",
    "libip4tc2", "libip6tc2", "libnftnl11", "libmnl0", "libnfnetlink0",
    "libnetfilter-conntrack3", "libdevmapper1.02.1",
)  # fmt: skip
_COMPOSE = ("docker-compose",)  # a plugin without libraries: Debian 13's runs on 12
_RECIPE = "1"  # counts changes of what is done here with the packages


class Programs:
    """A folder that looks like the root of a machine with Docker."""

    def __init__(self, cache: Path) -> None:
        words = " ".join((_RECIPE, *_ENGINE, *_COMPOSE))
        self._cache = cache
        self._root = cache / f"programs-{hashlib.sha256(words.encode()).hexdigest()[:12]}"

    @property
    def fetched(self) -> bool:
        """Whether they are in the cache."""
        return self._root.is_dir()

    def fetch(self) -> None:
        """Unpack what is not there yet.

        Raises:
            NotPossibleError: the machine knows no Debian 12 and 13.
            RehearsalError: a package cannot be fetched.
        """
        if self.fetched:
            return
        unfinished = self._root.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for suite, names in (("bookworm", _ENGINE), ("trixie", _COMPOSE)):
            packages = Packages(self._cache, suite)
            packages.refresh()
            packages.unpack(names, unfinished)
        self._link(unfinished)
        unfinished.rename(self._root)

    @staticmethod
    def _link(root: Path) -> None:
        """Do what installing would have done."""
        names = root / "usr" / "local" / "sbin"
        names.mkdir(parents=True)
        for name in ("iptables", "ip6tables"):
            (names / name).symlink_to(f"../../sbin/{name}-nft")
        (names / "docker-init").symlink_to("../../bin/tini")
        plugins = root / "docker" / "cli-plugins"
        plugins.mkdir(parents=True)
        plugin = next(root.glob("usr/lib*/docker/cli-plugins/docker-compose"))
        (plugins / "docker-compose").symlink_to(Path("../..") / plugin.relative_to(root))

    def find(self, name: str) -> Path:
        """Return the path of one of the programs."""
        for folder in self._folders():
            if (folder / name).exists():
                return folder / name
        raise FileNotFoundError(name)

    def environment(self) -> dict[str, str]:
        """Return variables with which the programs find each other and their libraries."""
        path = [*map(str, self._folders()), inherited_environment().get("PATH", "")]
        libraries = sorted(self._root.glob("usr/lib/*-linux-gnu")) + sorted(
            self._root.glob("lib/*-linux-gnu")
        )
        return {
            "PATH": ":".join(path),
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "XTABLES_LIBDIR": ":".join(str(folder / "xtables") for folder in libraries),
            "DOCKER_CONFIG": str(self._root / "docker"),
        }

    def _folders(self) -> list[Path]:
        return [self._root / name for name in ("usr/local/sbin", "usr/bin", "usr/sbin", "sbin")]
