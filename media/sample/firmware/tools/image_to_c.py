"""Writes a picture as a C array: raw bytes, height x width x RGB, as a camera delivers them.

    python tools/image_to_c.py ../fresh/gauge_00013.jpg ../fresh/labels.csv src/test_image.c
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = """/* Written by tools/image_to_c.py: the picture {name}, {height}x{width}, one byte each for red, green and blue. */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H

#include <stdint.h>

#define TEST_IMAGE_BYTES {size}
#define TEST_IMAGE_CLASS {class_index} /* labelled {label} */

extern const uint8_t test_image[TEST_IMAGE_BYTES];

#endif
"""


def main() -> None:
    image, labels, source = (Path(argument) for argument in sys.argv[1:4])
    with open(labels, newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["file"] == image.name)
    pixels = np.asarray(Image.open(image).convert("RGB"))
    height, width, _ = pixels.shape
    source.with_suffix(".h").write_text(HEADER.format(
        name=image.name, height=height, width=width, size=pixels.size, class_index=row["class_index"], label=row["name"]))
    lines = [",".join(map(str, pixels.reshape(-1)[i:i + 48])) + "," for i in range(0, pixels.size, 48)]
    source.write_text(f'/* Written by tools/image_to_c.py from {image.name}. */\n#include "{source.with_suffix(".h").name}"\n\n'
                      "const uint8_t test_image[TEST_IMAGE_BYTES] = {\n" + "\n".join(lines) + "\n};\n")


if __name__ == "__main__":
    main()
