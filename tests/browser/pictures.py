"""Makes the pictures of the docs, one of every state that people meet. Run by hand:

    .venv/bin/pytest -n 0 tests/browser/pictures.py --pictures docs/images

A new state is a function that opens it, and a line in STATES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import Opener, Window
from tests.browser.scenery import (
    WAITING,
    Scene,
    bare_scene,
    busy_scene,
    change,
    decide,
    fall_silent,
    review_for,
    waiting_ticket,
)
from tests.review.helpers import make_proposal
from triage.models import Effect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, NARROW = (1440, 900), (360, 780)
LARGEST_BYTES = 120 * 1024
COLOURS = (256, 128, 64, 32)


@dataclass
class Stage:
    """Opens windows for a state; `size` and `scheme` are those of the picture."""

    opener: Opener
    server: str
    size: tuple[int, int]
    scheme: str

    def window(self, scene: Scene, **options: object) -> Window:
        return self.opener(
            scene.maya, self.size, color_scheme=self.scheme, reduced_motion="reduce", **options
        )

    def at(self, scene: Scene, path: str) -> Page:
        window = self.window(scene)
        window.open(path)
        return window.page


# --- The states -----------------------------------------------------------------------------
def queue(stage: Stage) -> Page:
    return stage.at(busy_scene(), "/")


def ticket(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, scene.path(48213))


def equal(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, f"/equal/{scene[48213].pk}/")


def queue_empty(stage: Stage) -> Page:
    return stage.at(bare_scene(), "/")


def equal_result(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, f"/equal/{scene[48213].pk}/")
    decide(scene, 48231, scene.tom)
    page.keyboard.press("a")
    page.wait_for_url("**/batches/**")
    return page


def equal_override(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, f"/equal/{scene[48213].pk}/")
    page.keyboard.press("o")
    page.keyboard.type("wi")
    return page


def pause(stage: Stage) -> Page:
    scene = busy_scene()
    review_for(scene, minutes=58, reviews=60)
    return stage.at(scene, "/pause/")


def pause_at_start(stage: Stage) -> Page:
    scene = busy_scene()
    review_for(scene, minutes=58, reviews=60)
    return stage.at(scene, "/")


def break_hint(stage: Stage) -> Page:
    scene = busy_scene()
    review_for(scene, minutes=53, reviews=31)
    return stage.at(scene, scene.path(48213))


def agreement(stage: Stage) -> Page:
    return stage.at(bare_scene(), "/agreement/")


def helpdesk_silent(stage: Stage) -> Page:
    scene = busy_scene()
    for number in (48221, 48230):
        decide(scene, number, scene.maya)
    fall_silent(scene)
    return stage.at(scene, scene.path(48221))


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


def held(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, scene.path(48209))


def torn(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, scene.path(48244))


def override(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.keyboard.press("o")
    page.keyboard.type("wi")
    page.keyboard.press("Enter")
    return page


def escalate(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.keyboard.press("e")
    return page


def keys(stage: Stage) -> Page:
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
    page.keyboard.press("?")
    return page


def decided(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.tom)
    return stage.at(scene, scene.path(48213))


def conflict(stage: Stage) -> Page:
    """Tom decides while Maya reads."""
    scene = busy_scene()
    page = stage.at(scene, scene.path(48213))
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


def erased(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.maya)
    ticket = scene[48213].ticket
    ticket.subject = ticket.body = ticket.requester = ticket.requester_name = ticket.url = ""
    ticket.erased_at = timezone.now()
    ticket.save()
    ticket.versions.update(subject="", body="")
    return stage.at(scene, scene.path(48213))


def history(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.maya)
    return stage.at(scene, "/history/")


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
    scene.maya.user_permissions.filter(codename="add_decision").delete()
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


@dataclass(frozen=True)
class State:
    make: Callable[[Stage], Page]
    schemes: tuple[str, ...] = ("light",)
    sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW)


MAIN = ("light", "dark")
STATES = {
    "queue": State(queue, MAIN),
    "ticket": State(ticket, MAIN),
    "equal": State(equal, MAIN),
    "equal-override": State(equal_override),
    "equal-result": State(equal_result),
    "held": State(held),
    "torn": State(torn),
    "override": State(override, MAIN),
    "escalate": State(escalate),
    "keys": State(keys),
    "decided": State(decided),
    "history": State(history, MAIN),
    "pause": State(pause),
    "pause-at-start": State(pause_at_start),
    "break-hint": State(break_hint),
    "agreement": State(agreement),
    "queue-empty": State(queue_empty),
    "nothing-matches": State(nothing_matches),
    "no-model": State(no_model),
    "untriaged": State(untriaged),
    "conflict": State(conflict),
    "superseded": State(superseded),
    "written-over": State(written_over),
    "helpdesk-silent": State(helpdesk_silent),
    "erased": State(erased),
    "session-ended": State(session_ended),
    "too-many-tries": State(too_many_tries),
    "forbidden": State(forbidden),
    "forbidden-while-open": State(forbidden_while_open),
    "page-too-old": State(page_too_old),
    "not-found": State(not_found),
    "server-gone": State(server_gone),
    "broken": State(broken),
    "without-scripts": State(without_scripts),
    "signing-in": State(signing_in),
}
SHOTS = [
    (name, size, scheme)
    for name, state in STATES.items()
    for size in state.sizes
    for scheme in state.schemes
]


@pytest.mark.parametrize(("name", "size", "scheme"), SHOTS)
def test_picture(
    request: pytest.FixtureRequest,
    open_window: Opener,
    live_server: LiveServer,
    name: str,
    size: tuple[int, int],
    scheme: str,
) -> None:
    folder = Path(request.config.getoption("--pictures") or pytest.skip("--pictures names none"))
    folder.mkdir(parents=True, exist_ok=True)

    page = STATES[name].make(Stage(open_window, live_server.url, size, scheme))

    dark = "-dark" if scheme == "dark" else ""
    (folder / f"{name}-{size[0]}{dark}.png").write_bytes(small(page.screenshot()))


def small(png: bytes) -> bytes:
    """As many colours as fit into LARGEST_BYTES."""
    whole = Image.open(BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        reduced = whole.quantize(colours, dither=Image.Dither.NONE)
        out = BytesIO()
        reduced.save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST_BYTES:
            break
    return out.getvalue()
