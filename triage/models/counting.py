"""What the figures have to be counted anew for; touching.py says what writes here."""

from django.db import models

from triage.models.catalogue import Source


class Touched(models.Model):
    """That something of the day of `at` changed for a source; without a moment: of all its days.

    Appended to by many at once and removed by whoever has counted, so nothing here is unique.
    """

    source = models.ForeignKey(
        Source, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "touched days"

    def __str__(self) -> str:
        return f"source {self.source_id} on {self.at:%Y-%m-%d}" if self.at else "all days"
