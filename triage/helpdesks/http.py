"""HTTP towards helpdesks: bounded in time and size, no redirects, no private addresses."""

import json
from collections.abc import Mapping
from typing import Any

import requests
from requests_hardened import Config, Manager
from urllib3.exceptions import HTTPError

from triage.helpdesks.base import HelpdeskConflict, HelpdeskRefused, HelpdeskUnavailable
from triage.helpdesks.deadline import Deadline

DEADLINE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
READ_SECONDS = 5.0
RESPONSE_LIMIT_BYTES = 64 * 1024
USER_AGENT = "Countersign"


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    allows_private_addresses: bool,
) -> dict[str, Any]:
    """Send one request and answer its JSON object ({} for an empty body).

    Raises HelpdeskConflict on 409 and 412, HelpdeskRefused on any other 3xx or 4xx or an address
    that is not allowed, HelpdeskUnavailable on 429, 5xx, silence, or an answer that is too late,
    too large or not JSON.
    """
    config = Config(
        ip_filter_enable=not allows_private_addresses,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECT_SECONDS, READ_SECONDS),
        user_agent_override=USER_AGENT,
    )
    deadline = Deadline(DEADLINE_SECONDS)
    try:
        with deadline, Manager(config).get_session() as session:
            deadline.watch(session)
            with session.request(
                method,
                url,
                data=body,
                headers={"Accept-Encoding": "identity", **headers},
                stream=True,
            ) as response:
                _raise_for(response)
                content = _read(response)
    except requests.exceptions.InvalidURL as error:
        raise HelpdeskRefused(f"The address is not valid: {error}") from error
    except (requests.RequestException, HTTPError) as error:
        if type(error).__name__ == "InvalidIPAddress":
            raise HelpdeskRefused(
                "The address is private; the source does not allow private addresses."
            ) from error
        _check_time(deadline)
        raise HelpdeskUnavailable(f"{method} failed: {type(error).__name__}") from error
    _check_time(deadline)
    return _object(content)


def _check_time(deadline: Deadline) -> None:
    if deadline.is_over:
        raise HelpdeskUnavailable(f"The answer took longer than {deadline.seconds:.0f} s.")


def _raise_for(response: requests.Response) -> None:
    status = response.status_code
    if status in (409, 412):
        raise HelpdeskConflict(f"The helpdesk answered {status}.")
    if status == 429 or status >= 500:
        raise HelpdeskUnavailable(f"The helpdesk answered {status}.")
    if status >= 300:
        raise HelpdeskRefused(f"The helpdesk answered {status}.")


def _read(response: requests.Response) -> bytes:
    """Raw bytes as sent: a compressed answer, which we did not ask for, is not unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise HelpdeskUnavailable("The helpdesk sent a compressed answer, which we refuse.")
    content = bytearray()
    while chunk := response.raw.read1(8192):
        content += chunk
        if len(content) > RESPONSE_LIMIT_BYTES:
            raise HelpdeskUnavailable(f"The answer is larger than {RESPONSE_LIMIT_BYTES} bytes.")
    return bytes(content)


def _object(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HelpdeskUnavailable("The answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise HelpdeskUnavailable("The answer is not a JSON object.")
    return answer
