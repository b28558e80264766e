"""Small helpers shared by everything that draws: colors, noise, random choices."""

import colorsys

import numpy as np
from PIL import Image

Color = tuple[int, int, int]


def hsv(hue: float, saturation: float, value: float) -> Color:
    """An 8-bit RGB color from hue, saturation and value, each in 0..1 (hue wraps)."""
    return tuple(int(round(255 * c)) for c in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def mix(a: Color, b: Color, share: float) -> Color:
    """The color `share` of the way from `a` to `b`."""
    return tuple(int(round(x + (y - x) * share)) for x, y in zip(a, b))


def luma(color: Color) -> float:
    """Brightness 0..1 of a color as the eye weighs it (ITU-R BT.601)."""
    return (0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]) / 255


def choose(rng: np.random.Generator, weighted: dict):
    """One key of `weighted`, with probability in proportion to its value."""
    keys = list(weighted)
    weights = np.array([weighted[k] for k in keys], float)
    return keys[int(rng.choice(len(keys), p=weights / weights.sum()))]


def cloud_noise(rng: np.random.Generator, height: int, width: int, octaves=(4, 9, 20), stretch=(1, 1)) -> np.ndarray:
    """Smooth noise of zero mean and about unit deviation, [height, width] float32.

    Each octave is a coarse random grid blown up bicubically; finer octaves weigh less. `stretch` divides
    the grid's rows and columns, which draws the noise out along an axis (brushed metal, wood grain).
    """
    total = np.zeros((height, width), np.float32)
    for level, cells in enumerate(octaves):
        rows, cols = max(2, cells // stretch[0]), max(2, cells // stretch[1])
        grid = rng.standard_normal((rows, cols)).astype(np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * 0.6**level
    return total / max(1e-6, float(total.std()))


def to_image(array: np.ndarray) -> Image.Image:
    """An RGB image from [height, width, 3] values in 0..255, clipped and rounded."""
    return Image.fromarray(np.clip(array + 0.5, 0, 255).astype(np.uint8), "RGB")


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth ramp between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
