"""Train model versions from the labels that are stored."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from triage.learning import registry, runs
from triage.learning.training import TrainingRefused
from triage.models import Field, ModelVersion, Source


class Command(BaseCommand):
    help = (
        "Train a model for each field of a source, or for one, and print what it does on the "
        "held-out fifth. The first version of a field goes into service; later ones are "
        "candidates for the owner to promote in the admin, unless --promote is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, metavar="SLUG")
        parser.add_argument("--field", metavar="KEY", help="One field; default: all that can be.")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--leave-out-small",
            action="store_true",
            help="Train without the choices that have too few labels.",
        )
        parser.add_argument(
            "--promote", action="store_true", help="Put the new version into service."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(slug=options["source"]).first()
        if source is None:
            known = ", ".join(Source.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no source {options['source']!r}; known: {known}.")
        fields = Field.objects.filter(source=source).select_related("source__owner")
        if options["field"]:
            fields = fields.filter(key=options["field"])
            if not fields:
                raise CommandError(f"{source} has no field {options['field']!r}.")
        refused = [field.key for field in fields if not self._train(field, options)]
        if len(refused) == len(fields):
            raise CommandError("No model was trained.")

    def _train(self, field: Field, options: dict[str, Any]) -> bool:
        with tqdm(total=100, desc=field.key, unit="%", disable=options["verbosity"] == 0) as bar:

            def tell(share: float, what: str) -> None:
                bar.set_postfix_str(what)
                bar.update(int(share * 100) - bar.n)

            try:
                version = runs.in_foreground(
                    field,
                    by=field.source.owner,
                    seed=options["seed"],
                    leave_out_small=options["leave_out_small"],
                    progress=tell,
                )
            except TrainingRefused as error:
                bar.close()
                self.stderr.write(self.style.WARNING(str(error)))
                return False
        self._report(version)
        if options["promote"] or registry.champion(field) is None:
            registry.promote(version, by=field.source.owner, reason="manage.py train")
            self.stdout.write(f"{version} is in service.")
        else:
            self.stdout.write(f"{version} is a candidate; promote it in the admin.")
        return True

    def _report(self, version: ModelVersion) -> None:
        figures = version.evidence
        self.stdout.write(
            f"{version}: {version.label_count} labels, {len(version.choices)} choices, "
            f"{figures['fit_seconds']} s\n"
            f"  held out {figures['held_out']}: accuracy {figures['accuracy']:.4f}, "
            f"macro-F1 {figures['macro_f1']:.4f}, "
            f"calibration error {figures['calibration_error']:.4f}"
        )
