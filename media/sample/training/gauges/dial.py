"""The dial: case and bezel, face, scale with its numbers, colored zones, and the glass in front."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .paint import Color, choose, hsv, luma, mix, smoothstep, to_image

CANVAS = 336
"""The dial is drawn on a square of this many pixels, 3 to 4 times finer than it will appear."""
CENTER = CANVAS / 2
CASE_RADIUS = 0.47 * CANVAS

# Full scale and the number of labelled divisions, as real instruments have them.
SCALES = [(100, 10), (100, 5), (10, 10), (10, 5), (6, 6), (4, 4), (16, 8), (16, 4), (250, 5), (160, 8),
          (1, 5), (40, 4), (60, 6), (25, 5), (400, 4), (120, 6), (1000, 5), (2.5, 5)]
UNITS = ["bar", "psi", "MPa", "kPa", "°C", "%", "l/min", "A", "V", "x100", "mbar", ""]


@dataclass
class Dial:
    """How one dial looks. Angles in degrees, clockwise from "three o'clock" as the picture's y points down."""

    sweep: float
    """From zero to full scale, centered on twelve o'clock."""
    face_radius: float
    scale_radius: float
    face: Color
    ink: Color
    light_angle: float

    def angle(self, percent: float) -> float:
        """Where the scale has `percent` of full scale."""
        return -90 - self.sweep / 2 + self.sweep * percent / 100


def point(angle: float, radius: float) -> tuple[float, float]:
    """Canvas position at `angle` (degrees) and `radius` (pixels) from the dial's center."""
    a = np.deg2rad(angle)
    return CENTER + radius * float(np.cos(a)), CENTER + radius * float(np.sin(a))


def circle(radius: float) -> list[float]:
    """The bounding box of a circle about the dial's center."""
    return [CENTER - radius, CENTER - radius, CENTER + radius, CENTER + radius]


@lru_cache(maxsize=1)
def _polar() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32) + 0.5 - CENTER
    return np.hypot(x, y), np.arctan2(y, x)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)  # the font that Pillow brings along: the same on every machine


def sample_dial(rng: np.random.Generator) -> Dial:
    """Draws the proportions and colors of one dial."""
    face = choose(rng, {"white": 5, "cream": 2, "silver": 1.5, "black": 2.5, "tinted": 0.7})
    color = {
        "white": lambda: hsv(rng.uniform(), rng.uniform(0, 0.03), rng.uniform(0.88, 1)),
        "cream": lambda: hsv(rng.uniform(0.10, 0.15), rng.uniform(0.08, 0.28), rng.uniform(0.82, 0.97)),
        "silver": lambda: hsv(rng.uniform(0.5, 0.65), rng.uniform(0, 0.08), rng.uniform(0.6, 0.8)),
        "black": lambda: hsv(rng.uniform(), rng.uniform(0, 0.25), rng.uniform(0.05, 0.16)),
        "tinted": lambda: hsv(rng.uniform(), rng.uniform(0.15, 0.45), rng.uniform(0.75, 0.95)),
    }[face]()
    dark = luma(color) < 0.4
    ink = hsv(rng.uniform(0.08, 0.2), rng.uniform(0, 0.15), rng.uniform(0.85, 1)) if dark else hsv(
        rng.uniform(0.55, 0.7), rng.uniform(0, 0.5), rng.uniform(0.02, 0.2))
    face_radius = CASE_RADIUS * rng.uniform(0.82, 0.92)
    return Dial(
        sweep=choose(rng, {270: 6, 260: 1, 280: 1, 240: 1, 300: 1}),
        face_radius=face_radius,
        scale_radius=face_radius * rng.uniform(0.82, 0.93),
        face=color,
        ink=ink,
        light_angle=rng.uniform(-np.pi, 0),
    )


