"""Which sites may show the review panel in a frame, as a Content-Security-Policy names them."""

import re
from collections.abc import Iterable

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
SHAPE = re.compile(
    rf"(?P<scheme>https?)://(?P<wild>\*\.)?(?P<host>{LABEL}(?:\.{LABEL})*)"
    r"(?::(?P<port>[1-9]\d{0,4}))?",
    re.ASCII,
)
LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}", re.ASCII)


def problem(origin: str) -> str:
    """Why this is no origin that may be listed; empty if it is one."""
    found = SHAPE.fullmatch(origin)
    if found is None:
        return (
            f"“{origin[:60]}” is not an origin: write scheme and host in lower case, with a port "
            "if it is an unusual one, and nothing after it, as in https://desk.example.org."
        )
    if found["port"] and int(found["port"]) > 65535:
        return f"“{origin}”: there is no such port."
    if found["scheme"] == "http" and (found["wild"] or not LOOPBACK.fullmatch(found["host"])):
        return f"“{origin}”: only https is safe; http is for this machine alone."
    if found["wild"] and "." not in found["host"]:
        return f"“{origin}”: a star stands for what is before a domain: https://*.example.org."
    return ""


def usable(origins: Iterable[str]) -> list[str]:
    """Those that a header may name; whatever else was stored is left out."""
    return [origin for origin in origins if not problem(origin)]
