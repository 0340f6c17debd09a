"""What stands before the first `docker compose up`: settings, a certificate, images."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deploy.rehearsal.commands import run
from deploy.rehearsal.installation import Installation, copy_tree
from ops.local.ports import free_port
from shared.settings import inherited_environment

_SETTINGS = {
    # Rules and a small model inside the processes: no key, nothing leaves the machine.
    "LLM_PROVIDER": "offline",
    "EMBEDDING_PROVIDER": "offline",
    # Documents of two chunks are large ones, whose chunks are shared out to all who extract.
    "EXTRACT_BATCH_CHUNKS": "1",
}
_ONE_HOST = {
    # No name of a user's own installation.
    "COMPOSE_PROJECT_NAME": "ragfleet-rehearsal",
    # TLS in front, and the dashboard.
    "COMPOSE_PROFILES": "production,monitoring",
}
_PORTS = ("API_PORT", "FLOWER_PORT", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
_FILES_MODE = "docker-compose.files.yml"
_BASE = "python:3.11-slim"
_MEGABYTE = 1_000_000


def prepare_tree(folder: Path, settings: Mapping[str, str] = _ONE_HOST) -> Path:
    """Copy the tree, make `.env` with the project's own command, and a certificate for TLS.

    Args:
        folder: where to.
        settings: what stands in `.env` beside that with which every installation is rehearsed.

    Returns:
        The folder of the copy.

    Raises:
        RehearsalError: a command failed.
    """
    tree = folder / "lightrag-fleet"
    copy_tree(tree)
    run([sys.executable, "-m", "ops.cli", "init-env"], cwd=tree, environment=_own_settings_only())
    ports = {name: str(free_port()) for name in _PORTS}
    with (tree / ".env").open("a") as file:
        lines = {**_SETTINGS, **ports, **settings}
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
    _make_certificate(tree / "tls")
    return tree


def _own_settings_only() -> dict[str, str]:
    """The environment without what a developer's shell says of another installation."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    return {name: value for name, value in inherited_environment().items() if name in kept}


def _make_certificate(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", names),
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ]
    )


def build_with_compose(installation: Installation, seen: dict[str, Any]) -> None:
    """Build as a user does; note the images' sizes."""
    for each in (installation, _files_mode(installation)):
        each.compose("build", "--quiet", timeout_s=1800)
    _note_sizes(installation, seen)


def build_images(installation: Installation, seen: dict[str, Any]) -> None:
    """Build what the compose files say, on the machine's network; note the images' sizes.

    An engine without networks of its own cannot do `docker compose build`: that asks for one.
    """

    def make(image: str, build: dict[str, Any]) -> None:
        words = ["build", "--quiet", "--network=host", "--tag", image]
        words += ["--file", str(Path(build["context"], build["dockerfile"]))]
        if "target" in build:
            words += ["--target", build["target"]]
        installation.engine.docker(*words, build["context"], timeout_s=1800)

    with ThreadPoolExecutor(2) as pool:
        for made in [pool.submit(make, *each) for each in _builds(installation).items()]:
            made.result()
    _note_sizes(installation, seen)
    seen[f"of them the base, {_BASE}"] = _size(installation, _BASE)


def _builds(installation: Installation) -> dict[str, dict[str, Any]]:
    """Each image that the compose files build, with how."""
    found: dict[str, dict[str, Any]] = {}
    for each in (installation, _files_mode(installation)):
        services = each.services().values()
        found |= {row["image"]: row["build"] for row in services if "build" in row}
    return found


def _files_mode(installation: Installation) -> Installation:
    return Installation(installation.engine, installation.folder, files=(_FILES_MODE,))


def _note_sizes(installation: Installation, seen: dict[str, Any]) -> None:
    for image in _builds(installation):
        seen[image] = _size(installation, image)


def _size(installation: Installation, image: str) -> str:
    size = int(installation.engine.docker("image", "inspect", "--format", "{{.Size}}", image))
    return f"{size / _MEGABYTE:.0f} MB"
