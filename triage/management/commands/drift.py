"""Look at drift by hand, for the night or for a day that is past."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from triage import nightly
from triage.drift import champions, report_all
from triage.drift_findings import settle
from triage.models import DriftReport, ModelVersion, Source


class Command(BaseCommand):
    help = (
        "Compare what each model in service answers with what it first answered, tell its owner "
        "what drifted, and propose training where it pays: what the beat asks for every night. "
        "With --day, only look at that day and store its figures. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", metavar="SLUG", help="Default: all sources.")
        parser.add_argument("--day", type=_day, help="A day that is over, as 2026-03-02.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["source"]
        if slug and not Source.objects.filter(slug=slug).exists():
            raise CommandError(f"There is no source {slug!r}.")
        day: date | None = options["day"]
        if day is not None and day >= timezone.localdate():
            raise CommandError(f"{day} is not over yet.")
        for version in champions():
            if slug in (None, version.field.source.slug):
                self._look(version, day)

    def _look(self, version: ModelVersion, day: date | None) -> None:
        if day is None:
            reports = nightly.look_after(version, timezone.localdate())
        else:
            reports = report_all(version, [day])
            for report in reports:
                settle(report)
        if not reports:
            self.stdout.write(f"{version}: no day to report on.")
        for report in reports:
            self.stdout.write(f"{version} on {report.day}: {_said(report)}")


def _said(report: DriftReport) -> str:
    if "predictions" not in report.figures:
        return f"{report.predictions} predictions, not enough yet"
    inputs = max(one["index"] for one in report.figures["inputs"].values())
    return (
        f"{report.predictions} predictions, inputs {inputs:.3f}, predictions "
        f"{report.figures['predictions']['index']:.3f}, out of scope "
        f"{report.figures['out_of_scope']['value']:.1%}, {report.checks} blind checks"
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)
