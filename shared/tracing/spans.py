"""What our code may say of a trace; unless somebody listens, saying it costs next to nothing.

Nothing here knows OpenTelemetry: `shared.tracing.opentelemetry` is imported when it is turned on.
Attributes are ids, counts and names, never text of a document or question.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool | None]
"""None: not known, so the attribute is left out."""


class Kind(StrEnum):
    """Where a span stands between processes, in OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


# What comes from outside. Anything else is part of something, or nobody asks for it.
_BEGINNINGS = frozenset({Kind.SERVER, Kind.CONSUMER})


@dataclass(frozen=True)
class Origin:
    """Where a span belongs when that is not the span around it: `traceparent`s of W3C."""

    parent: str | None = None
    links: Sequence[str] = ()
    began_at_ns: int | None = None
    """When it began, in nanoseconds of Unix time, if that was before now."""


HERE = Origin()


class Span(Protocol):
    """One piece of work."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def rename(self, name: str) -> None:
        """Give it the name that was not known when it began."""

    def active(self) -> AbstractContextManager[None]:
        """Be the span around what happens within the block."""


class Tracer(Protocol):
    """Whoever writes spans down."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, origin: Origin
    ) -> AbstractContextManager[Span]:
        """Write down a span that lasts as long as the block, and is not active by itself."""

    def current(self) -> Span:
        """Return the active span."""

    def fail(self, error: BaseException) -> None:
        """Note on the active span that it failed, and of which kind of error."""

    def continued(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Let spans within the block belong to what the sender of these headers did."""

    def headers(self) -> dict[str, str]:
        """Return the headers that tell a receiver of the active span."""

    def ids(self) -> dict[str, str]:
        """Return `trace_id` and `span_id` of the active span, or nothing."""

    def close(self) -> None:
        """Send what is left, but do not wait long for it."""


class _Nothing:
    """Nobody listens."""

    def span(
        self, _name: str, _kind: Kind, _attributes: Attributes, _origin: Origin
    ) -> AbstractContextManager[Span]:
        return _NO_SPAN

    def current(self) -> Span:
        return _NOBODY

    def fail(self, error: BaseException) -> None:
        pass

    def continued(self, _headers: Mapping[str, str]) -> AbstractContextManager[None]:
        return _NO_CONTEXT

    def headers(self) -> dict[str, str]:
        return {}

    def ids(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        pass


class _NoSpan:
    def set(self, attributes: Attributes) -> None:
        pass

    def rename(self, name: str) -> None:
        pass

    def active(self) -> AbstractContextManager[None]:
        return _NO_CONTEXT


_NO_CONTEXT: AbstractContextManager[None] = nullcontext()
_NOBODY = _NoSpan()
_NO_SPAN: AbstractContextManager[Span] = nullcontext(_NOBODY)
NOBODY = _NO_SPAN
"""Takes what is said, and forgets it."""
_NOTHING: Tracer = _Nothing()


class _Process:
    """Whom this process tells; there is one, as there is one log."""

    tracer: Tracer = _NOTHING


def install(tracer: Tracer | None) -> Tracer:
    """Let a tracer listen from now on (None: nobody), and return the one before."""
    before, _Process.tracer = _Process.tracer, tracer or _NOTHING
    return before


def is_on() -> bool:
    """Tell whether anybody listens, where finding out what to say would cost something."""
    return _Process.tracer is not _NOTHING


@contextmanager
def _active_span(name: str, kind: Kind, attributes: Attributes, origin: Origin) -> Iterator[Span]:
    with _Process.tracer.span(name, kind, attributes, origin) as one, one.active():
        yield one


def span(
    name: str,
    attributes: Attributes = {},  # noqa: B006 - never changed
    *,
    kind: Kind = Kind.INTERNAL,
    origin: Origin = HERE,
) -> AbstractContextManager[Span]:
    """Write down what happens within the block, and let spans in there be its children.

    Only requests and messages begin a trace; other spans are written where one goes on already.

    Args:
        name: of few different ones; what differs is an attribute.
        attributes: what is known of it by now.
        kind: as above.
        origin: where it belongs, if not to the span around it.
    """
    if not _belongs_somewhere(kind, origin):
        return _NO_SPAN
    return _active_span(name, kind, attributes, origin)


def detached_span(
    name: str,
    attributes: Attributes = {},  # noqa: B006 - never changed
    *,
    kind: Kind = Kind.INTERNAL,
    origin: Origin = HERE,
) -> AbstractContextManager[Span]:
    """Write a span down that is not active by itself: for generators, which share a context."""
    if not _belongs_somewhere(kind, origin):
        return _NO_SPAN
    return _Process.tracer.span(name, kind, attributes, origin)


def _belongs_somewhere(kind: Kind, origin: Origin) -> bool:
    tracer = _Process.tracer
    if tracer is _NOTHING:
        return False
    return kind in _BEGINNINGS or origin.parent is not None or bool(tracer.ids())


def annotate(attributes: Attributes) -> None:
    """Add attributes to the active span."""
    _Process.tracer.current().set(attributes)


def fail(error: BaseException) -> None:
    """Note on the active span that it failed: the kind of error, not its words."""
    _Process.tracer.fail(error)


def continued(headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """Go on, within the block, with the trace that a request or message came from."""
    return _Process.tracer.continued(headers)


def headers() -> dict[str, str]:
    """Return what to send along, so that the receiver goes on with this trace."""
    return _Process.tracer.headers()


def traceparent() -> str | None:
    """Return W3C's name of the active span, to go on with its trace later; None: there is none."""
    return _Process.tracer.headers().get("traceparent")


def ids() -> dict[str, str]:
    """Return `trace_id` and `span_id` of the active span, for log lines; or nothing."""
    return _Process.tracer.ids()


def is_sampled(parent: str | None) -> bool:
    """Tell whether a `traceparent` says that its trace is written down."""
    return parent is not None and parent[-1:] in "13579bdf" and len(parent) == 55
