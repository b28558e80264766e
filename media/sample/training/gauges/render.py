"""One gauge, one photograph: `render(seed, index)`."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from .background import cylinder, draw_background, pipe_color
from .camera import Pose, expose, light_scene, sample_pose, warp
from .dial import draw_case, draw_glass, draw_scale, sample_dial
from .needle import draw_needle
from .paint import to_image
from .spec import CLASS_COUNT, IMAGE_SIZE, JITTER_PERCENT, STEP_PERCENT

_FINE = 3  # the scene is drawn this many times finer and averaged down: clean edges


@dataclass
class Photograph:
    """A rendered picture and what it shows."""

    jpeg: bytes
    class_index: int
    percent: float
    """Where the needle really points, in percent of full scale."""

    def pixels(self) -> np.ndarray:
        """The decoded picture, [96, 96, 3] uint8 RGB."""
        return np.asarray(Image.open(io.BytesIO(self.jpeg)).convert("RGB"))


def _draw_gauge(rng: np.random.Generator, percent: float) -> Image.Image:
    dial = sample_dial(rng)
    canvas = draw_case(rng, dial)
    draw_scale(rng, dial, canvas)
    draw_needle(rng, dial, canvas, dial.angle(percent))
    return draw_glass(rng, dial, canvas)


def _mount(rng: np.random.Generator, background: Image.Image, gauge: Image.Image, pose: Pose) -> None:
    """Puts the gauge before the background: the pipe it sits on, its shadow, itself."""
    size = background.width
    x, y = pose.center[0] * size, pose.center[1] * size
    if rng.uniform() < 0.45:
        lean = np.deg2rad(pose.roll)
        end = x - size * np.sin(lean), y + size * np.cos(lean)
        surface, mask = cylinder(rng, size, pipe_color(rng), (x, y), end, size * pose.radius * rng.uniform(0.22, 0.42))
        background.paste(surface, (0, 0), mask)
    shadow = gauge.getchannel("A").filter(ImageFilter.GaussianBlur(size * rng.uniform(0.008, 0.03)))
    offset = (rng.uniform(-0.04, 0.04, 2) * size).astype(int)
    darkness = rng.uniform(0.2, 0.6)
    background.paste((0, 0, 0), tuple(int(v) for v in offset), shadow.point(lambda v: int(v * darkness)))
    background.paste(gauge, (0, 0), gauge)


def render(seed: int, index: int) -> Photograph:
    """Renders picture `index` of the set `seed`; the same arguments always give the same picture.

    The class is `index % 21`, so that any run of consecutive indices is balanced. The needle points at the
    class's reading plus an even jitter of at most JITTER_PERCENT. JPEG of quality 80 to 93, 96x96, RGB.
    """
    rng = np.random.default_rng([seed, index])
    class_index = index % CLASS_COUNT
    percent = class_index * STEP_PERCENT + rng.uniform(-JITTER_PERCENT, JITTER_PERCENT)
    fine = IMAGE_SIZE * _FINE
    scene = draw_background(rng, fine)
    pose = sample_pose(rng)
    _mount(rng, scene, warp(_draw_gauge(rng, percent), pose, fine), pose)
    picture = np.asarray(scene.reduce(_FINE), np.float32) / 255
    picture = expose(rng, light_scene(rng, picture))
    file = io.BytesIO()
    to_image(picture * 255).save(file, "JPEG", quality=int(rng.integers(80, 94)))
    return Photograph(file.getvalue(), class_index, percent)
