"""Which machine a call goes to: a name is looked up once, and what it led to is checked."""

import queue
import socket
import threading
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from triage.helpdesks.base import HelpdeskRefused, HelpdeskSilent, HelpdeskUnavailable

# Everything that is routed on the internet lies in here; of the rest nothing is for us.
PUBLIC_IPV6 = ip_network("2000::/3")
# Within what Python calls global: ways to other networks, and blocks it learnt of lately.
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


class Place(NamedTuple):
    """What a socket is opened with: never a name, so nothing is looked up again."""

    family: int
    address: tuple[Any, ...]


def places(host: str, port: int, *, seconds: float, allows_private: bool) -> list[Place]:
    """Where a host is, in the order to try.

    Raises HelpdeskRefused if any of its addresses is not public and the source does not allow
    that, HelpdeskSilent after so many seconds, HelpdeskUnavailable if nobody knows the name.
    """
    found = _look_up(host, port, seconds)
    if not allows_private and not all(is_public(str(place.address[0])) for place in found):
        raise HelpdeskRefused(
            "The address is private; the source does not allow private addresses."
        )
    return found


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to one machine on the internet."""
    numeric = ip_address(address)
    if isinstance(numeric, IPv6Address):
        if numeric.ipv4_mapped is None:
            return numeric in PUBLIC_IPV6 and not _is_listed(numeric)
        numeric = numeric.ipv4_mapped
    return numeric.is_global and not numeric.is_multicast and not _is_listed(numeric)


def _is_listed(numeric: object) -> bool:
    return any(numeric in block for block in NOT_PUBLIC)


def _look_up(host: str, port: int, seconds: float) -> list[Place]:
    """In a thread that is left behind if it takes too long: a resolver knows no deadline."""
    answers: queue.SimpleQueue[list[Place] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_resolved(host, port))
        except (OSError, ValueError) as error:
            answers.put(error)

    try:
        # All ways of writing a number, which need no resolver.
        return _resolved(host, port, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise HelpdeskSilent("The address was not found in time.") from None
    if isinstance(answer, ValueError):
        raise HelpdeskRefused("The address is not valid: no machine has this name.") from answer
    if isinstance(answer, Exception):
        raise HelpdeskUnavailable("No machine with this name was found.") from answer
    return answer


def _resolved(host: str, port: int, flags: int = 0) -> list[Place]:
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [Place(family, tuple(address)) for family, _, _, _, address in rows]
