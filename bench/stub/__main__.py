"""`python -m bench.stub --port 9000`: answers until SIGTERM; POST /behaviour sets the rest."""

import argparse

from aiohttp import web

from bench.stub.server import create_app
from bench.stub.state import Behaviour


def main() -> None:
    """Read the port and serve on loopback."""
    parser = argparse.ArgumentParser(prog="python -m bench.stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    app = create_app(Behaviour())
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
