"""Judge models on labelled texts: a public set, or a CSV file of one's own."""

import json
import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from triage.learning.semantic import EncoderRefused
from triage.trials import encoding, page, plots, report, suite, trial
from triage.trials.datasets import PUBLISHED, Dataset, from_file, published
from triage.trials.progress import Bars
from triage.trials.splits import HELD_OUT, How, split
from triage.trials.tables import Columns, TrialRefused

HELP = """Train on one part of a set of labelled texts, judge by another, and compare with customary
baselines. Needs no database and changes nothing but the files that are named."""
EXAMPLES = """examples:
  evaluate --dataset tickets.csv.gz --text body --label category
      a file of your own: a random fifth of it is held out
  evaluate --dataset tickets.csv --text body --label team --split time --order opened_at
      the first 60 % by that column to train on, the last 20 % to judge by
  evaluate --dataset banking77 --json found.json --plots pictures
      a public set in the split of its publishers, with figures and pictures to keep
  evaluate --dataset it --seed 3 --no-semantic
      public IT tickets, words only

Both tiers answer every text for the figures at the top; "cascade" is how the service answers:
sentence vectors only where words are unsure. TRIAGE_DATA_DIR says where the public sets are
(default ../shared/data beside the project). Without requirements-semantic.txt words answer alone.
"""
DEFAULTS = {
    "json": Path(".data/evaluation.json"),
    "plots": Path("docs/images/evaluation"),
    "page": Path("docs/evaluation.md"),
}
MOST_SEED = 2**32 - 1


