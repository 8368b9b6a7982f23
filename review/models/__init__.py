from review.models.decisions import DecidedValue, Decision, Reason

__all__ = ["DecidedValue", "Decision", "Reason"]
