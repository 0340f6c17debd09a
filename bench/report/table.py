"""The measured JSON as a Markdown page."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

Json = Mapping[str, Any]

# The processes of a run, by who they belong to.
_SHARED = ("postgres", "valkey", "neo4j")
_HARNESS = ("stub", "harness")
_NO_FIGURES = {"runs", "moves", "best", "texts", "error", "machine", "versions", "options"}
_OF_A_MOVE = (
    "items",
    "megabytes",
    "look_s",
    "copy_s",
    "verify_s",
    "items_per_s",
    "megabytes_per_s",
    "peak_rss_mib",
    "error",
)


def markdown(result: Json) -> str:
    """Write the whole page."""
    parts = (_head(result), _runs(result), _moves(result), [""], _figures(result), [""])
    return "\n".join(chain.from_iterable(parts))


def _head(result: Json) -> Iterator[str]:
    machine, versions = result["machine"], result["versions"]
    yield "# Benchmark"
    yield ""
    yield (
        f"{result['started_at']}, commit {versions['commit']}, lightrag-hku "
        f"{versions['lightrag-hku']}, graph in {result['settings']['graph']}; {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}. "
        "Both systems, all stores and the model endpoint ran on this one machine. "
        "[bench/README.md](../../bench/README.md) explains the columns."
    )
    yield ""


def _runs(result: Json) -> Iterator[str]:
    yield (
        "| case | system | setting | documents | chunks/s | documents/h | wall s | ÷ model alone "
        "| CPU s: system | stores | harness | others | largest MiB |"
    )
    yield "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name, case in result["cases"].items():
        for run in case.get("runs", ()):
            yield _row(name, run)


def _moves(result: Json) -> Iterator[str]:
    moves = {
        name: move
        for case in result["cases"].values()
        for name, move in case.get("moves", {}).items()
    }
    if not moves:
        return
    yield ""
    yield "| move | items | MB | look s | copy s | verify s | items/s | MB/s | most MiB | error |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for name, move in moves.items():
        cells = (str(move.get(field) or "") for field in _OF_A_MOVE)
        yield f"| {name} | {' | '.join(cells)} |"


def _row(case: str, run: Json) -> str:
    cpu = run["cpu_s"]
    own = {name: spent for name, spent in cpu.items() if name not in (*_SHARED, *_HARNESS)}
    own_peaks = [run["peak_rss_mib"][name] for name in own if name in run["peak_rss_mib"]]
    cells = [
        case,
        run.get("system", "lightrag-fleet"),
        _setting(run),
        run["documents"],
        run.get("chunks_per_s", ""),
        run.get("documents_per_hour", ""),
        run["wall_s"],
        run.get("llm_bound_ratio", ""),
        round(sum(own.values()), 1),
        round(sum(cpu.get(name, 0.0) for name in _SHARED), 1),
        round(sum(cpu.get(name, 0.0) for name in _HARNESS), 1),
        run["others_cpu_s"],
        max(own_peaks, default=""),
    ]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _setting(run: Json) -> str:
    settings = run.get("settings", {})
    if "max_async" in settings:
        return (
            f"MAX_ASYNC {settings['max_async']}, "
            f"MAX_PARALLEL_INSERT {settings['max_parallel_insert']}, "
            f"EMBEDDING_BATCH_NUM {settings['embedding_batch']}"
            + (f", Gunicorn {gunicorn}" if (gunicorn := settings.get("gunicorn_workers")) else "")
        )
    if "workers" in settings:
        return "; ".join(f"{count} × {queues}" for queues, count in settings["workers"])
    if "preloaded_entities" in run:
        return f"{run['preloaded_entities']:,} entities before"
    return ""


def _figures(result: Json) -> Iterator[str]:
    yield "| figure | value |"
    yield "|---|---:|"
    for name, case in result["cases"].items():
        for key, value in case.items():
            if key in _NO_FIGURES or not isinstance(value, int | float | dict):
                continue
            shown = (
                ", ".join(f"{part}: {number}" for part, number in value.items())
                if isinstance(value, dict)
                else value
            )
            yield f"| {name}: {key} | {shown} |"
    for name, case in result["cases"].items():
        if "versions" in case:
            measured = f"{case['started_at']}, commit {case['versions']['commit']}"
            yield f"| {name}: measured | {measured} |"
        if "error" in case:
            yield f"| {name}: failed | {case['error'][:200]} |"
