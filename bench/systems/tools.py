"""Runs one of the harness's own programs over the stores, to its end."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.ground import Ground
from bench.settings import ModelSettings
from bench.systems.stock import provide_vocabulary
from bench.systems.stores import Place

_ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 900.0


class ToolFailedError(Exception):
    """The program ended with an error; the text is the end of what it said."""


async def run_tool(
    ground: Ground,
    module: str,
    place: Place,
    models: ModelSettings,
    **order: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Run a module of the harness that prints one line of JSON."""
    cwd = ground.folder / "cwd-tool"
    await asyncio.to_thread(cwd.mkdir, exist_ok=True)
    await asyncio.to_thread(provide_vocabulary, ground.folder / "tiktoken")
    whole = {**order, "models": asdict(models), "workspace": place.workspace, "graph": place.graph}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        json.dumps(whole),
        env={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(_ROOT),
            "TIKTOKEN_CACHE_DIR": str(ground.folder / "tiktoken"),
            "POSTGRES_VECTOR_INDEX_TYPE": "HNSW",
            **ground.stores.variables(place),
        },
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ToolFailedError(complaints.decode(errors="replace")[-1500:])
    return dict(json.loads(output.decode().strip().splitlines()[-1]))
