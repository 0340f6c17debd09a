"""`python -m worker [--queues prepare,extract]`: one process of the worker tier."""

import argparse

from shared.contract.names import QueueName
from shared.settings import load_settings
from worker.main import run_worker


def main() -> None:
    """Read the arguments and serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    everything = ",".join(QueueName)
    parser.add_argument("--queues", default=everything, help=f"default: {everything}")
    arguments = parser.parse_args()
    queues = [QueueName(name) for name in arguments.queues.split(",")]
    run_worker(load_settings(), queues=queues)


if __name__ == "__main__":
    main()
