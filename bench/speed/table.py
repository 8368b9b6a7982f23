"""Every comparison there is, in the order they are made, and what the ratios should be."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.speed import cockpit, drain, intake, latency, memory, pages, reports, similar
from bench.speed.rows import Row, Target
from bench.speed.setting import Setting


@dataclass(frozen=True)
class Group:
    """Comparisons that share what they start; `measure` makes those that are named."""

    names: Sequence[str]
    measure: Callable[[Setting, Sequence[str]], Iterable[Row]]


GROUPS = (
    Group(intake.NAMES, intake.rows),
    Group(drain.NAMES, drain.rows),
    Group(drain.SINGLE_NAMES, drain.single_rows),
    Group(latency.NAMES, latency.rows),
    Group(memory.NAMES, memory.rows),
    Group(memory.GROWTH_NAMES, memory.growth_rows),
    Group(cockpit.NAMES, cockpit.rows),
    Group(pages.NAMES, pages.rows),
    Group(reports.NAMES, reports.rows),
    Group(similar.NAMES, similar.rows),
)
NAMES = tuple(name for group in GROUPS for name in group.names)

TARGETS: Mapping[str, Target] = {
    "intake_vs_bare_django": Target(0.6),
    "drain_vs_predict_proba": Target(0.3),
    "drain_vs_task_per_ticket": Target(5.0),
    "latency_p99_vs_noop": Target(5.0, at_most=True),
    "memory_vs_bare": Target(1.3, at_most=True),
    "memory_growth_100k": Target(1.05, at_most=True),
    "cockpit_vs_bare_swap": Target(3.0, at_most=True),
    "cockpit_vs_150_ms": Target(1.0, at_most=True),
    "cockpit_p95_vs_300_ms": Target(1.0, at_most=True),
    "queue_page_million_vs_10k": Target(1.3, at_most=True),
    "ticket_page_million_vs_10k": Target(1.3, at_most=True),
    **{name: Target(1.5, at_most=True) for name in reports.PATHS},
    reports.WAIT: Target(1.25, at_most=True),
    "similar_vs_50_ms": Target(1.0, at_most=True),
}


def measured(setting: Setting, only: Collection[str]) -> Iterator[Row]:
    """The rows that are wanted, all if none is named, as soon as each is known."""
    for group in GROUPS:
        names = [name for name in group.names if not only or name in only]
        if names:
            for row in group.measure(setting, names):
                yield replace(row, target=TARGETS.get(row.name))
