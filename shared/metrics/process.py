"""The registry of this process: what happens in it is counted here, whichever tier it is.

As with its log, there is one in each process, and nobody passes it around.
"""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector

PROCESS = CollectorRegistry()
ProcessCollector(registry=PROCESS)
PlatformCollector(registry=PROCESS)

_BUILD = Gauge(
    "ragfleet_build_info", "Always 1; the label says what runs.", ["version"], registry=PROCESS
)
_BUILD.labels(version("lightrag-fleet")).set(1)
