"""The style: every text can be read, in light and in dark."""

from __future__ import annotations

import re

import pytest

from grader.locations import shipped

TEXT = ("text", "quiet", "link", "passed", "partial", "failed", "pending", "student", "reference", "bound")
GROUND = ("page", "surface", "sunken")


def colours(dark: bool) -> dict[str, str]:
    style = (shipped("templates") / "style.css").read_text(encoding="utf-8")
    light_block, dark_block = re.findall(r":root \{([^}]*)\}", style)
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", dark_block if dark else light_block))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUND)
@pytest.mark.parametrize("text", TEXT)
def test_contrast_is_enough(dark, ground, text):
    palette = colours(dark)
    lighter, darker = sorted([luminance(palette[text]), luminance(palette[ground])], reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_dark_mode_gives_every_colour():
    assert colours(dark=True).keys() == colours(dark=False).keys()


def test_every_colour_is_one_of_the_palette():
    style = (shipped("templates") / "style.css").read_text(encoding="utf-8")
    rules = re.sub(r":root \{[^}]*\}", "", style).split("@media print")[0]
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb|hsl", rules)
    assert set(re.findall(r"var\(--(\w+)\)", rules)) <= colours(dark=False).keys()
