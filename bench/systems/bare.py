"""`python -m bench.systems.bare ORDER`: asks bare LightRAG and prints how long each answer took."""

import asyncio
import json
import sys
from typing import Any

from lightrag import QueryParam

from bench.measure.asking import ask_all
from bench.settings import ModelSettings
from bench.systems.open_lightrag import opened_lightrag


async def _main(order: dict[str, Any]) -> None:
    models = ModelSettings(**order["models"])
    async with opened_lightrag(models, workspace=order["workspace"], graph=order["graph"]) as rag:

        async def ask(question: str) -> None:
            await rag.aquery_llm(question, QueryParam(mode=order["mode"]))

        await ask_all(ask, order["warm_up"], askers=order["askers"])
        took_s = await ask_all(ask, order["questions"], askers=order["askers"])
    print(json.dumps({"took_s": took_s}))


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
