"""Renders a folder of gauge photographs with its labels.csv.

    python make_images.py --seed 1 --count 16800 --out /tmp/gauges/train

Writes OUT/gauge_00000.jpg ... and OUT/labels.csv (file,class_index,name). The same seed and count give the
same files wherever numpy and Pillow have the versions of requirements.txt.
"""

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from gauges.render import render
from gauges.spec import class_name


def _write(seed: int, out: Path, index: int) -> tuple[str, int]:
    photograph = render(seed, index)
    name = f"gauge_{index:05d}.jpg"
    (out / name).write_bytes(photograph.jpeg)
    return name, photograph.class_index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1, help="processes that render side by side")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(partial(_write, options.seed, options.out), range(options.count), chunksize=64))
    with open(options.out / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "class_index", "name"])
        writer.writerows((name, index, class_name(index)) for name, index in rows)


if __name__ == "__main__":
    main()
