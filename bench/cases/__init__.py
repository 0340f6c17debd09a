"""The cases: one file each, with a coroutine `run` that returns its part of the JSON."""
