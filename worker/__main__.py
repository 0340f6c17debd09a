"""`python -m worker [--queues prepare,extract]`: one process of the worker tier."""

import argparse
import sys

from shared.contract.names import QueueName
from shared.errors import SettingsError
from shared.settings import load_settings
from shared.startup import require_servers
from worker.main import run_worker


def main() -> None:
    """Read the arguments and serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    everything = ",".join(QueueName)
    parser.add_argument("--queues", default=everything, help=f"default: {everything}")
    arguments = parser.parse_args()
    unknown = set(names := arguments.queues.split(",")) - set(QueueName)
    if unknown:
        parser.error(f"--queues: there is no queue {', '.join(sorted(unknown))}; use {everything}")
    try:
        settings = load_settings()
        require_servers(settings)
        run_worker(settings, queues=[QueueName(name) for name in names])
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
