"""Import a helpdesk's event log: what happened to its tickets, and when."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from tqdm import tqdm

from triage.event_log.rows import STATES, Columns, Reading, State, snapshots
from triage.event_log.spool import in_order
from triage.event_log.storing import Tally, store
from triage.imports import ImportRefused
from triage.management.importing import ImportCommand
from triage.models import Source
from triage.models.catalogue import KEY

HELP = """\
Import the event log of a helpdesk from FILE (CSV, also .gz): each line is an incident as it was at
one moment. Successive lines of an incident become a ticket and its events: work started, waiting,
reassigned, recategorised, resolved, reopened, closed. Lines may stand in any order, also those of
one incident; their moments put them in order, and within one moment the order of the file does.

Can be stopped and run again, also with a longer log: what is there already is left alone, and so
is a ticket that has events from elsewhere, such as webhooks. Lines that cannot be taken are listed
in the report file with number and reason. A log has no text, so nothing is learnt from it; where
tickets have texts, run import_history on those first.

Example, for a log of ServiceNow:
  import_events log.csv.gz --source desk --id number --updated sys_updated_at
    --state incident_state --opened opened_at --resolved resolved_at --closed closed_at
    --team assignment_group --category category --reassigned-count reassignment_count
    --reopened-count reopen_count --time-format "%d-%m-%Y %H:%M" --empty "?" --order file
"""
COLUMNS = {
    "opened": "When it was opened. Without: its first line.",
    "resolved": "When it was resolved; used where no line shows that moment.",
    "closed": "When it was closed; likewise.",
    "subject": "Without: the id.",
    "team": "The group it is assigned to.",
    "category": "What it is filed under.",
    "reassigned-count": "The helpdesk's own count of moves: those that no line shows count too.",
    "reopened-count": "The helpdesk's own count of reopenings; likewise.",
}


class Command(ImportCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        # Django's own formatter would run the lines of the help together.
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        for name, help_text in (
            ("id", "The incident's id."),
            ("updated", "The moment of the line."),
            ("state", "The incident's state at that moment."),
        ):
            parser.add_argument(f"--{name}", metavar="COL", required=True, help=help_text)
        for name, help_text in COLUMNS.items():
            parser.add_argument(f"--{name}", metavar="COL", default="", help=help_text)
        for name in ("team", "category"):
            parser.add_argument(
                f"--{name}-field",
                metavar="KEY",
                default=name,
                help=f"Key of the source's field for it. Default: {name}.",
            )
        parser.add_argument(
            "--meaning",
            action="append",
            default=[],
            metavar="STATE=MEANING",
            help=f"Of a state of yours; repeat for more. Meanings: {', '.join(State)}. Known: "
            + ", ".join(f"{word}={state}" for word, state in STATES.items()),
        )
        parser.add_argument(
            "--empty",
            action="append",
            default=[],
            metavar="VALUE",
            help='What stands where nothing is known, such as "?"; repeat for more.',
        )
        parser.add_argument(
            "--order",
            choices=("moment", "file"),
            default="moment",
            help="What puts an incident's lines in order. 'file' where they stand in the order "
            "in which they came to be: a wrong clock then reopens nothing. Default: moment.",
        )
        parser.add_argument(
            "--time-format",
            default="",
            metavar="FORMAT",
            help='Such as "%%d-%%m-%%Y %%H:%%M". Default: ISO 8601, like 2026-03-01T09:30Z.',
        )
        parser.add_argument(
            "--time-zone",
            metavar="NAME",
            help="Of times without an offset, such as Europe/Berlin. Default: the service's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = self.file(options["file"])
        names = ("id", "updated", "state", *(name.replace("-", "_") for name in COLUMNS))
        columns = Columns(**{name: options[name] for name in names})
        reading = Reading(
            states={**STATES, **dict(map(_meaning, options["meaning"]))},
            empty=frozenset(options["empty"]),
            shape=options["time_format"],
            zone=_zone(options["time_zone"]),
            in_file_order=options["order"] == "file",
            encoding=options["encoding"],
            delimiter=options["delimiter"],
        )
        keys = {
            name: _key(name, options[f"{name}_field"])
            for name in ("team", "category")
            if options[name]
        }
        source = self.source(options["source"], options["owner"])
        refusals: list[tuple[int, str]] = []
        quiet = options["verbosity"] == 0
        try:
            tally, read = _import(path, source, columns, reading, keys, refusals, quiet=quiet)
        except (ImportRefused, LookupError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{read} lines: {tally.created} tickets new, {tally.known} there already, "
            f"{tally.events} events new, {len(refusals)} refused."
        )
        if tally.left:
            self.stdout.write(f"{tally.left} tickets have events from elsewhere: left alone.")
        self.list_refused(refusals, path, options["report"])


def _import(
    path: Path,
    source: Source,
    columns: Columns,
    reading: Reading,
    keys: Mapping[str, str],
    refusals: list[tuple[int, str]],
    *,
    quiet: bool,
) -> tuple[Tally, int]:
    """Also answers how many lines were read."""

    def refuse(line: int, why: str) -> None:
        refusals.append((line, why))

    with tqdm(unit=" lines", desc=f"reading {path.name}", disable=quiet) as bar:
        read = 0

        def count(lines: int) -> None:
            nonlocal read
            read += lines
            bar.update(lines)

        rows = snapshots(path, columns, reading, refuse=refuse, progress=count)
        with in_order(rows) as ordered:
            bar.close()
            total = read - len(refusals)
            with tqdm(unit=" lines", desc="storing", total=total, disable=quiet) as storing:
                return store(ordered, source, keys, refuse=refuse, progress=storing.update), read


def _meaning(text: str) -> tuple[str, State]:
    word, sign, meaning = text.rpartition("=")
    if not sign or not word or meaning not in set(State):
        raise CommandError(
            f"--meaning takes STATE=MEANING, the meaning one of {', '.join(State)}; got {text!r}."
        )
    return word.strip().lower(), State(meaning)


def _key(name: str, key: str) -> str:
    try:
        KEY(key)
    except ValidationError as error:
        raise CommandError(f"--{name}-field {key!r}: {KEY.message}") from error
    return key


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise CommandError(f"--time-zone {name!r}: there is no such time zone.") from error
