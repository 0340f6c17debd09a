"""What a key of an object may be."""

from pathlib import PurePosixPath

from shared.errors import InvalidInputError
from shared.ids import ObjectKey

UNFINISHED = "incoming/"
"""What uploads that nobody finished are listed under; no key of an object begins with it."""


def require_relative(key: ObjectKey) -> None:
    """Check that a key stays where its store keeps objects.

    Raises:
        InvalidInputError: it does not.
    """
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise InvalidInputError("An object key is a relative path without '..'.")
