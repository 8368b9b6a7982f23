"""docs/evaluation.md: what was wanted and what was found. What is written by hand in it stays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage.trials.report import NONE, SIDES, Figures, compared, opening, piped
from triage.trials.suite import SUITE, WANTED, WANTED_OF_RATIOS, Wanted, averaged, found

BEGIN, END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
TITLES = {
    "it-random": "it-service-tickets, split at random",
    "it-time": "it-service-tickets, split by time",
    "banking77-official": "banking77",
    "clinc150-official": "clinc150",
}
PLOTS = {
    "coverage": "Errors among the answered, the surest first",
    "reliability": "How often what is said with some probability is right",
    "asked": "Accuracy as the second tier is asked for more and more",
    "scope": "Out-of-scope texts found as in-scope ones are turned away",
    "labels": "Right and wrong by label",
}
INTRODUCTION = """\
Measured on public texts that none of us wrote. `make evaluate` runs all of it in one process and
writes this page, all but the part that says otherwise. The sets are no part of the project: they
are read from `TRIAGE_DATA_DIR`, by default `../shared/data` beside it."""
METHOD = """\
What counts against the wanted figures is **both tiers**. The service in its default setting answers
as the **cascade**, which stands beside it everywhere.

- Texts go through the same cutting and masking as tickets do; labels never come into them.
- *Answered at 2 % error*: the largest share of texts, the surest first, of which 2 % are wrong.
- *ECE*: expected calibration error, in 15 bins of equally many texts.
- *Out-of-scope found*: their in-scope score lies below the limit that turns away 5 or 10 % of the
  in-scope texts judged by. Nothing out of scope is ever trained on.
- *Seconds to fit* include the sentence vectors of the training texts.
- *Texts a second*: sides take turns within one run, with the same texts and one thread; sentence
  vectors are made anew. The median of 5 rounds, or of 3 where sentence vectors take part."""
LIMITED = "Made with --limit: these figures show that the command works, and nothing else."
OWN_FILE = """
## Measure your own tickets

    python manage.py evaluate --dataset tickets.csv.gz --text body --label category
    python manage.py evaluate --dataset tickets.csv --text body --label category \\
        --split time --order opened_at --json found.json --plots pictures

It needs no database and changes nothing. `--help` lists all options."""
RATIOS = """\
Texts a second, ours divided by theirs, the median over the rounds; and the accuracy that is lost by
not asking the second tier for every text."""

Runs = Mapping[str, Sequence[Figures]]
"""The figures of an entry's seeds, by the entry's key."""


def page(runs: Runs, pictures: Mapping[str, Sequence[str]], old: str) -> str:
    """`pictures` are paths relative to the page, by entry; `old` is the page as it was, or ""."""
    return "\n".join([*_lines(runs, pictures), *_by_hand(old), OWN_FILE]) + "\n"


def by_entry(figures: Sequence[Figures]) -> Runs:
    keys = [entry.key for entry in SUITE]
    grouped = {
        key: [one for one in figures if f"{one['dataset']}-{one['split']}" == key] for key in keys
    }
    return {key: seeds for key, seeds in grouped.items() if seeds}


def pictures_in(folder: Path, page_folder: Path) -> dict[str, list[str]]:
    """Paths of the pictures that there are, relative to the page, by entry."""
    found_in: dict[str, list[str]] = {}
    for entry in SUITE:
        paths = [folder / f"{entry.key}-{kind}.png" for kind in PLOTS]
        found_in[entry.key] = [
            Path(os.path.relpath(path, page_folder)).as_posix() for path in paths if path.is_file()
        ]
    return found_in


def _lines(runs: Runs, pictures: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield from ("# How good the models are", "")
    yield from _opening(next(iter(runs.values()))[0])
    yield from ("", "## Wanted and measured", "", *_wanted(runs))
    yield from ("", "## Speed, and what the cascade costs", "", *_ratios(runs))
    for key, seeds in runs.items():
        yield from ("", f"## {TITLES[key]}", "", *_of_entry(seeds))
        for path in pictures.get(key, []):
            kind = path.removesuffix(".png").rpartition("-")[2]
            yield from ("", f"![{PLOTS[kind]}: {TITLES[key]}]({path})")


def _opening(first: Figures) -> Iterator[str]:
    yield from (INTRODUCTION, "", "Who answers in the tables:", "")
    for name, (meaning, _, _) in SIDES.items():
        yield f"- **{name}**: {meaning}"
    yield from ("", METHOD, "")
    yield f"Machine: {'; '.join(f'{name} {value}' for name, value in first['machine'].items())}."
    if any("--limit" in note for note in first["notes"]):
        yield from ("", f"**{LIMITED}**")


def _wanted(runs: Runs) -> list[str]:
    rows = [["", "", "wanted", "both tiers", "range over seeds", "cascade", "reached"]]
    for wanted in WANTED:
        seeds = runs.get(wanted.entry)
        if not seeds:
            continue
        values = [value for one in seeds if (value := found(one, wanted.keys)) is not None]
        mean = found(averaged(seeds), wanted.keys)
        spread = f"{min(values):.4f} to {max(values):.4f}" if len(values) > 1 else NONE
        cascade = found(averaged(seeds), ["tiers", "cascade", *wanted.keys])
        name = TITLES[wanted.entry]
        rows.append([name, wanted.name, str(wanted), _shown(mean), spread, _shown(cascade),
                     _verdict(wanted, mean)])  # fmt: skip
    seeds_used = max(len(seeds) for seeds in runs.values())
    return [*piped(rows), "", f"Random splits: the mean over {seeds_used} seeds."]


def _ratios(runs: Runs) -> list[str]:
    rows = [["", *(f"{wanted.name} {wanted}".strip() for wanted in WANTED_OF_RATIOS)]]
    for key, seeds in runs.items():
        mean = averaged(seeds)["ratios"]
        cells = []
        for wanted in WANTED_OF_RATIOS:
            value = found(mean, wanted.keys)
            digits = 4 if wanted.at_most else 2
            missed = value is not None and not wanted.is_met(value)
            shown = NONE if value is None else f"{value:.{digits}f}"
            cells.append(f"**{shown}** (missed)" if missed else shown)
        rows.append([TITLES[key], *cells])
    return [RATIOS, "", *piped(rows)]


def _of_entry(seeds: Sequence[Figures]) -> list[str]:
    lines = opening(seeds[0])
    several = f" Mean over the seeds {', '.join(str(one['seed']) for one in seeds)}; speeds and "
    many = f"{several}pictures: seed {seeds[0]['seed']}." if len(seeds) > 1 else ""
    rest = " ".join(lines[1:])
    title = lines[0].partition(" (seed")[0]
    return [f"{title}. {rest}{many}", "", *piped(compared(averaged(seeds)))]


def _by_hand(old: str) -> list[str]:
    begin, end = old.find(BEGIN), old.find(END)
    kept = old[begin + len(BEGIN) : end] if 0 <= begin < end else "\n\nNothing yet.\n\n"
    return ["", "## What was tried and did not help", "", f"{BEGIN}{kept}{END}"]


def _shown(value: float | None) -> str:
    return NONE if value is None else f"{value:.4f}"


def _verdict(wanted: Wanted, value: float | None) -> str:
    if value is None:
        return NONE
    return "yes" if wanted.is_met(value) else "**no**"