def draw_case(rng: np.random.Generator, dial: Dial) -> Image.Image:
    """Case, bezel and empty face as an RGBA canvas; transparent outside the case."""
    radius, angle = _polar()
    metal = choose(rng, {"chrome": 4, "black": 3, "brass": 1.5, "painted": 1.5})
    base = {
        "chrome": lambda: hsv(0.6, rng.uniform(0, 0.06), rng.uniform(0.55, 0.8)),
        "black": lambda: hsv(0.6, rng.uniform(0, 0.15), rng.uniform(0.08, 0.25)),
        "brass": lambda: hsv(rng.uniform(0.1, 0.13), rng.uniform(0.4, 0.65), rng.uniform(0.6, 0.8)),
        "painted": lambda: hsv(rng.uniform(), rng.uniform(0.4, 0.75), rng.uniform(0.35, 0.75)),
    }[metal]()
    # A rounded rim: lit where it faces the light, dark on the far side, with the twin highlights of turned metal.
    across = np.clip((radius - dial.face_radius) / (CASE_RADIUS - dial.face_radius), 0, 1)
    facing = np.cos(angle - dial.light_angle) * np.cos(np.pi * across)
    gloss = 0.28 if metal in ("chrome", "brass") else 0.12
    turned = np.cos(2 * (angle - dial.light_angle) + rng.uniform(-0.6, 0.6))
    shade = 1 - 0.38 * facing + gloss * turned - 0.35 * (across < 0.07)
    rim = np.array(base, np.float32) * shade[..., None] + 60 * gloss * np.clip(turned, 0, 1)[..., None]

    # The face lies deeper than the rim, which throws a soft shadow on it from the side of the light.
    depth = rng.uniform(0.02, 0.09) * dial.face_radius
    x = radius * np.cos(angle) + depth * np.cos(dial.light_angle) * -1
    y = radius * np.sin(angle) + depth * np.sin(dial.light_angle) * -1
    covered = smoothstep(np.hypot(x, y), 0.90 * dial.face_radius, 1.04 * dial.face_radius)
    falloff = rng.uniform(0, 0.12) * (radius / dial.face_radius) ** 2
    face = np.array(dial.face, np.float32) * (1 - falloff - rng.uniform(0.25, 0.55) * covered)[..., None]

    canvas = to_image(np.where((radius < dial.face_radius)[..., None], face, rim)).convert("RGBA")
    mask = Image.new("L", canvas.size, 0)
    if rng.uniform() < 0.12:  # panel instruments have square cases
        ImageDraw.Draw(mask).rounded_rectangle(circle(CASE_RADIUS), CASE_RADIUS * rng.uniform(0.1, 0.35), fill=255)
    else:
        ImageDraw.Draw(mask).ellipse(circle(CASE_RADIUS), fill=255)
    canvas.putalpha(mask)
    return canvas


