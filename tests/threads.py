from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread

import pytest
from django.db import connections


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Requests are answered in a thread until the block ends, which closes the server."""
    # It looks that often whether to stop; the usual half a second would go with every test.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def in_threads() -> Callable[[Sequence[Callable[[], None]]], None]:
    """Run functions at once, each on its own database connection; the first error comes back."""

    def run(works: Sequence[Callable[[], None]]) -> None:
        errors: list[BaseException] = []

        def guarded(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:
                errors.append(error)
            finally:
                connections.close_all()

        threads = [Thread(target=guarded, args=[work]) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        if errors:
            raise errors[0]

    return run
