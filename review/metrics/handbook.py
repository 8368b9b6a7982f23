"""The table of all definitions in docs/metrics.md, made from the registry."""

from collections.abc import Iterable

from django.utils.translation import override

from review.metrics.definitions import DEFINITIONS, Definition

HEADER = ("#", "metric", "formula", "what for", "who sees it", "least n", "parameters", "caveat")


def table() -> str:
    """Markdown, in English, a line for each definition as the service came with it."""
    with override("en"):
        rows = [_cells(one) for one in DEFINITIONS.values()]
        return "\n".join([_line(HEADER), _line(["---"] * len(HEADER)), *map(_line, rows)])


def _cells(one: Definition) -> list[str]:
    parameters = [
        f"`{name}`: {each.default} {each.unit}, {each.least} to {each.most}"
        for name, each in one.parameters.items()
    ]
    return [
        str(one.number or ""),
        f"{one.name} (`{one.key}`)",
        str(one.formula),
        str(one.purpose),
        str(one.audience.label),
        str(one.min_n),
        "; ".join(parameters),
        str(one.caveat),
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
