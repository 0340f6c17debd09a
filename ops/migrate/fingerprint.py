"""Telling whether files are still the ones that were read before."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_BLOCK_BYTES = 4 * 1024 * 1024


def fingerprint_of(files: Iterable[Path]) -> str:
    """Return a digest of names, sizes and times of files; missing ones count as nothing."""
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.exists():
            found = file.stat()
            digest.update(f"{file.absolute()}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex; it blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
