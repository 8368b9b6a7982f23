"""The record that cannot be rewritten unnoticed."""

from triage.ledger.chain import (
    GENESIS,
    SERVICE,
    Entry,
    Fault,
    actor_of,
    append,
    append_all,
    digest,
    verify,
)
from triage.ledger.heads import export_if_due

__all__ = [
    "GENESIS",
    "SERVICE",
    "Entry",
    "Fault",
    "actor_of",
    "append",
    "append_all",
    "digest",
    "export_if_due",
    "verify",
]
