"""A cache that keeps silent is asked once in ten seconds, whoever wants something of it."""

import socket
import threading
from collections.abc import Iterator

import pytest
from redis.exceptions import RedisError

from review.cache import PatientCache, PatientRedis

PATIENCE = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2}


@pytest.fixture(autouse=True)
def no_pause() -> Iterator[None]:
    yield
    PatientRedis.silent_until = 0.0


@pytest.fixture
def callers() -> Iterator[list[object]]:
    """A server that takes connections and never answers; `callers` are those it took."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[object] = [server.getsockname()[1]]

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield taken


def asked(callers: list[object]) -> int:
    return len(callers) - 1


def silent_cache(callers: list[object]) -> PatientCache:
    return PatientCache(f"redis://127.0.0.1:{callers[0]}/0", {"OPTIONS": PATIENCE})


def test_after_one_silence_nobody_waits_for_the_cache(callers: list[object]) -> None:
    cache = silent_cache(callers)
    with pytest.raises(RedisError):
        cache.get("a")
    before = asked(callers)

    for other in (cache, silent_cache(callers)):
        with pytest.raises(RedisError, match="kept silent a moment ago"):
            other.get("a")
        with pytest.raises(RedisError, match="kept silent a moment ago"):
            other.set("a", 1, 5)

    assert asked(callers) == before > 0


def test_after_the_pause_it_is_asked_again(callers: list[object]) -> None:
    cache = silent_cache(callers)
    with pytest.raises(RedisError):
        cache.get("a")
    before = asked(callers)
    PatientRedis.silent_until = 0.0

    with pytest.raises(RedisError):
        cache.get("a")

    assert asked(callers) > before
