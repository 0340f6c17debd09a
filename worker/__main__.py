"""`python -m worker [--queues prepare,extract] [--beat]`: one process of the worker tier."""

import argparse

from shared.contract.names import QueueName
from shared.settings import load_settings
from worker.main import run_beat, run_worker


def main() -> None:
    """Read the arguments and serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    everything = ",".join(QueueName)
    parser.add_argument("--queues", default=everything, help=f"default: {everything}")
    parser.add_argument("--beat", action="store_true", help="send the sweeper's messages instead")
    arguments = parser.parse_args()
    settings = load_settings()
    if arguments.beat:
        run_beat(settings)
    else:
        run_worker(settings, queues=[QueueName(name) for name in arguments.queues.split(",")])


if __name__ == "__main__":
    main()
