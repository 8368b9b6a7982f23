"""Makes the pictures of the docs, one of every state that people meet. Run by hand:

    .venv/bin/pytest -n 0 tests/browser/pictures.py --pictures docs/images

A new state is a function that opens it, and a line in STATES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Window
from tests.browser.scenery import (
    Scene,
    bare_scene,
    busy_scene,
    decide,
    fall_silent,
    review_for,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, NARROW = (1440, 900), (360, 780)
LARGEST_BYTES = 120 * 1024
COLOURS = (256, 128, 64, 32)


@dataclass
class Stage:
    """Opens windows for a state; `size` and `scheme` are those of the picture."""

    opener: Opener
    size: tuple[int, int]
    scheme: str

    def window(self, scene: Scene, **options: object) -> Window:
        window = self.opener(
            scene.maya, self.size, color_scheme=self.scheme, reduced_motion="reduce", **options
        )
        # Its errors are part of the picture.
        window.page.on("requestfailed", lambda request: None)
        return window

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
    "pause": State(pause),
    "pause-at-start": State(pause_at_start),
    "break-hint": State(break_hint),
    "agreement": State(agreement),
    "helpdesk-silent": State(helpdesk_silent),
    "queue-empty": State(queue_empty),
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
    transactional_db: None,
    name: str,
    size: tuple[int, int],
    scheme: str,
) -> None:
    folder = Path(request.config.getoption("--pictures") or pytest.skip("--pictures names none"))
    folder.mkdir(parents=True, exist_ok=True)

    page = STATES[name].make(Stage(open_window, size, scheme))

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
