"""Debian packages, fetched by the machine's apt into folders of our own: nothing is installed."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.rehearsal.commands import NotPossibleError, run

_NEW_S = 3600  # Debian publishes four times a day
_SUITES = ("bookworm", "trixie")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Packages:
    """One suite of Debian, seen through lists of our own."""

    def __init__(self, folder: Path, suite: str) -> None:
        self._folder = folder / "apt" / suite
        self._suite = suite

    def refresh(self) -> None:
        """Fetch the suite's lists, unless they are new.

        Raises:
            NotPossibleError: this is no Debian, or its sources are not known.
        """
        if self.sources.exists() and time.time() - self.sources.stat().st_mtime < _NEW_S:
            return
        lines = self._lines()
        (self._folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self._folder / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        unfinished = self.sources.with_suffix(".unfinished")
        unfinished.write_text("\n".join(lines) + "\n")
        run(self._apt("update", "-qq", sources=unfinished))
        unfinished.rename(self.sources)

    @property
    def sources(self) -> Path:
        """A file in the form of sources.list."""
        return self._folder / "sources.list"

    def _lines(self) -> list[str]:
        lines = []
        for base, ending in {(base, ending) for base, _, ending in _releases()}:
            lines.append(f"deb [signed-by={_KEYRING}] {base} {self._suite}{ending} main")
        return sorted(lines)

    def unpack(self, names: Sequence[str], target: Path) -> None:
        """Fetch packages and unpack them into a folder, as if it were the root of a machine."""
        downloads = self._folder / "downloads"
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir(parents=True)
        run(self._apt("download", "-qq", *names), cwd=downloads)
        for package in sorted(downloads.glob("*.deb")):
            run(["dpkg-deb", "--extract", package, target])
        shutil.rmtree(downloads)

    def _apt(self, *words: str, sources: Path | None = None) -> list[str]:
        options = {
            "Dir::Etc::SourceList": sources or self.sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self._folder / "lists",
            "Dir::Cache": self._folder,
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",  # its own user may not enter our folder
        }
        settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["apt-get", *settings, *words]


def _releases() -> list[tuple[str, str, str]]:
    """Where this machine gets Debian's packages: address, suite, and what follows its name."""
    if shutil.which("apt-get") is None:
        raise NotPossibleError("there is no apt-get: stand-ins are made from Debian's packages")
    shown = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    )
    found = []
    for line in sorted(set(shown.splitlines())):
        base, release = line.split()
        for suite in _SUITES:
            ending = release.removeprefix(suite)
            if ending != release and ending in {"", "-updates", "-security"}:
                found.append((base, suite, ending))
    if not any(ending == "" for _, _, ending in found):
        raise NotPossibleError("the machine's apt knows no Debian 12 or 13 to make stand-ins from")
    return found
