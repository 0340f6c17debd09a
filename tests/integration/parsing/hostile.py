"""Parse functions that misbehave as a native parser can; they run in the pool's children."""

import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path

from worker.parsing.document import ParsedDocument
from worker.parsing.errors import ParseOutOfMemoryError


def loop_for_ever(path: Path, _file_name: str) -> ParsedDocument:
    path.with_suffix(".pid").write_text(str(os.getpid()))
    while True:
        pass


def sleep_in_native_code(path: Path, _file_name: str) -> ParsedDocument:
    path.with_suffix(".pid").write_text(str(os.getpid()))
    ctypes.CDLL(None).sleep(1000)
    raise AssertionError


def read_a_null_pointer(_path: Path, _file_name: str) -> ParsedDocument:
    ctypes.string_at(0)
    raise AssertionError


def be_killed(_path: Path, _file_name: str) -> ParsedDocument:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def take_four_gigabytes(_path: Path, _file_name: str) -> ParsedDocument | ParseOutOfMemoryError:
    try:
        return ParsedDocument(text=str(len(bytearray(4 << 30))), format="txt")
    except MemoryError:
        return ParseOutOfMemoryError()


def report_on_the_child(_path: Path, _file_name: str) -> ParsedDocument:
    heavy = {"celery", "lightrag", "fastapi", "xberg", "pypdfium2", "numpy"}
    loaded = sorted(heavy & set(sys.modules))
    core = resource.getrlimit(resource.RLIMIT_CORE)[1]
    memory = resource.getrlimit(resource.RLIMIT_AS)[1]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return ParsedDocument(text=f"{os.getpid()} {core} {memory} {peak_mb} {loaded}", format="txt")


def sleep_a_moment(_path: Path, _file_name: str) -> ParsedDocument:
    time.sleep(0.01)
    return ParsedDocument(text="awake", format="txt")
