"""Where a state is shown: windows of the size and the colours that its picture has."""

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.conftest import Opener, Window
from tests.browser.scenery import Scene


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
