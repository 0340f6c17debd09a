"""Telling a server that is away from one text that it cannot answer."""

# So many attempts in a row fail only when it is the server, not one text that it cannot answer.
_OUTAGE_ATTEMPTS = 10


class Outage:
    """Notices that a server answers nobody any more: shared by all calls of a process to it."""

    def __init__(self) -> None:
        self._failures = 0

    def answered(self) -> None:
        """Take note of an answer."""
        self._failures = 0

    def failed(self) -> bool:
        """Take note of an attempt without an answer, and tell whether it looks like an outage."""
        self._failures += 1
        return self._failures >= _OUTAGE_ATTEMPTS
