"""The invented company as company.toml describes it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("company.toml")

Entry = dict[str, Any]


@cache
def company() -> Entry:
    """The whole file; callers do not change it."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def entries(kind: str) -> list[Entry]:
    """All entries of one kind (category, team, priority, rule, ...), in the file's order."""
    found: list[Entry] = company()[kind]
    return found


def leaves() -> frozenset[str]:
    """Category keys that tickets can have: those below a parent."""
    return frozenset(entry["key"] for entry in entries("category") if "parent" in entry)


def keys(kind: str) -> frozenset[str]:
    return frozenset(entry["key"] for entry in entries(kind))


def address(login: str) -> str:
    """The mail address of a requester or of somebody at the service desk."""
    return f"{login}@{company()['source']['mail_domain']}"


def requester_name(login: str) -> str:
    name: str = company()["requesters"][login]
    return name
