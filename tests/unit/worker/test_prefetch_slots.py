"""A worker does not take the batches of a book that another has places for."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from kombu.common import QoS

from shared.contract.names import TaskName
from worker.prefetch_slots import PrefetchSlots


class Consumer:
    """The two parts of Celery's consumer that places are held with."""

    def __init__(self, places: int) -> None:
        self.qos = QoS(lambda **_: None, places)
        self.hub = self

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        callback(*arguments)


def received(places: PrefetchSlots, consumer: Consumer, name: TaskName, task_id: str) -> None:
    places._take(consumer, SimpleNamespace(name=name.value, id=task_id))


def test_a_batch_holds_a_place_for_each_of_its_chunks_until_it_ends() -> None:
    consumer, places = Consumer(64), PrefetchSlots(per_batch=16)
    for number in range(4):
        received(places, consumer, TaskName.EXTRACT, str(number))
    assert consumer.qos.value == 4  # which are taken by the four themselves
    for number in range(4):
        places._release(str(number))
    assert consumer.qos.value == 64


def test_a_worker_with_fewer_places_than_a_batch_has_chunks_takes_one_and_gets_all_back() -> None:
    consumer, places = Consumer(8), PrefetchSlots(per_batch=16)
    received(places, consumer, TaskName.EXTRACT, "one")
    received(places, consumer, TaskName.EXTRACT, "two")
    assert consumer.qos.value == 1
    places._release("one")
    places._release("two")
    assert consumer.qos.value == 8


def test_a_message_that_is_delivered_twice_holds_its_places_once() -> None:
    consumer, places = Consumer(64), PrefetchSlots(per_batch=16)
    received(places, consumer, TaskName.EXTRACT, "one")
    received(places, consumer, TaskName.EXTRACT, "one")
    assert consumer.qos.value == 49
    places._release("one")
    places._release("one")
    assert consumer.qos.value == 64


def test_other_messages_hold_nothing_beyond_their_own_place() -> None:
    consumer, places = Consumer(64), PrefetchSlots(per_batch=16)
    for name in set(TaskName) - {TaskName.EXTRACT}:
        received(places, consumer, name, name.value)
        places._release(name.value)
    assert consumer.qos.value == 64
