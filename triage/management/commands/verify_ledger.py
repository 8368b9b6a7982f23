"""Check the whole chain of the ledger, and that it is all of it."""

import argparse
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from triage import ledger
from triage.ledger import audit, heads
from triage.models import LedgerEntry, LedgerHead

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Recompute every link of the ledger and name the first broken entry; look whether the "
        "database still refuses changes; then hold every exported head against the chain, which "
        "finds a cut tail and a chain that was rewritten as a whole. Only reads. Ends with 1 if "
        "anything is wrong."
    )
    epilog = (
        "An auditor needs the right to read the database, copies of exported heads, and the "
        "public key that `export_ledger_head --public-key` printed: verify_ledger --heads COPIES "
        "--public-key countersign.pem. See docs/ledger.md."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="PATH",
            help="a file of exported heads, or a directory of heads-*.jsonl (by default "
            "COUNTERSIGN_LEDGER_DIR)",
        )
        parser.add_argument(
            "--public-key",
            type=_public_key,
            action="append",
            metavar="FILE",
            help="PEM of a public key to check the heads with, instead of the one that follows "
            "from COUNTERSIGN_LEDGER_KEY; may be given again for heads from before a change",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        faults = [*self._chain(), *(f"Unguarded: {each}." for each in audit.missing_guards())]
        faults += self._heads(options["heads"], options["public_key"] or [heads.public_key()])
        if faults:
            rest = [f"... and {len(faults) - SHOWN} more."] if len(faults) > SHOWN else []
            raise CommandError("\n".join([*faults[:SHOWN], *rest]))

    def _chain(self) -> list[str]:
        row = LedgerHead.objects.filter(pk=1).first()
        with tqdm(total=row.sequence if row else 0, unit=" entries", disable=None) as bar:
            fault = ledger.verify(bar.update)
        if fault is not None:
            return [f"Ledger broken at entry {fault.sequence}: {fault.problem}."]
        self.stdout.write(f"Ledger holds: {LedgerEntry.objects.count()} entries.")
        return []

    def _heads(self, given: Path | None, keys: list[Ed25519PublicKey]) -> list[str]:
        path = given or heads.directory()
        if given is not None and not given.exists():
            raise CommandError(f"There is no file or directory {given}.")
        faults, count, last = [], 0, None
        for checked in tqdm(audit.check_heads(path, *keys), unit=" heads", disable=None):
            count += 1
            if checked.problem:
                faults.append(f"{checked.place}: {checked.problem}.")
            else:
                last = checked.head
        if not count:
            self.stdout.write(
                f"No head has been exported to {path}: a cut tail would not be found."
            )
        elif last is not None:
            self.stdout.write(
                f"{count - len(faults)} of {count} exported heads are in it; the last one that is "
                f"counts {last.sequence} entries at {last.at}."
            )
        return faults


def _public_key(name: str) -> Ed25519PublicKey:
    try:
        return audit.read_public_key(Path(name))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
