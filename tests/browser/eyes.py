"""What every eye and every width meets: a page in light and dark, with axe and a ruler."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE, NARROW = (1440, 900), (360, 780)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Between light and dark only colours change.
OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def violations(axe_result: Any) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in axe_result.response["violations"]
        for node in rule["nodes"]
    ]


def troubles(page: Page, *, dark: Any = OF_COLOUR) -> list[str]:
    """What is wrong with what is on show now, in light, in dark, and in width."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = violations(Axe().run(page, options=RULES))
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in violations(Axe().run(page, options=dark))]
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        found.append(f"{over} px too wide")
    return found
