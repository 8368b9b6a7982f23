"""Reading the environment: a missing or wrong value stops the start with a sentence."""

import os
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def text(name: str, default: str) -> str:
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false; it is {raw!r}.")
    return value in TRUE


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number; it is {raw!r}.") from None
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}; it is {value}.")
    if most is not None and value > most:
        raise ImproperlyConfigured(f"{name} must be at most {most}; it is {value}.")
    return value


def one_of(name: str, allowed: Sequence[str]) -> str:
    """The first of them is the default."""
    value = os.environ.get(name, allowed[0]).strip().lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}; it is {value!r}.")
    return value


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    raw = os.environ.get(name)
    return list(default) if raw is None else [w.strip() for w in raw.split(",") if w.strip()]


def secret(name: str, *, how: str, shortest: int = 32) -> str:
    """A value without which nothing may start; `how` is a command that makes one."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Make one with: {how}")
    if len(value) < shortest:
        raise ImproperlyConfigured(
            f"{name} must have at least {shortest} characters; it has {len(value)}."
        )
    return value


def secret_if_set(name: str, *, how: str, shortest: int = 32) -> str:
    """As `secret`, but may be missing: what it opens is then closed."""
    return secret(name, how=how, shortest=shortest) if os.environ.get(name) else ""
