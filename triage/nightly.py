"""What is done for a model in service once a night, in order."""

import logging
from datetime import date

from triage import alerts, drift, retraining
from triage.drift_findings import settle
from triage.models import DriftReport, ModelVersion

logger = logging.getLogger(__name__)


def look_after(version: ModelVersion, today: date) -> list[DriftReport]:
    """Report on the days that are over, settle what they show, consider training, mail the owner.

    Safe to repeat: a day that has its report is left, and what was mailed is not mailed again.
    """
    reports = drift.report_all(version, drift.due(version, today))
    for report in reports:
        settle(report)
    retraining.consider(version)
    try:
        alerts.send(version)
    except OSError as error:
        # The mail server is away; what is not noted as mailed goes the next night.
        logger.error("model %s: its owner was not mailed: %s", version.pk, type(error).__name__)
    return reports
