"""States of working beside others, taking back, answering first, practising, and the panel."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page

from review.models import Concern, Lease, Reason, SavedView, Skip
from tests.browser.scenery import Scene, bare_scene, busy_scene, decide
from tests.browser.stage import Stage
from tests.conftest import new_secret
from tests.review.embed.world import link_to
from tests.review.helpers import make_reader
from tests.review.test_practice import make_checked
from triage.models import EscalationRule, RuleVersion, Waiting


def leased(stage: Stage) -> Page:
    """Tom has it open."""
    scene = busy_scene()
    now = timezone.now()
    Lease.objects.create(
        ticket=scene[48213].ticket,
        holder=scene.tom,
        window=uuid4(),
        taken_at=now - timedelta(minutes=2),
        until=now + timedelta(minutes=10),
    )
    return stage.at(scene, scene.path(48213))


def skip(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.keyboard.press("s")
    return page


def skipped(stage: Stage) -> Page:
    scene = busy_scene()
    reason = Reason.objects.get(key="not-my-field", applies_to=Reason.AppliesTo.SKIP)
    for number in (48221, 48240):
        Skip.objects.create(
            proposal=scene[number], person=scene.maya, reason=reason, at=timezone.now()
        )
    return stage.at(scene, "/skipped/")


def place(stage: Stage) -> Page:
    """Why a ticket stands where it stands."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.locator(".place summary").click()
    return page


def filtered(stage: Stage) -> Page:
    scene = busy_scene()
    SavedView.objects.create(owner=scene.maya, name="VPN", query="category=network.vpn")
    SavedView.objects.create(owner=scene.tom, name="Held by a rule", query="held=1", is_shared=True)
    return stage.at(scene, "/?category=network.vpn&priority=high")


def views(stage: Stage) -> Page:
    scene = busy_scene()
    SavedView.objects.create(owner=scene.maya, name="VPN", query="category=network.vpn")
    SavedView.objects.create(owner=scene.tom, name="Held by a rule", query="held=1", is_shared=True)
    return stage.at(scene, "/views/")


def search(stage: Stage) -> Page:
    return stage.at(busy_scene(), "/search/?q=vpn")


def undo_offered(stage: Stage) -> Page:
    """After a decision the next ticket is there, and the line that takes it back."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.wait_for_timeout(400)  # Its keys are dead before that.
    page.keyboard.press("a")
    page.wait_for_selector("#toast .said")
    return page


def undone(stage: Stage) -> Page:
    page = undo_offered(stage)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("u")
    page.get_by_text("waits again").wait_for()
    return page


def reverse(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.tom)
    return stage.at(scene, scene.path(48213, "?do=reverse"))


def answer_first(stage: Stage) -> Page:
    scene = busy_scene()
    _draw(scene)
    return stage.at(scene, scene.path(48213))


def answered(stage: Stage) -> Page:
    scene = busy_scene()
    _draw(scene)
    page = stage.at(scene, scene.path(48213))
    page.keyboard.type("wi")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(".field .value")
    return page


def _draw(scene: Scene) -> None:
    Waiting.objects.filter(proposal=scene[48213]).update(blind_at=0.05)


def practice(stage: Stage) -> Page:
    scene = bare_scene()
    for truth in ("network.vpn", "network.wifi", "network.vpn"):
        make_checked(scene.desk, truth=truth, model=scene.model)
    return stage.at(scene, "/practice/")


def beside(stage: Stage) -> Page:
    """A solved ticket beside the present one, with the words that both have."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.locator(".similar a").first.click()
    page.wait_for_selector("#beside-title")
    return page


def news(stage: Stage) -> Page:
    scene = busy_scene()
    rule = EscalationRule.objects.create(
        source=scene.desk.source, name="VPN after the update", owner=scene.desk.owner
    )
    RuleVersion.objects.create(
        rule=rule,
        number=1,
        conditions=[{"kind": "words_any", "words": ["6.2"]}],
        actions=[{"kind": "hold"}],
        author=scene.desk.owner,
    )
    return stage.at(scene, "/news/")


def concern(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, f"/concerns/new/?ticket={scene[48213].ticket_id}")


def my_concerns(stage: Stage) -> Page:
    scene = busy_scene()
    auditor = make_reader("audrey", first_name="Audrey", last_name="Hall")
    now = timezone.now()
    Concern.objects.create(
        reporter=scene.maya,
        text="Tickets of the night shift are closed by a playbook before anybody reads them.",
        reported_at=now - timedelta(days=2),
        answer="Thank you. The playbook is back to suggesting until its owner has looked into it.",
        answered_by=auditor,
        answered_at=now - timedelta(hours=3),
    )
    return stage.at(scene, "/concerns/mine/")


def panel(stage: Stage) -> Page:
    """In the helpdesk's sidebar, 360 wide."""
    scene = busy_scene()
    source = scene.desk.source
    new_secret(source)
    source.embed_origins = ["https://desk.example.org"]
    source.save()
    return stage.at(scene, link_to(scene[48213]))
