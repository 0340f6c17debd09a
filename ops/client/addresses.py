"""Where the API is: what the user named, else the system that runs here, else the settings."""

from pathlib import Path

from ops.local.control import status
from shared.settings import Settings

_API_SERVICE = "api"


def api_url(settings: Settings, *, named: str | None) -> str:
    """Find the address of the API; `ragfleet up` may have taken another port than API_PORT."""
    if named:
        return named if "://" in named else f"http://{named}"
    return _running_here(settings.storage.data_dir) or _configured(settings)


def _running_here(data_dir: Path) -> str | None:
    services = status(data_dir).services
    return next((one.url for one in services if one.name == _API_SERVICE and one.running), None)


def _configured(settings: Settings) -> str:
    host = settings.api.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - recognised, not listened on
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api.port}"
