"""Celery's lines go where ours go, in the same form."""

from typing import Any

from celery import signals


def keep_celery_from_logging() -> None:
    """Keep Celery from setting up handlers of its own: whoever listens here has done it."""
    signals.setup_logging.connect(_nothing_is_left_to_do)


def keep_celery_from_printing() -> None:
    """Keep its words to whoever presses Ctrl-C out of a log of JSON; a signal is no time to log."""
    from celery.apps import worker  # noqa: PLC0415 - beat needs none of it

    worker.safe_say = _say_nothing


def _nothing_is_left_to_do(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
    pass


def _say_nothing(*_: object) -> None:
    pass
