"""Celery's lines go where ours go, in the same form."""

from typing import Any

from celery import signals


def keep_celery_from_logging() -> None:
    """Keep Celery from setting up handlers of its own: whoever listens here has done it."""
    signals.setup_logging.connect(_nothing_is_left_to_do)


def _nothing_is_left_to_do(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
    pass
