"""The colours of the three sentiments, as people with each kind of colour blindness see them."""

import itertools
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser

from test.browser.conftest import post, wait_until_loaded
from test.service import Service

pytestmark = pytest.mark.browser

SEEN = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""Matrices over linear RGB, from Machado, Oliveira and Fernandes (2009), https://doi.org/10.1109/TVCG.2009.113."""
APART = 20
"""The least difference in CIELAB. From 2.3 on a difference is just noticeable; 20 is plain in small areas too."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sight", SEEN)
def test_the_three_sentiments_have_colours_that_everyone_can_tell_apart(
    browser: Browser, service: Service, scheme: str, sight: str
) -> None:
    post(service, "A wonderful film.")
    context = browser.new_context(base_url=service.address, color_scheme=scheme)
    page = context.new_page()
    page.goto("/")
    wait_until_loaded(page)
    colours = page.locator("#summary .counts span").evaluate_all("all => all.map(one => getComputedStyle(one).color)")
    seen = [lab(np.array(SEEN[sight]) @ linear(colour)) for colour in colours]
    assert len(seen) == 3
    assert min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2)) > APART
    context.close()


def linear(colour: str) -> NDArray[np.float64]:
    """Return a computed colour in linear RGB, each in [0, 1]."""
    srgb = np.array([int(number) for number in re.findall(r"\d+", colour)[:3]]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a linear colour in CIELAB, in which distances are differences as people see them."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    relative = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
