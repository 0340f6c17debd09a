"""Up to where failures and model calls are written to CloudWatch already.

It lies in Redis beside beat's own schedule, so that whichever beat is next goes on from there.
"""

from dataclasses import asdict, dataclass, fields

import redis

from shared.errors import QueueUnavailableError

_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Position:
    """What is told: failures until a time of the database's clock, and totals of model calls."""

    failures_until_ms: int
    llm_calls: int
    llm_tokens: int


class Positions:
    """Keeps the position of one installation; blocks, so it is called in threads."""

    def __init__(self, url: str, installation: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            client_name="ragfleet-cloudwatch",
        )
        self._key = f"ragfleet:cloudwatch:{installation}"

    def read(self) -> Position | None:
        """Return the last position; None: there is none, or none of ours.

        Raises:
            QueueUnavailableError: Redis did not answer.
        """
        names = [field.name for field in fields(Position)]
        try:
            values = self._redis.hmget(self._key, names)
        except (redis.RedisError, OSError) as error:
            raise QueueUnavailableError from error
        try:
            return Position(**{name: int(value) for name, value in zip(names, values, strict=True)})  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None

    def write(self, position: Position) -> None:
        """Keep a position.

        Raises:
            QueueUnavailableError: Redis did not answer.
        """
        try:
            values: dict[str, int] = asdict(position)
            self._redis.hset(self._key, mapping=values)  # type: ignore[arg-type] # wider keys
        except (redis.RedisError, OSError) as error:
            raise QueueUnavailableError from error
