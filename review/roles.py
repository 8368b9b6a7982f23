"""The four roles as groups, and what each may do."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

TECHNICIAN = "technician"
AI_OWNER = "AI owner"
TEAM_LEAD = "team lead"
AUDITOR = "auditor"
ROLES = (TECHNICIAN, AI_OWNER, TEAM_LEAD, AUDITOR)
# These work at the owner's desk as well; technicians need the review pages only.
AT_THE_DESK = frozenset({AI_OWNER, TEAM_LEAD, AUDITOR})

DECIDES = {
    "review.view_decision",
    "review.add_decision",
    "triage.view_ticket",
    "triage.view_proposal",
}
OWNED = (
    "source",
    "sourcesecret",
    "field",
    "choice",
    "escalationrule",
    "playbook",
    "rung",
    "emergencystop",
    "modelversion",
)
# Past the line: everybody may report, only auditors read and answer.
REPORTS = {"review.report_concern"}
# What metrics mean is made by those who work by them, and put in force by two roles.
SHAPES = {"review.shape_metricdefinition"}
ACTIVATES = {"review.activate_metricdefinition"}
# Drills are set by two roles, at their page; AI owners set them at the desk as well.
DRILLS = {"review.view_drillprogramme", "review.run_drillprogramme"}
# What shall be better for automation is agreed on by those who answer for it.
AGREES = {"review.set_kpitarget"}
WEEKLY = {"review.receive_weeklyreport"}
TOKENS = {"knox.view_authtoken", "knox.add_authtoken", "knox.delete_authtoken"}


class PermissionMissing(Exception):
    """A role needs a permission that the database does not have."""


def _views(*apps: str) -> set[str]:
    """Everything of the apps that may be looked at; new tables join by themselves."""
    rows = Permission.objects.filter(
        codename__startswith="view_", content_type__app_label__in=apps
    ).values_list("content_type__app_label", "codename")
    return {f"{app}.{code}" for app, code in rows}


def permissions_of(role: str) -> set[str]:
    """What a role may do, as app.codename."""
    if role == TECHNICIAN:
        return DECIDES | REPORTS | SHAPES
    if role == AI_OWNER:
        owned = {f"triage.{verb}_{name}" for name in OWNED for verb in ("add", "change", "view")}
        reasons = {f"review.{verb}_reason" for verb in ("add", "change", "view")}
        alone = {
            "triage.change_job",
            "triage.erase_ticket",
            "triage.add_trainingrun",
            "triage.change_trainingrun",
            "triage.change_labeldoubt",
            "review.embed_decision",
            "review.view_spotcheck",
            "review.view_drill",
            "review.add_drillprogramme",
            "review.change_drillprogramme",
        }
        shared = DECIDES | REPORTS | SHAPES | ACTIVATES | DRILLS | AGREES | WEEKLY
        return shared | owned | reasons | TOKENS | alone | _views("triage")
    if role == TEAM_LEAD:
        return (
            REPORTS
            | SHAPES
            | ACTIVATES
            | DRILLS
            | AGREES
            | WEEKLY
            | _views("triage")
            | {
                "review.view_decision",
                "review.view_reason",
                "review.unshare_savedview",
                "review.view_teamagreement",
                "review.add_teamagreement",
            }
        )
    if role == AUDITOR:
        reads = _views("triage", "review", "knox", "auth", "admin")
        return REPORTS | WEEKLY | {"review.answer_concern"} | reads
    raise ValueError(f"A role is one of {', '.join(ROLES)}; got {role!r}.")


@transaction.atomic
def ensure_groups() -> None:
    """Create the four groups and give each exactly its permissions. May be repeated."""
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(_rows(permissions_of(role)))


def _rows(wanted: Iterable[str]) -> list[Permission]:
    wanted = set(wanted)
    rows = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in Permission.objects.select_related("content_type").filter(
            codename__in=[name.partition(".")[2] for name in wanted]
        )
    }
    if missing := sorted(wanted - rows.keys()):
        raise PermissionMissing(
            f"The database lacks the permissions {', '.join(missing)}: run migrate first."
        )
    return [rows[name] for name in sorted(wanted)]


def give_role(user: User, role: str) -> None:
    """Put a person into a role's group; roles at the owner's desk may enter it."""
    user.groups.add(Group.objects.get(name=role))
    admit(user)


def admit(user: User) -> None:
    """Whoever holds a role at the owner's desk gets the flag that opens it. Never takes it away."""
    if not user.is_staff and user.groups.filter(name__in=AT_THE_DESK).exists():
        user.is_staff = True
        user.save(update_fields=["is_staff"])
