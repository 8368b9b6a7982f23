"""States that say no, or that something is missing; each opens its page."""

from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page

from review.models import Lease
from tests.browser.scenery import (
    WAITING,
    bare_scene,
    busy_scene,
    change,
    decide,
    fall_silent,
    waiting_ticket,
)
from tests.browser.stage import Stage
from tests.review.helpers import make_proposal
from triage.models import Effect


def session_ended(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.context.clear_cookies()
    page.keyboard.press("j")
    page.wait_for_selector("input[type=password]")
    return page


def too_many_tries(stage: Stage) -> Page:
    scene = bare_scene()
    page = stage.at(scene, "/agreement/")
    page.context.clear_cookies()
    for _ in range(9):
        page.goto(f"{stage.server}/accounts/login/")
        if page.get_by_label("Password").count() == 0:
            break
        page.get_by_label("Login").fill("maya")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").first.click()
    page.wait_for_load_state("networkidle")
    return page


def forbidden(stage: Stage) -> Page:
    scene = bare_scene()
    scene.maya.user_permissions.clear()
    return stage.at(scene, "/")


def forbidden_while_open(stage: Stage) -> Page:
    """The permission to decide is taken away while a ticket is open."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    may_decide = scene.maya.user_permissions.get(codename="add_decision")
    scene.maya.user_permissions.remove(may_decide)
    page.locator("#accept button").click()
    page.wait_for_selector("#work .message")
    return page


def page_too_old(stage: Stage) -> Page:
    """Signed in anew in another window meanwhile."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.context.clear_cookies(name="csrftoken")
    page.locator("#accept button").click()
    page.wait_for_selector("#work .message")
    return page


def not_found(stage: Stage) -> Page:
    return stage.at(bare_scene(), "/tickets/0/")


def server_gone(stage: Stage) -> Page:
    """A decision that does not reach the server."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.route("**/accept*", lambda route: route.fulfill(status=503))
    page.locator("#accept button").click()
    page.wait_for_selector("#toast p")
    return page


def broken(stage: Stage) -> Page:
    page = stage.at(bare_scene(), "/agreement/")
    page.goto(stage.server)
    page.set_content(render_to_string("500.html").replace("/static/", f"{stage.server}/static/"))
    page.wait_for_load_state("networkidle")
    return page


def without_scripts(stage: Stage) -> Page:
    scene = busy_scene()
    window = stage.window(scene, java_script_enabled=False)
    window.open(scene.path(48213, "?do=override"))
    return window.page


def signing_in(stage: Stage) -> Page:
    page = stage.at(bare_scene(), "/agreement/")
    page.context.clear_cookies()
    page.goto(f"{stage.server}/accounts/login/")
    return page


def conflict(stage: Stage) -> Page:
    """Tom decides while Maya reads."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    # Her lease has run out: the laptop slept.
    Lease.objects.all().delete()
    decide(scene, 48213, scene.tom)
    page.locator("#accept button").click()
    page.wait_for_selector("#conflict-title")
    return page


def superseded(stage: Stage) -> Page:
    scene = busy_scene()
    change(scene, 48213)
    return stage.at(scene, scene.path(48213))


def written_over(stage: Stage) -> Page:
    """The helpdesk changed the ticket before our decision reached it."""
    scene = busy_scene()
    decide(scene, 48213, scene.maya)
    scene[48213].effects.filter(kind=Effect.Kind.VALUES).update(
        state=Effect.State.CONFLICT, detail="The ticket changed after it was proposed."
    )
    scene[48213].effects.filter(kind=Effect.Kind.NOTE).update(state=Effect.State.APPLIED)
    return stage.at(scene, scene.path(48213))


def helpdesk_silent(stage: Stage) -> Page:
    scene = busy_scene()
    for number in (48221, 48230):
        decide(scene, number, scene.maya)
    fall_silent(scene)
    return stage.at(scene, scene.path(48221))


def erased(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.maya)
    ticket = scene[48213].ticket
    ticket.subject = ticket.body = ticket.requester = ticket.requester_name = ticket.url = ""
    ticket.erased_at = timezone.now()
    ticket.save()
    ticket.versions.update(subject="", body="")
    return stage.at(scene, scene.path(48213))


def queue_empty(stage: Stage) -> Page:
    return stage.at(bare_scene(), "/")


def nothing_matches(stage: Stage) -> Page:
    return stage.at(busy_scene(), "/?q=coffee")


def no_model(stage: Stage) -> Page:
    scene = bare_scene()
    scene.model.delete()
    made = waiting_ticket(scene, *WAITING[0][:5])
    scene.proposals[48213] = make_proposal(scene.desk, made, main=None, team=None)
    return stage.at(scene, scene.path(48213))


def untriaged(stage: Stage) -> Page:
    scene = busy_scene()
    made = waiting_ticket(scene, 48250, 0, *WAITING[0][2:5])
    return stage.at(scene, f"/tickets/{made.pk}/")
