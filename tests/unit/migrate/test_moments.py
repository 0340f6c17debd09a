"""The same moment is the same, however a store writes it."""

import pytest

from ops.migrate.comparing import moment_of


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("2026-11-24T12:00:00", "2026-11-24T12:00:00+00:00", True),
        ("2026-11-24T12:00:00+00:00", "2026-11-24T13:00:00+01:00", True),
        ("2026-11-24T12:00:00+00:00", "2026-11-24T12:00:00+01:00", False),
    ],
)
def test_zones_are_heeded(one: str, two: str, same: bool) -> None:
    assert (moment_of(one) == moment_of(two)) == same
