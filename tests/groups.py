"""Tests that run one after the other in one process, for what they share or use up together.

Where a test lies says it, and not xdist's mark: it is lost with the ids that pytest has of late.
"""

from collections.abc import Mapping

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling, Scheduling

# By the beginning of a test's path; the first that fits.
GROUPS: Mapping[str, str] = {
    # Each runs the whole service beside it.
    "tests/chaos/": "services",
    "tests/bench/test_bench.py": "services",
    "tests/triage/demo/test_demo_command.py": "demo",
    "tests/test_data_way.py": "data way",
    # What is made once a process takes up to half a minute.
    "tests/learning/test_evaluate_command.py": "evaluate",
    "tests/learning/": "learning",
    "tests/triage/demo/test_past.py": "past",
}


def group_of(nodeid: str) -> str | None:
    return next((name for path, name in GROUPS.items() if nodeid.startswith(path)), None)


class Grouped(LoadGroupScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return Grouped(config, log) if config.getvalue("dist") == "loadgroup" else None
