"""Reads names of metrics out of expressions."""

import re

from tests.unit.monitoring.registered import registered

_NAME = re.compile(r"\b(?:ragfleet|process|python)_\w+")
KNOWN = frozenset(name for metric in registered().values() for name in metric.series)


def unknown_names(expression: str) -> set[str]:
    """Return the names in an expression that no process of ours has."""
    without_strings = re.sub(r'"[^"]*"', '""', expression)
    return set(_NAME.findall(without_strings)) - KNOWN
