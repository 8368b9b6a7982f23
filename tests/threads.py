from collections.abc import Callable, Sequence
from threading import Thread

import pytest
from django.db import connections


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
