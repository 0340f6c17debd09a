"""Percentiles, ratios and what the model alone needs."""

import pytest

from bench.measure.arithmetic import model_bound_s, per_hour, percentile, ratio


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.95) == 95
    assert percentile(values, 1.0) == 100
    assert percentile([7.0], 0.95) == 7


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_the_model_alone_needs_its_chat_calls_one_after_the_other_in_every_place() -> None:
    calls = {"extract": 100, "glean": 100, "summary": 56, "embed": 1000}
    assert model_bound_s(calls, latency_s=0.5, concurrency=16) == 8.0


def test_a_ratio_to_nothing_is_none() -> None:
    assert ratio(3, 2) == 1.5
    assert ratio(3, 0) is None


def test_a_count_in_some_seconds_becomes_one_in_an_hour() -> None:
    assert per_hour(20, 10) == 7200
