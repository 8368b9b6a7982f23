"""The page of workflows in a real browser: drawn, readable for every eye and width, and whole."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.browser.work_of_a_quarter import make_quarter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATH = "/metrics/workflows/?days=90"


def test_every_chart_is_drawn_and_suits_every_eye_and_width(
    open_window: Opener, transactional_db: None
) -> None:
    lead = make_quarter(tickets=160)
    wrong = {}
    for size in (WIDE, NARROW):
        window = open_window(lead, size)
        window.open(PATH)
        boxes = window.page.locator("[data-chart]")
        assert boxes.count() >= 10
        for box in boxes.all():
            expect(box).to_have_class("metrics-chart drawn")
        wrong[size] = troubles(window.page)

    assert wrong == {WIDE: [], NARROW: []}


def test_weeks_that_were_folded_away_are_drawn_when_they_are_opened(
    open_window: Opener, transactional_db: None
) -> None:
    window = open_window(make_quarter(tickets=400))
    window.open(PATH)
    canvas = window.page.locator("[data-chart=trend-escalated-despite-automation] canvas")
    expect(canvas).not_to_be_visible()

    window.page.get_by_text("Week by week").and_(window.page.locator("summary")).first.click()

    expect(canvas).to_be_visible()
    assert canvas.evaluate("canvas => canvas.width > 100 && canvas.height > 50")
