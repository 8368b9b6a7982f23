"""What every eye and every width meets: a page in light and dark, with axe and a ruler."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE, NARROW = (1440, 900), (360, 780)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Other results than violations would have every element described.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# What can differ between light and dark.
RULES_OF_COLOUR = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}


def violations(axe_result: Any) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in axe_result.response["violations"]
        for node in rule["nodes"]
    ]


def troubles(page: Page) -> list[str]:
    """What is wrong with what is on show now, in light, in dark, and in width."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules = RULES if scheme == SCHEMES[0] else RULES_OF_COLOUR
        found += [f"{scheme}: {each}" for each in violations(Axe().run(page, options=rules))]
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        found.append(f"{over} px too wide")
    return found
