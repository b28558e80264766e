"""The needle: its shapes and colors, its shadow on the face, the hub that holds it."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .dial import CENTER, Dial, circle
from .paint import choose, hsv, luma, mix


def _outline(rng: np.random.Generator, length: float) -> list[list[tuple[float, float]]]:
    """The needle as polygons (along, across) in pixels, pointing along +x from the hub."""
    kind = choose(rng, {"taper": 4, "baton": 2, "lance": 2, "arrow": 2, "thin": 1.5})
    half = length * rng.uniform(0.028, 0.055)
    tail = length * rng.uniform(0.12, 0.36)
    tip = length * 0.008 + 0.5
    shapes = {
        "taper": [[(-tail, -half * 1.2), (length, -tip), (length, tip), (-tail, half * 1.2)]],
        "baton": [[(-tail, -half * 0.7), (length * 0.93, -half * 0.7), (length, 0), (length * 0.93, half * 0.7), (-tail, half * 0.7)]],
        "lance": [[(-tail, -half * 0.6), (0, -half * 0.6), (length * 0.68, -half * 1.5), (length, 0),
                   (length * 0.68, half * 1.5), (0, half * 0.6), (-tail, half * 0.6)]],
        "arrow": [[(-tail, -half * 0.55), (length * 0.8, -half * 0.55), (length * 0.8, half * 0.55), (-tail, half * 0.55)],
                  [(length * 0.76, -half * 1.8), (length, 0), (length * 0.76, half * 1.8)]],
        "thin": [[(-tail, -half * 0.5), (length, -tip), (length, tip), (-tail, half * 0.5)]],
    }[kind]
    if rng.uniform() < 0.35:  # a counterweight on the tail
        weight = half * rng.uniform(1.5, 2.6)
        start = -tail * 0.95
        shapes.append([(start, -weight), (start + weight * 1.6, -weight), (start + weight * 1.6, weight), (start, weight)])
    return shapes


def draw_needle(rng: np.random.Generator, dial: Dial, canvas: Image.Image, angle: float) -> None:
    """Draws shadow, needle and hub into `canvas`, the needle pointing at `angle` degrees."""
    length = dial.scale_radius * rng.uniform(0.74, 0.98)
    cos, sin = float(np.cos(np.deg2rad(angle))), float(np.sin(np.deg2rad(angle)))
    shape = Image.new("L", canvas.size, 0)
    for polygon in _outline(rng, length):
        ImageDraw.Draw(shape).polygon([(CENTER + a * cos - b * sin, CENTER + a * sin + b * cos) for a, b in polygon], fill=255)

    dark_face = luma(dial.face) < 0.4
    if dark_face:
        color = choose(rng, {"white": 3, "red": 2, "orange": 3, "yellow": 2})
    else:
        color = choose(rng, {"black": 5, "red": 3, "orange": 1, "blue": 1.2})
    rgb = {"white": (240, 240, 235), "black": (22, 22, 26), "red": hsv(rng.uniform(-0.03, 0.02), 0.9, rng.uniform(0.65, 0.92)),
           "orange": hsv(rng.uniform(0.03, 0.08), 0.95, rng.uniform(0.85, 1)), "yellow": hsv(0.14, 0.85, 0.95),
           "blue": hsv(rng.uniform(0.57, 0.65), 0.85, rng.uniform(0.35, 0.7))}[color]

    reach = dial.face_radius * rng.uniform(0.015, 0.06)
    shadow = ImageChops.offset(shape, int(-reach * np.cos(dial.light_angle)), int(-reach * np.sin(dial.light_angle)))
    shadow = shadow.filter(ImageFilter.GaussianBlur(rng.uniform(1.5, 4))).point(lambda v, k=rng.uniform(0.2, 0.5): int(v * k))
    face = Image.new("L", canvas.size, 0)
    ImageDraw.Draw(face).ellipse(circle(dial.face_radius), fill=255)
    alpha = canvas.getchannel("A")
    canvas.paste((0, 0, 0), (0, 0), ImageChops.multiply(shadow, face))
    canvas.paste(rgb, (0, 0), shape)
    canvas.putalpha(alpha)

    draw = ImageDraw.Draw(canvas)
    hub = length * rng.uniform(0.07, 0.16)
    cap = rgb if rng.uniform() < 0.4 else choose(rng, {(30, 30, 34): 3, (170, 172, 176): 2, (150, 120, 60): 1})
    draw.ellipse(circle(hub), fill=mix(cap, (0, 0, 0), 0.35))
    x, y = -hub * 0.12 * np.array([-np.cos(dial.light_angle), -np.sin(dial.light_angle)])
    box = circle(hub * 0.82)
    draw.ellipse([box[0] + x, box[1] + y, box[2] + x, box[3] + y], fill=mix(cap, (255, 255, 255), 0.15))
    if rng.uniform() < 0.4:
        slot = rng.uniform(0, np.pi)
        dx, dy = 0.55 * hub * float(np.cos(slot)), 0.55 * hub * float(np.sin(slot))
        draw.line([(CENTER - dx, CENTER - dy), (CENTER + dx, CENTER + dy)], fill=mix(cap, (0, 0, 0), 0.6), width=3)
