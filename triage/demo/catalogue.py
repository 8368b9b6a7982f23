"""The demo company's source in the database: catalogue, rules, playbooks, rungs, secrets."""

import base64
import secrets

from django.contrib.auth.models import User
from django.db import transaction

from triage import ledger
from triage.demo import require_demo_mode
from triage.demo.company import Entry, company, entries
from triage.models import (
    Choice,
    EscalationRule,
    Field,
    LedgerEntry,
    Playbook,
    RuleVersion,
    Rung,
    Source,
    SourceSecret,
)
from triage.policy import conditions, playbooks, routing

FIELDS = (("category", "Category"), ("team", "Team"), ("priority", "Priority"))
AUTOMATION_PATH = "/automation"
# Replaced by `connect` as soon as the simulated helpdesk has an address.
NOWHERE = "http://127.0.0.1:8010"


class PolicyRefused(ValueError):
    """company.toml holds a rule or reply that an owner could not have stored either."""


def demo_source() -> Source | None:
    return Source.objects.filter(slug=company()["source"]["slug"]).first()


@transaction.atomic
def install(owner: User) -> Source:
    """Create the source with everything that its owner decides. Not to be repeated."""
    require_demo_mode()
    told = company()["source"]
    source = Source.objects.create(
        slug=told["slug"],
        name=told["name"],
        # So that whoever tries it out soon meets a ticket that is answered first.
        blind_share=0.08,
        owner=owner,
        helpdesk="generic",
        api_url=NOWHERE,
        allows_private_addresses=True,
        time_zone=told["time_zone"],
        work_starts=told["work_starts"],
        work_ends=told["work_ends"],
    )
    _secrets(source)
    fields = {
        key: Field.objects.create(
            source=source,
            key=key,
            name=name,
            position=position,
            is_main=key == "category",
            is_ordered=key == "priority",
        )
        for position, (key, name) in enumerate(FIELDS)
    }
    choices = {key: _choices(field, entries(key)) for key, field in fields.items()}
    for entry in entries("category"):
        if "team" in entry:
            choices["category"][entry["key"]].implies.add(choices["team"][entry["team"]])
    _rules(source, owner)
    _playbooks(source, owner, choices["category"])
    _rungs(fields, choices, owner)
    return source


def connect(source: Source, helpdesk_url: str) -> None:
    """Point write-backs and playbook calls at where the simulated helpdesk listens now.

    Its pages alone may show the panel in a frame.
    """
    require_demo_mode()
    source.api_url = helpdesk_url
    source.embed_origins = [helpdesk_url, helpdesk_url.replace("127.0.0.1", "localhost")]
    source.save(update_fields=["api_url", "embed_origins"])
    source.playbooks.exclude(action_url="").update(action_url=helpdesk_url + AUTOMATION_PATH)


def secrets_for_helpdesk(source: Source) -> dict[str, str]:
    """What the simulated helpdesk has to know, by purpose, in the clear; and where it delivers."""
    require_demo_mode()
    live = source.secrets.filter(retired_at__isnull=True).order_by("created_at")
    return {"source": source.slug} | {secret.purpose: secret.value() for secret in live}


def _secrets(source: Source) -> None:
    """Made at random for each database, so that no key is ever in the code."""
    for purpose in SourceSecret.Purpose:
        secret = SourceSecret(source=source, purpose=purpose)
        secret.put(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")
        secret.save()


def _choices(field: Field, told: list[Entry]) -> dict[str, Choice]:
    made: dict[str, Choice] = {}
    for entry in told:
        made[entry["key"]] = Choice.objects.create(
            field=field,
            key=entry["key"],
            name=entry["name"],
            parent=made.get(entry.get("parent", "")),
            description=entry.get("description", ""),
            synonyms=entry.get("synonyms", []),
            rank=entry.get("rank", 0),
        )
    return made


def _rules(source: Source, owner: User) -> None:
    catalogue = {
        field.key: frozenset(field.choices.values_list("key", flat=True))
        for field in source.fields.all()
    }
    for position, entry in enumerate(entries("rule")):
        _refuse(
            entry["name"],
            conditions.check(entry["conditions"], catalogue)
            + routing.check(entry["actions"], catalogue),
        )
        rule = EscalationRule.objects.create(
            source=source, name=entry["name"], owner=owner, position=position
        )
        version = RuleVersion.objects.create(
            rule=rule,
            number=1,
            combine=entry["combine"],
            conditions=entry["conditions"],
            actions=entry["actions"],
            author=owner,
        )
        _record(owner, f"rule:{rule.pk}", {"version": version.pk, "number": 1})


def _playbooks(source: Source, owner: User, categories: dict[str, Choice]) -> None:
    for position, entry in enumerate(entries("playbook")):
        reply = entry["reply"].strip()
        _refuse(entry["name"], playbooks.check(reply) + playbooks.check_words(entry["words"]))
        playbook = Playbook.objects.create(
            source=source,
            name=entry["name"],
            owner=owner,
            words=entry["words"],
            reply=reply,
            action_url=NOWHERE + AUTOMATION_PATH if entry.get("calls_automation") else "",
            is_reversible=entry.get("reversible", True),
            follow_up=entry["follow_up"],
            position=position,
        )
        playbook.for_choices.set(categories[key] for key in entry["for"])
        _record(owner, f"playbook:{playbook.pk}", {"for": entry["for"]})


def _rungs(fields: dict[str, Field], choices: dict[str, dict[str, Choice]], owner: User) -> None:
    for entry in entries("rung"):
        rung = Rung.objects.create(
            field=fields[entry["field"]],
            choice=choices[entry["field"]][entry["choice"]] if "choice" in entry else None,
            level=entry["level"],
            cap=entry.get("cap", "auto"),
            threshold=entry.get("threshold", 0.0),
            owner=owner,
            reason=entry["reason"],
        )
        _record(owner, f"rung:{rung.pk}", {"level": rung.level, "reason": rung.reason})


def _refuse(name: str, problems: list[str]) -> None:
    if problems:
        raise PolicyRefused(f"“{name}”: {problems[0]}")


def _record(owner: User, subject: str, payload: dict[str, object]) -> None:
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=subject,
        payload=payload,
        actor=ledger.actor_of(owner),
    )
