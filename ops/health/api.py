"""The API, and what it says of the stores behind it."""

from typing import Any

import httpx

from ops.doctor.report import Finding, Reporter

_API = Reporter("health.api")
_STORES = Reporter("health.stores")
# The API itself gives its stores two seconds.
_TIMEOUT_S = 10.0


async def ask_api(
    address: str, *, transport: httpx.AsyncBaseTransport | None = None
) -> list[Finding]:
    """Ask whether it is ready; both paths want no key.

    Args:
        address: of the API.
        transport: how it is reached, in tests.
    """
    try:
        async with httpx.AsyncClient(
            base_url=address, timeout=_TIMEOUT_S, transport=transport
        ) as client:
            answer = await client.get("/readyz")
            said: dict[str, Any] = answer.json()
            stores = said["stores"]
    except httpx.HTTPError:
        return [
            _API.error(f"No API answers at {address}; start it, or name another with --url."),
            _STORES.skipped("The API is not there to be asked."),
        ]
    except (ValueError, KeyError, TypeError):
        return [
            _API.error(f"What answers at {address} is no API of ours (HTTP {answer.status_code})."),
            _STORES.skipped("The API is not there to be asked."),
        ]
    return [_API.ok(f"The API at {address} is {said['status']}."), _judge(stores)]


def _judge(stores: dict[str, dict[str, Any]]) -> Finding:
    away = [f"{name} ({one['error_code']})" for name, one in stores.items() if not one["ok"]]
    if away:
        return _STORES.error(f"From the API these do not answer: {', '.join(sorted(away))}.")
    return _STORES.ok(f"All stores answer: {', '.join(sorted(stores))}.")
