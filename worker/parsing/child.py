"""What runs in a parser's child process: its limits, and one parse with a plain answer."""

import ctypes
import multiprocessing
import os
import resource
import signal
from multiprocessing import forkserver
from pathlib import Path

from worker.parsing.document import ParsedDocument
from worker.parsing.errors import (
    DamagedDocumentError,
    DocumentError,
    ParseOutOfMemoryError,
)
from worker.parsing.parse import parse_file

_PR_SET_PDEATHSIG = 1


def limit_child(memory_bytes: int) -> None:
    """Make this process die with its parent and stay within `memory_bytes` of address space."""
    # Back to the default: a handler in Python could not run while a native parser loops.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # The forkserver ends when the last copy of a pipe's end closes, and the kernel then kills us.
    # multiprocessing gives each child such a copy, which would keep both alive for ever.
    alive = forkserver._forkserver._forkserver_alive_fd  # type: ignore[attr-defined]  # noqa: SLF001 (no public way)
    if alive is not None:
        os.close(alive)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)  # it died before the line above


def parse_in_child(path: Path, file_name: str) -> ParsedDocument | DocumentError:
    """Parse one file; every failure comes back as an error of ours, never as a foreign class."""
    try:
        return parse_file(path, file_name)
    except DocumentError as error:
        return type(error)(error.detail)
    except MemoryError:
        return ParseOutOfMemoryError()
    except FileNotFoundError:
        raise
    except BaseException as error:  # noqa: BLE001 (the edge; a Rust panic is a BaseException)
        if "memory" in str(error).lower():
            return ParseOutOfMemoryError()
        return DamagedDocumentError()
