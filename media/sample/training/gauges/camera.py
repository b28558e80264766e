"""The camera: where the dial lands in the picture, the light on the scene, blur and sensor noise."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .dial import CASE_RADIUS, CENTER
from .paint import cloud_noise, smoothstep


@dataclass
class Pose:
    """Where the camera stands to the dial. Lengths in shares of the picture's side, angles in degrees."""

    roll: float
    tilt_x: float
    tilt_y: float
    distance: float
    """From the dial, in case radii: the nearer, the stronger the perspective."""
    radius: float
    center: tuple[float, float]

    def homography(self, size: int) -> np.ndarray:
        """3x3 matrix from the dial's canvas (pixels) to a picture of size x size pixels."""
        roll, ax, ay = np.deg2rad([self.roll, self.tilt_x, self.tilt_y])
        rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
        ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
        turn = rx @ ry @ rz
        plane = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, self.distance]])  # z = 0 on the dial
        focal = self.radius * size * self.distance
        project = np.array([[focal, 0, self.center[0] * size], [0, focal, self.center[1] * size], [0, 0, 1]])
        to_unit = np.array([[1 / CASE_RADIUS, 0, -CENTER / CASE_RADIUS], [0, 1 / CASE_RADIUS, -CENTER / CASE_RADIUS], [0, 0, 1]])
        return project @ plane @ to_unit


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draws a pose a person with a phone, or a camera screwed on nearby, would have."""
    tilt = np.abs(rng.normal(0, 11, 2)).clip(0, 26) * rng.choice([-1, 1], 2)
    return Pose(
        roll=float(np.clip(rng.normal(0, 5), -12, 12)),
        tilt_x=float(tilt[0]),
        tilt_y=float(tilt[1]),
        distance=rng.uniform(2.6, 6),
        radius=rng.uniform(0.36, 0.48),
        center=(0.5 + float(np.clip(rng.normal(0, 0.03), -0.07, 0.07)), 0.5 + float(np.clip(rng.normal(0, 0.03), -0.07, 0.07))),
    )


def warp(canvas: Image.Image, pose: Pose, size: int) -> Image.Image:
    """The dial's RGBA canvas seen from `pose`, on a transparent picture of size x size pixels."""
    inverse = np.linalg.inv(pose.homography(size))
    inverse = inverse / inverse[2, 2]
    return canvas.transform((size, size), Image.Transform.PERSPECTIVE, tuple(inverse.flatten()[:8]), Image.Resampling.BILINEAR)


def light_scene(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Puts light on [size, size, 3] values in 0..1: exposure, color of the lamp, gradients, a cast shadow."""
    size = picture.shape[0]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    direction = rng.uniform(0, 2 * np.pi)
    slope = np.cos(direction) * x + np.sin(direction) * y
    field = 1 + rng.uniform(0, 0.7) * slope
    field -= rng.uniform(0, 0.8) * (x**2 + y**2)  # the lens darkens towards the corners
    if rng.uniform() < 0.3:  # a lamp or torch
        cx, cy = rng.uniform(-0.4, 0.4, 2)
        field += rng.uniform(0.1, 0.45) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.03, 0.2))
    if rng.uniform() < 0.2:  # somebody's or something's shadow
        edge = np.cos(direction + 1) * x + np.sin(direction + 1) * y - rng.uniform(-0.3, 0.3)
        field *= 1 - rng.uniform(0.2, 0.5) * smoothstep(edge, 0, rng.uniform(0.03, 0.15))
    warmth = rng.normal(0, 0.06)
    lamp = np.array([1 + warmth, 1 + rng.normal(0, 0.02), 1 - warmth], np.float32)
    lit = picture * field[..., None] * lamp * np.exp(rng.normal(0, 0.18))
    gamma = float(np.exp(rng.normal(0, 0.15)))
    return np.clip(lit, 0, 1.2) ** gamma


def _convolve(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    half = kernel.shape[0] // 2
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)), "edge")
    size = picture.shape[0]
    out = np.zeros_like(picture)
    for i, j in zip(*np.nonzero(kernel > 1e-4)):
        out += kernel[i, j] * padded[i:i + size, j:j + size]
    return out


def expose(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Blur of focus or motion, then sensor noise, on [size, size, 3] values in 0..1."""
    span = np.arange(-4, 5)
    if rng.uniform() < 0.15:
        angle, length = rng.uniform(0, np.pi), rng.uniform(1, 3)
        distance = np.abs(np.outer(span, np.ones(9)) * np.cos(angle) - np.outer(np.ones(9), span) * np.sin(angle))
        along = np.abs(np.outer(span, np.ones(9)) * np.sin(angle) + np.outer(np.ones(9), span) * np.cos(angle))
        kernel = np.clip(1 - distance, 0, 1) * (along <= length / 2 + 0.5)
    else:
        sigma = rng.uniform(0.2, 0.85)
        line = np.exp(-(span**2) / (2 * sigma**2))
        kernel = np.outer(line, line)
    picture = _convolve(picture, (kernel / kernel.sum()).astype(np.float32))
    size = picture.shape[0]
    level = abs(rng.normal(0, 0.016))
    grain = rng.standard_normal((size, size, 1)) * 0.8 + rng.standard_normal((size, size, 3)) * 0.5
    shot = np.sqrt(np.clip(picture, 0.02, 1))  # photons: the noise grows with the root of the light
    blotch = cloud_noise(rng, size, size, (30,))[..., None] * 0.2
    return picture + level * shot * (grain + blotch)
