"""Vectors that were read back are compared one by one, though many at a time."""

import numpy as np

from ops.migrate.comparing import _are_near

OURS = [np.array(numbers, dtype="<f4") for numbers in ([1, 0, 0], [0, 1, 0], [0.6, 0.8, 0])]
BYTES = [vector.tobytes() for vector in OURS]


def test_equal_vectors_are_near_whatever_their_length_was_made() -> None:
    assert _are_near(BYTES, [[2.0 * float(n) for n in vector] for vector in OURS]) == [True] * 3


def test_one_that_differs_is_told_apart_from_its_neighbours() -> None:
    assert _are_near(BYTES, [[1, 0, 0], [0.1, 1, 0], [0.6, 0.8, 0]]) == [True, False, True]


def test_one_that_is_missing_or_of_another_dimension_is_not_near() -> None:
    assert _are_near(BYTES, [None, [0, 1], [0.6, 0.8, 0]]) == [False, False, True]
    assert _are_near(BYTES, [None, None, None]) == [False] * 3
    assert _are_near([], []) == []


def test_numbers_that_are_none_are_near_to_nothing() -> None:
    assert _are_near(BYTES, [[float("nan"), 0, 0], [0, 1, 0], [0.6, 0.8, 0]])[0] is False
