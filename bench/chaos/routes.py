"""Every address that the service answers at, filled in with rows that are there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from bench.chaos.rights import Right, right_of

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
# Addresses that are regular expressions, or that answer only with something after the "?".
WRITTEN_OUT = {
    "account_confirm_email": "accounts/confirm-email/abc/",
    "account_reset_password_from_key": "accounts/password/reset/key/1-abc/",
    "admin:app_list": "admin/triage/",
    "admin/(?P<url>.*)$": "admin/nothing/here/",
    "admin:autocomplete": "admin/autocomplete/"
    "?app_label=triage&model_name=rung&field_name=choice&term=",
}


@dataclass(frozen=True)
class Route:
    """`name` with its namespace, or the route itself where it has no name."""

    name: str
    path: str
    right: Right

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/v1/")

    @property
    def ends_sessions(self) -> bool:
        return self.name in ("account_logout", "admin:logout")


class Unjudged(Exception):
    """Addresses that nobody has written a right for, or that cannot be filled in."""


def routes(rows: Mapping[str, str]) -> list[Route]:
    """All of them. `rows` fill the places: of named routes, or else by the place's own name.

    Raises Unjudged naming every address without a right or without a row.
    """
    found, without = [], []
    for route, name in _walk(get_resolver().url_patterns):
        key = route if name in ("", "admin:") else name
        right = right_of(name, route)
        path = WRITTEN_OUT.get(key) or _filled(key, route, rows)
        if right is None or path is None:
            without.append(f"{key} ({'no right' if right is None else 'no row'})")
        else:
            found.append(Route(key, f"/{path}", right))
    if without:
        raise Unjudged(f"{len(without)} addresses are not judged: {', '.join(sorted(without))}")
    return found


def _walk(
    patterns: Sequence[URLPattern | URLResolver], prefix: str = "", spaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    for each in patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLPattern):
            yield route, ":".join([*spaces, each.name or ""])
        else:
            inside = (*spaces, each.namespace) if each.namespace else spaces
            yield from _walk(each.url_patterns, route, inside)


def _filled(key: str, route: str, rows: Mapping[str, str]) -> str | None:
    """The path with its places filled; None where one has no row."""
    if "(?P" in route:
        return None
    table = "/".join(route.split("/")[1:3]) if route.startswith("admin/") else ""

    def fill(match: re.Match[str]) -> str:
        place = match.group(1)
        return rows.get(f"{key} {place}") or rows.get(f"{table} {place}") or rows[place]

    try:
        return PLACE.sub(fill, route)
    except KeyError:
        return None


def newest_rows() -> dict[str, str]:
    """For every table at the desk, `app/model object_id` to the key of its newest row."""
    found = {}
    for model in apps.get_models():
        newest = model._default_manager.order_by("-pk").first()
        if newest is not None:
            found[f"{model._meta.app_label}/{model._meta.model_name} object_id"] = str(newest.pk)
    return found
