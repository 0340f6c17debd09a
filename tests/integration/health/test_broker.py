"""What `ragfleet health` says of beat is what the broker of its settings says."""

import time

from redis.asyncio import Redis

from ops.doctor.report import Finding, Status
from ops.health.broker import ask_broker
from ops.local.ports import free_port
from shared.settings import Settings, load_settings
from worker.beat_health import _SCHEDULE_KEY, _SWEEP_KEY


def settings_with(broker: str) -> Settings:
    return load_settings(None, overrides={"BROKER_URL": broker, "USE_EXTERNAL_STORAGE": "true"})


async def beat(broker: str) -> Finding:
    [found] = [one for one in await ask_broker(settings_with(broker)) if one.code == "health.beat"]
    return found


async def test_without_a_beat_the_broker_that_is_asked_says_so(fresh_valkey: str) -> None:
    found = await beat(fresh_valkey)
    assert found.status is Status.ERROR
    assert found.sentence.endswith("Start beat.")


async def test_a_beat_that_sends_sweeps_is_well(fresh_valkey: str) -> None:
    async with Redis.from_url(fresh_valkey) as client:
        await client.zadd(_SCHEDULE_KEY, {_SWEEP_KEY: time.time() + 10})
        assert (await beat(fresh_valkey)).status is Status.OK
        await client.delete(_SCHEDULE_KEY)


async def test_a_broker_that_is_away_is_an_error_and_says_nothing_of_beat() -> None:
    found = await ask_broker(settings_with(f"redis://127.0.0.1:{free_port()}/0"))
    assert [(one.code, one.status) for one in found] == [("health.broker", Status.ERROR)]
