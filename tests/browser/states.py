"""States of the daily work; each opens its page."""

from playwright.sync_api import Page

from tests.browser.scenery import bare_scene, busy_scene, decide, review_for
from tests.browser.stage import Stage


def queue(stage: Stage) -> Page:
    return stage.at(busy_scene(), "/")


def ticket(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, scene.path(48213))


def equal(stage: Stage) -> Page:
    scene = busy_scene()
    return stage.at(scene, f"/equal/{scene[48213].pk}/")


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


def history(stage: Stage) -> Page:
    scene = busy_scene()
    decide(scene, 48213, scene.maya)
    return stage.at(scene, "/history/")
