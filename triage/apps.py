from django.apps import AppConfig
from django.core import checks

from triage.older_databases import half_way


class TriageConfig(AppConfig):
    name = "triage"
    verbose_name = "Triage"

    def ready(self) -> None:
        checks.register(half_way, checks.Tags.database)
