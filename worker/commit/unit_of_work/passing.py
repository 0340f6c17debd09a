"""What a unit of work lets through to a storage: what it is, never what it does.

A read of the storage would not see the unit's writes, and a write would go past the journal. So
every method that LightRAG needs is one of the unit's own; the others are refused.
"""

import inspect
from typing import Any

from worker.commit.unit_of_work.failures import Failures


class UnjournaledAccessError(AssertionError):
    """LightRAG called a storage past its unit of work; the unit needs this method too."""


def passed_through(storage: Any, name: str, failures: Failures) -> Any:  # noqa: ANN401 - LightRAG's
    """Return an attribute of a storage, such as its namespace or its global_config.

    A method is replaced by one that raises UnjournaledAccessError, of which the failures keep note.
    """
    found = getattr(storage, name)
    if not inspect.isroutine(found):
        return found

    def refuse(*_arguments: object, **_options: object) -> None:
        with failures.recorded():
            raise UnjournaledAccessError(f"{type(storage).__name__}.{name}")

    return refuse
