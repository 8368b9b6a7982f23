"""The arrows and sizes of the house, held by reading the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("config", "triage", "review")
# A room may import what stands in an earlier line, and its own.
ORDER = (
    ("triage.secrets", "triage.storable", "triage.bulk", "triage.nested"),
    ("triage.models",),
    ("triage.ledger",),
    ("triage.jobs",),
    ("triage.helpdesks",),
    ("triage.learning",),
    ("triage.policy",),
    (
        "triage.policies",
        "triage.policies_in_force",
        "triage.similar",
        "triage.outcomes",
        "triage.drafts",
        "triage.drawing",
        "triage.evidence",
        "triage.shadows",
        "triage.waiting",
    ),
    ("triage.incidents",),
    ("triage.effects",),
    ("triage.intake", "triage.intake.inbox"),
    ("triage.steps", "triage.certify", "triage.imports", "triage.erasure"),
    ("triage.history", "triage.event_log"),
    ("triage", "triage.intake.webhook", "triage.intake.door"),
)
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def sources(*rooms: str) -> list[Path]:
    return sorted(
        path
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
    )


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def line_of(module: str) -> int:
    fits = [
        (len(prefix), line)
        for line, prefixes in enumerate(ORDER)
        for prefix in prefixes
        if module == prefix or module.startswith(f"{prefix}.")
    ]
    return max(fits)[1]


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sources(*ROOMS, "tests", "bench")}


def test_triage_never_imports_review_and_no_app_imports_config(
    trees: dict[Path, ast.Module],
) -> None:
    wrong = [
        (module_of(path), name)
        for path, tree in trees.items()
        for name in imported(tree)
        if (module_of(path).startswith("triage") and name.split(".")[0] in ("review", "config"))
        or (module_of(path).startswith("review") and name.split(".")[0] == "config")
        or (module_of(path).startswith("config") and name.split(".")[0] in ("triage", "review"))
    ]

    # The address table is the one place that names views of the apps.
    assert [pair for pair in wrong if pair[0] != "config.urls"] == []


def test_rooms_of_triage_import_only_rooms_above_them(trees: dict[Path, ast.Module]) -> None:
    wrong = [
        (module_of(path), name)
        for path, tree in trees.items()
        if module_of(path).startswith("triage")
        for name in imported(tree)
        if name.startswith("triage.") and line_of(name) > line_of(module_of(path))
    ]

    assert wrong == []


def test_policy_knows_no_query_no_clock_and_no_settings(trees: dict[Path, ast.Module]) -> None:
    wrong = [
        (module_of(path), name)
        for path, tree in trees.items()
        if module_of(path).startswith("triage.policy.")
        for name in imported(tree)
        if name.split(".")[0] in ("django", "time", "random")
        or (name.startswith("triage.") and not name.startswith("triage.policy"))
    ]

    assert wrong == []


def test_only_settings_and_what_runs_before_them_read_the_environment() -> None:
    allowed = {
        "config.env", "config.embedded", "config.embedded_keeper", "config.embedded_child",
        "config.celery", "config.wsgi", "manage",
    }  # fmt: skip
    readers = {
        module_of(path)
        for path in [*sources(*ROOMS), ROOT / "manage.py"]
        if "os.environ" in path.read_text() or "getenv(" in path.read_text()
    }

    assert readers - allowed == set()


def test_no_import_hides_in_a_function_and_none_takes_everything(
    trees: dict[Path, ast.Module],
) -> None:
    hidden = [
        f"{module_of(path)}:{inner.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    starred = [
        f"{module_of(path)}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]

    assert hidden + starred == []


def test_no_signals(trees: dict[Path, ast.Module]) -> None:
    users = [
        module_of(path)
        for path, tree in trees.items()
        if any(name.startswith("django.db.models.signals") for name in imported(tree))
        or any(name == "django.dispatch" for name in imported(tree))
    ]

    assert users == []


def test_files_and_functions_stay_short(trees: dict[Path, ast.Module]) -> None:
    long_files = [
        f"{module_of(path)}: {len(path.read_text().splitlines())} lines"
        for path in trees
        if len(path.read_text().splitlines()) > LONGEST_FILE
    ]
    long_functions = [
        f"{module_of(path)}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert long_files + long_functions == []
