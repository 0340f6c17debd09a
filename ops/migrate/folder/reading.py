"""What is common to reading the files of a folder: what is wrong with one is told by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers.expat import ExpatError

import ijson

from ops.migrate.errors import SourceUnreadableError


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say which file it was that could not be read.

    Raises:
        SourceUnreadableError: in place of what a parser or the system said.
    """
    try:
        yield
    except (ijson.JSONError, ExpatError, ValueError, KeyError, TypeError) as error:
        # A parser's message may quote the text; its kind says enough.
        sentence = f"{path.name} is damaged or cut off ({type(error).__name__})."
        raise SourceUnreadableError(sentence) from error
    except OSError as error:
        sentence = f"{path.name} cannot be read: {error.strerror}."
        raise SourceUnreadableError(sentence) from error