class Laid(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Leaves the examples as they are written."""


class Command(BaseCommand):
    help = HELP
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLES, formatter_class=Laid, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--dataset", metavar="|".join([*PUBLISHED, "FILE"]), help="FILE: CSV, also gzipped."
        )
        what.add_argument(
            "--all", action="store_true", help="All public sets, and the page docs/evaluation.md."
        )
        what.add_argument(
            "--page-only", action="store_true", help="The page anew from the --json of --all."
        )
        own = parser.add_argument_group("a file of your own")
        own.add_argument("--text", metavar="COL", help="Column with the whole text.")
        own.add_argument("--label", metavar="COL", help="Column with the right answer.")
        own.add_argument("--order", metavar="COL", help="Numbers or ISO dates, for --split time.")
        own.add_argument(
            "--delimiter", default=",", metavar="SIGN", help="Default: a comma; tab is one, too."
        )
        parser.add_argument("--split", choices=[*How], help="Default: official, else random.")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="Default: 0.")
        parser.add_argument(
            "--held-out", type=float, default=HELD_OUT, metavar="SHARE",
            help=f"Share to judge by, above 0 and below 1. Default: {HELD_OUT}.",
        )  # fmt: skip
        parser.add_argument("--limit", type=int, metavar="N", help="Only N texts, at random.")
        parser.add_argument("--no-semantic", action="store_true", help="No sentence vectors.")
        parser.add_argument("--no-speed", action="store_true", help="No texts a second.")
        parser.add_argument(
            "--threads",
            type=int,
            metavar="N",
            help="For sentence vectors. Default: SEMANTIC_THREADS.",
        )
        parser.add_argument("--json", type=Path, metavar="OUT", help="Write all figures there.")
        parser.add_argument("--plots", type=Path, metavar="DIR", help="Draw pictures there.")
        parser.add_argument("--page", type=Path, metavar="MD", help="Another page, for --all.")
        parser.add_argument("--quiet", action="store_true", help="No progress bars.")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        is_own = options["dataset"] and options["dataset"] not in PUBLISHED
        if not is_own and (options["text"] or options["label"]):
            self.stderr.write("--text and --label are for a file of your own: they change nothing.")
        try:
            if options["dataset"]:
                self._one(options)
            else:
                self._all(options)
        except (TrialRefused, EncoderRefused) as error:
            raise CommandError(str(error)) from error

    def _one(self, options: Mapping[str, Any]) -> None:
        dataset = _dataset(options)
        if options["limit"]:
            dataset = dataset.limited(options["limit"], options["seed"])
        how = How(options["split"]) if options["split"] else None
        parts = split(dataset, how, seed=options["seed"], held_out=options["held_out"])
        try:
            found = trial.run(
                parts,
                seed=options["seed"],
                encoder=_encoder(options),
                with_speed=not options["no_speed"],
                bars=Bars(dataset.title, options["quiet"]),
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(report.text(found.figures))
        if options["json"]:
            _write(options["json"], found.figures)
        if options["plots"]:
            plots.draw(found, options["plots"], f"{dataset.name}-{parts.how}")

    def _all(self, options: Mapping[str, Any]) -> None:
        """Figures are written after each trial, so that a run that is stopped leaves them."""
        told: list[report.Figures] = []
        to = {name: options[name] or settings.BASE_DIR / path for name, path in DEFAULTS.items()}
        if options["page_only"]:
            told = _read(to["json"])
        else:
            trials = suite.run_all(
                settings.TRIAGE_DATA_DIR,
                _encoder(options),
                limit=options["limit"],
                quiet=options["quiet"],
            )
            for entry, found in trials:
                self.stdout.write(f"{report.text(found.figures)}\n\n")
                told.append(found.figures)
                _write(to["json"], told)
                if found.figures["seed"] == entry.seeds[0]:
                    plots.draw(found, to["plots"], entry.key)
        _write_page(told, to["page"], to["plots"])
        self.stdout.write(f"{to['page']} is written.")


def _check(options: Mapping[str, Any]) -> None:
    """Before any work: what can be refused by the options alone."""
    if not 0 < options["held_out"] < 1:
        raise CommandError(f"--held-out must be above 0 and below 1, got {options['held_out']:g}.")
    if not 0 <= options["seed"] <= MOST_SEED:
        raise CommandError(f"--seed must be from 0 to {MOST_SEED}, got {options['seed']}.")
    for name, least in (("limit", 2), ("threads", 1)):
        if options[name] is not None and options[name] < least:
            raise CommandError(f"--{name} must be at least {least}, got {options[name]}.")
    if len(_delimiter(options)) != 1:
        raise CommandError(f"--delimiter must be one character, got {options['delimiter']!r}.")
    if options["json"]:
        if options["json"].is_dir():
            raise CommandError(f"--json must be a file, and {options['json']} is a folder.")
        _make(options["json"].parent)
    if options["plots"]:
        _make(options["plots"])
    is_own = options["dataset"] and options["dataset"] not in PUBLISHED
    if is_own and not (options["text"] and options["label"]):
        raise CommandError("A file needs --text COL and --label COL: which columns to read.")
    if options["order"] and not (is_own and options["split"] == How.TIME):
        raise CommandError("--order COL is for a file of your own with --split time.")


def _make(folder: Path) -> None:
    """So that nobody waits for figures that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder} must be a folder to write to: {error.strerror}.") from error
    if not os.access(folder, os.W_OK):
        raise CommandError(f"{folder} must be a folder to write to, and may not be written to.")


def _dataset(options: Mapping[str, Any]) -> Dataset:
    name = options["dataset"]
    if name in PUBLISHED:
        return published(name, settings.TRIAGE_DATA_DIR)
    path = Path(name)
    if not path.exists():
        known = ", ".join(PUBLISHED)
        raise CommandError(f"--dataset must be one of {known} or a CSV file; there is no {name}.")
    columns = Columns(options["text"], options["label"], options["order"] or "")
    return from_file(path, columns, delimiter=_delimiter(options))


def _delimiter(options: Mapping[str, Any]) -> str:
    """A tabulator is hard to give in a shell."""
    sign: str = options["delimiter"]
    return "\t" if sign in ("\\t", "tab") else sign


def _encoder(options: Mapping[str, Any]) -> encoding.MadeOnce | None:
    bare = None if options["no_semantic"] else encoding.encoder(options["threads"])
    return encoding.MadeOnce(bare) if bare is not None else None


def _write(path: Path, found: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _read(path: Path) -> list[report.Figures]:
    if not path.is_file():
        raise CommandError(f"{path} must hold the figures of --all, and there is no such file.")
    told: list[report.Figures] = json.loads(path.read_text(encoding="utf-8"))
    return told


def _write_page(told: list[report.Figures], path: Path, pictures: Path) -> None:
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = page.pictures_in(pictures, path.parent)
    path.write_text(page.page(page.by_entry(told), shown, old), encoding="utf-8")