def draw_scale(rng: np.random.Generator, dial: Dial, canvas: Image.Image) -> None:
    """Zones, ticks, numbers and lettering, drawn into `canvas`."""
    draw = ImageDraw.Draw(canvas)
    outer = dial.scale_radius
    full, divisions = SCALES[int(rng.integers(len(SCALES)))]
    major = outer * rng.uniform(0.10, 0.17)
    minor = major * rng.uniform(0.45, 0.65)
    width = max(2, int(round(outer * rng.uniform(0.022, 0.042))))
    first, last = dial.angle(0), dial.angle(100)

    zones = choose(rng, {"none": 5, "red end": 2, "traffic light": 1.5, "green band": 1})
    edges = sorted(rng.uniform(35, 95, 2))
    band = {"none": [], "red end": [(edges[1], 100, (200, 30, 30))],
            "traffic light": [(0, edges[0], (40, 150, 70)), (edges[0], edges[1], (230, 190, 40)), (edges[1], 100, (200, 35, 35))],
            "green band": [(edges[0] - 20, edges[1], (40, 160, 70))]}[zones]
    inside = rng.uniform() < 0.5
    zone_radius = outer - major * 0.95 if inside else outer + (dial.face_radius - outer) * 0.45
    for low, high, color in band:
        draw.arc(circle(zone_radius), dial.angle(low), dial.angle(high), fill=mix(color, dial.face, rng.uniform(0, 0.25)),
                 width=max(3, int(major * rng.uniform(0.25, 0.5))))
    if rng.uniform() < 0.55:
        draw.arc(circle(outer), first, last, fill=dial.ink, width=max(1, width // 2))

    parts = int(rng.choice([1, 2, 5])) if divisions >= 8 else int(rng.choice([2, 4, 5]))
    for i in range(divisions * parts + 1):
        angle = dial.angle(100 * i / (divisions * parts))
        length, thick = (major, width) if i % parts == 0 else (minor, max(1, int(width * 0.55)))
        draw.line([point(angle, outer), point(angle, outer - length)], fill=dial.ink, width=thick)

    size = int(outer * rng.uniform(0.15, 0.22) * (0.82 if divisions >= 8 or full >= 1000 else 1))
    numbers = outer - major - size * rng.uniform(0.62, 0.85)
    if rng.uniform() < 0.93:
        for i in range(divisions + 1):
            draw.text(point(dial.angle(100 * i / divisions), numbers), f"{full * i / divisions:g}",
                      fill=dial.ink, font=_font(size), anchor="mm")
    unit = UNITS[int(rng.integers(len(UNITS)))]
    draw.text((CENTER, CENTER + outer * float(rng.choice([-0.32, 0.34, 0.5]))), unit, fill=dial.ink,
              font=_font(int(outer * rng.uniform(0.13, 0.2))), anchor="mm")
    if rng.uniform() < 0.4:  # the small print in the gap of the scale
        for line in range(int(rng.integers(1, 3))):
            half = outer * rng.uniform(0.1, 0.2)
            y = CENTER + outer * (0.7 + 0.1 * line)
            draw.line([(CENTER - half, y), (CENTER + half, y)], fill=mix(dial.ink, dial.face, 0.4), width=width)


def draw_glass(rng: np.random.Generator, dial: Dial, canvas: Image.Image) -> Image.Image:
    """Reflections on the glass over the face: a soft streak, a window, or none."""
    kind = choose(rng, {"none": 4, "streak": 3, "window": 2, "crescent": 2})
    if kind == "none":
        return canvas
    light = Image.new("L", canvas.size, 0)
    draw = ImageDraw.Draw(light)
    strength = int(rng.uniform(30, 110))
    r = dial.face_radius
    x, y = point(np.rad2deg(dial.light_angle), r * rng.uniform(0.25, 0.6))
    if kind == "streak":
        lean, half = rng.uniform(-0.8, 0.8) * r, r * rng.uniform(0.08, 0.25)
        draw.polygon([(x - half - lean, y - r * 1.5), (x + half - lean, y - r * 1.5),
                      (x + half + lean, y + r * 1.5), (x - half + lean, y + r * 1.5)], fill=strength)
    elif kind == "window":
        pane, gap = r * rng.uniform(0.12, 0.2), r * 0.04
        for dx in (-pane - gap, gap):
            for dy in (-pane - gap, gap):
                draw.rectangle([x + dx, y + dy, x + dx + pane, y + dy + pane], fill=min(255, strength + 50))
    else:
        draw.ellipse(circle(r * 0.96), fill=strength)
        shift = r * rng.uniform(0.15, 0.4)
        cut = circle(r * 0.98)
        dx, dy = -shift * float(np.cos(dial.light_angle)), -shift * float(np.sin(dial.light_angle))
        draw.ellipse([cut[0] + dx, cut[1] + dy, cut[2] + dx, cut[3] + dy], fill=0)
    light = light.filter(ImageFilter.GaussianBlur(rng.uniform(2, 7)))
    disc = Image.new("L", canvas.size, 0)
    ImageDraw.Draw(disc).ellipse(circle(r), fill=255)
    glow = Image.composite(light, Image.new("L", canvas.size, 0), disc)
    lit = Image.composite(Image.new("RGB", canvas.size, (255, 255, 250)), canvas.convert("RGB"), glow)
    lit.putalpha(canvas.getchannel("A"))
    return lit
