"""Two contexts are the same when they say the same, in whatever order equals come."""

from ops.migrate.sampling import _found, _share

ONE = """
{"reference_id": "1", "content": "Ulm is a town."}
{"reference_id": "2", "content": "Bern is a town."}
[1] ulm.txt
[2] bern.txt
"""
OTHER_ORDER = """
{"reference_id": "1", "content": "Bern is a town."}
{"reference_id": "2", "content": "Ulm is a town."}
[1] bern.txt
[2] ulm.txt
"""


def test_the_order_of_passages_that_are_equally_near_makes_no_difference() -> None:
    assert _found(ONE) == _found(OTHER_ORDER)
    assert _share(_found(ONE), _found(OTHER_ORDER)) == 1


def test_a_passage_that_is_missing_does() -> None:
    without = ONE.replace('{"reference_id": "2", "content": "Bern is a town."}\n', "")

    assert _found(without) != _found(ONE)
    assert _share(_found(without), _found(ONE)) < 1


def test_a_passage_that_comes_twice_is_not_one_that_comes_once() -> None:
    assert _found(ONE + ONE) != _found(ONE)
