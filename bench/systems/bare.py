"""`python -m bench.systems.bare ORDER`: asks bare LightRAG and prints how long each answer took."""

import asyncio
import json
import sys
import time
from typing import Any

from lightrag import LightRAG, QueryParam

from bench.settings import ModelSettings
from bench.systems.open_lightrag import opened_lightrag


async def ask_all(rag: LightRAG, questions: list[str], *, mode: Any, askers: int) -> list[float]:  # noqa: ANN401 - LightRAG's literal
    """Ask all questions, some at a time.

    Returns:
        Seconds each took.
    """
    waiting = list(reversed(questions))
    took_s: list[float] = []

    async def carry() -> None:
        while waiting:
            question = waiting.pop()
            started_s = time.perf_counter()
            await rag.aquery_llm(question, QueryParam(mode=mode))
            took_s.append(time.perf_counter() - started_s)

    await asyncio.gather(*(carry() for _ in range(askers)))
    return took_s


async def _main(order: dict[str, Any]) -> None:
    models = ModelSettings(**order["models"])
    async with opened_lightrag(models, workspace=order["workspace"], graph=order["graph"]) as rag:
        options = {"mode": order["mode"], "askers": order["askers"]}
        await ask_all(rag, order["warm_up"], **options)
        took_s = await ask_all(rag, order["questions"], **options)
    print(json.dumps({"took_s": took_s}))


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
