"""Prepares the process that parser children are forked from; imported there and nowhere else."""

from multiprocessing import spawn

import worker.parsing.child  # noqa: F401 (loaded once here, so that a child is only a fork away)


def _leave_out_main(_name_or_path: str) -> None:
    """Do nothing: a child must not import the parent's main module (Celery, LightRAG, ...)."""


for _name in ("_fixup_main_from_name", "_fixup_main_from_path"):
    setattr(spawn, _name, _leave_out_main)
