"""What the gauge hangs on: walls, panels, pipes, a workshop out of focus."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .paint import choose, cloud_noise, hsv, mix, to_image


def _flat(color, texture: np.ndarray, contrast: float) -> np.ndarray:
    return np.array(color, np.float32) * (1 + contrast * texture[..., None])


def _plaster(rng, size):
    color = hsv(rng.uniform(), rng.uniform(0, 0.3), rng.uniform(0.35, 0.9))
    return to_image(_flat(color, cloud_noise(rng, size, size, (5, 24, 90)), rng.uniform(0.02, 0.09)))


def _brushed(rng, size):
    color = hsv(rng.uniform(0.5, 0.65), rng.uniform(0, 0.1), rng.uniform(0.4, 0.75))
    along = (1, 30) if rng.uniform() < 0.5 else (30, 1)
    image = to_image(_flat(color, cloud_noise(rng, size, size, (60, 140), along), rng.uniform(0.03, 0.09)))
    draw = ImageDraw.Draw(image)
    inset = size * rng.uniform(0.03, 0.09)
    if rng.uniform() < 0.6:  # screws in the corners of the panel
        for x in (inset, size - inset):
            for y in (inset, size - inset):
                r = size * 0.022
                draw.ellipse([x - r, y - r, x + r, y + r], fill=mix(color, (0, 0, 0), 0.5))
                draw.line([x - r * 0.7, y - r * 0.4, x + r * 0.7, y + r * 0.4], fill=mix(color, (255, 255, 255), 0.4), width=2)
    return image


def _enamel(rng, size):
    color = hsv(rng.choice([0.57, 0.33, 0.08, 0.0, 0.14, 0.6]) + rng.uniform(-0.03, 0.03), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.7))
    return to_image(_flat(color, cloud_noise(rng, size, size, (3, 7)), rng.uniform(0.02, 0.08)))


def _wood(rng, size):
    color = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.7))
    grain = cloud_noise(rng, size, size, (8, 50, 110), (10, 1) if rng.uniform() < 0.6 else (1, 10))
    return to_image(_flat(color, grain, rng.uniform(0.06, 0.14)))


def _bricks(rng, size):
    image = _plaster(rng, size)
    draw = ImageDraw.Draw(image)
    height = size * rng.uniform(0.11, 0.17)
    width = height * rng.uniform(2, 2.6)
    hue = rng.choice([0.03, 0.06, 0.1, 0.55])
    saturation = rng.uniform(0.1, 0.55)
    shift = rng.uniform(0, width)
    for row in range(-1, int(size / height) + 1):
        for col in range(-2, int(size / width) + 2):
            x, y = col * width + shift + (row % 2) * width / 2, row * height + shift * 0.3
            draw.rectangle([x, y, x + width - size * 0.014, y + height - size * 0.014],
                           fill=hsv(hue, saturation, rng.uniform(0.42, 0.62)))
    return to_image(_flat((1, 1, 1), cloud_noise(rng, size, size, (20, 90)), 0.06) * np.asarray(image, np.float32))


def _workshop(rng, size):
    image = Image.new("RGB", (size, size), hsv(rng.uniform(), rng.uniform(0, 0.4), rng.uniform(0.15, 0.6)))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(5, 14))):
        x, y = rng.uniform(-0.2, 1, 2) * size
        w, h = rng.uniform(0.08, 0.6, 2) * size
        color = hsv(rng.uniform(), rng.uniform(0, 0.6), rng.uniform(0.1, 0.95))
        (draw.ellipse if rng.uniform() < 0.35 else draw.rectangle)([x, y, x + w, y + h], fill=color)
    return image.filter(ImageFilter.GaussianBlur(size * rng.uniform(0.02, 0.06)))


def cylinder(rng: np.random.Generator, size: int, color, start, end, width: float) -> tuple[Image.Image, Image.Image]:
    """A pipe from `start` to `end` (x, y in pixels): its shaded surface and the mask of where it is."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max(1e-6, float(np.hypot(dx, dy)))
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / length
    across = ((x - start[0]) * -dy + (y - start[1]) * dx) / length / (width / 2)
    inside = (np.abs(across) <= 1) & (along >= 0) & (along <= length)
    highlight = rng.uniform(-0.5, 0.5)
    shade = 0.45 + 0.55 * np.sqrt(np.clip(1 - across**2, 0, 1)) + 0.5 * np.exp(-(((across - highlight) / 0.18) ** 2))
    surface = to_image(np.array(color, np.float32) * shade[..., None])
    return surface, Image.fromarray((inside * 255).astype(np.uint8), "L")


def pipe_color(rng: np.random.Generator):
    """A color that pipes have: copper, steel, painted."""
    return choose(rng, {hsv(0.05, 0.55, 0.6): 2, hsv(0.6, 0.05, 0.55): 3, hsv(0.6, 0.1, 0.25): 2,
                        hsv(float(rng.uniform()), 0.45, 0.5): 1.5, hsv(0.12, 0.5, 0.6): 1})


def draw_background(rng: np.random.Generator, size: int) -> Image.Image:
    """A background of size x size pixels, RGB."""
    kind = choose(rng, {_plaster: 3, _brushed: 2, _enamel: 2, _wood: 1, _bricks: 1.2, _workshop: 3})
    image = kind(rng, size)
    for _ in range(int(choose(rng, {0: 7, 1: 2, 2: 1}))):  # pipes that pass behind
        width = size * rng.uniform(0.06, 0.2)
        position = size * rng.uniform(0, 1)
        drift = size * rng.uniform(-0.1, 0.1)
        if rng.uniform() < 0.5:
            ends = (-width, position), (size + width, position + drift)
        else:
            ends = (position, -width), (position + drift, size + width)
        surface, mask = cylinder(rng, size, pipe_color(rng), *ends, width)
        image.paste((0, 0, 0), (int(width * 0.12), int(width * 0.2)), mask.filter(ImageFilter.GaussianBlur(width * 0.12)).point(lambda v: v // 3))
        image.paste(surface, (0, 0), mask)
    return image
