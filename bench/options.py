"""What the person who starts a benchmark may choose."""

from dataclasses import dataclass
from pathlib import Path

from bench.ground import Ground
from bench.settings import ModelSettings


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices of one run; sizes are divided by `divisor`, for a trial of the harness itself."""

    graph: str
    corpus: Path | None = None
    divisor: int = 1

    def size(self, wanted: int) -> int:
        """Return how much of something to make."""
        return max(1, wanted // self.divisor)


@dataclass(frozen=True)
class Bench:
    """What a case gets."""

    ground: Ground
    options: Options

    def models(self, concurrency: int, *, query_share: float = 0.0) -> ModelSettings:
        """The endpoint, with so many chat calls at a time for the whole system."""
        return ModelSettings(
            url=self.ground.model_url, concurrency=concurrency, query_share=query_share
        )
