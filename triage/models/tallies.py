"""How many rows there were, kept so that nobody counts a million of them again."""

from django.db import models


class TallyMark(models.Model):
    """Up to when the rows of one kind are counted; the lock of whoever counts on."""

    name = models.CharField(max_length=60, primary_key=True)
    upto = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} up to {self.upto}"


class Tally(models.Model):
    """The rows of one kind with one value, up to the mark. Only ever grows."""

    mark = models.ForeignKey(TallyMark, models.CASCADE, related_name="tallies", db_index=False)
    value = models.CharField(max_length=40, blank=True, help_text="Empty where all are one.")
    total = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["mark", "value"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.mark_id} {self.value}: {self.total}"
