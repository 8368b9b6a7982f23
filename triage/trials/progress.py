"""How far long work is, on the terminal."""

from dataclasses import dataclass
from typing import NoReturn

from tqdm import tqdm

from triage.learning.fitting import Progress


@dataclass(frozen=True)
class Bars:
    """`what` each bar says before it: the trial that is under way."""

    what: str
    quiet: bool = False

    def of(self, total: int, doing: str, unit: str = " texts") -> "tqdm[NoReturn]":
        bar: tqdm[NoReturn] = tqdm(
            total=total, desc=f"{self.what}: {doing}", unit=unit, disable=self.quiet, leave=False
        )
        return bar


def following(bar: "tqdm[NoReturn]") -> Progress:
    """Moves a bar of 100 with what `fitting.fit` tells."""

    def tell(share: float, what: str) -> None:
        bar.set_postfix_str(what)
        bar.update(int(share * 100) - bar.n)

    return tell
