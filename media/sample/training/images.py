"""Reads a folder that make_images.py wrote."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from gauges.spec import IMAGE_SIZE


def load_folder(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Every image of FOLDER/labels.csv: [N, 96, 96, 3] uint8 RGB, and the class indices [N] int64."""
    with open(folder / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    images = np.empty((len(rows), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for i, row in enumerate(rows):
        images[i] = np.asarray(Image.open(folder / row["file"]).convert("RGB"))
    return images, np.array([int(row["class_index"]) for row in rows], np.int64)
