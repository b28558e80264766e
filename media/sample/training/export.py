"""Writes the trained network as ONNX: opset 13, static batch 1, BatchNorm folded into the convolutions.

    python export.py --weights /tmp/gauges/gauge.pt --out ../gauge.onnx
"""

import argparse
from pathlib import Path

import onnx
import torch

from gauges.spec import IMAGE_SIZE
from model import GaugeReader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    model = GaugeReader()
    model.load_state_dict(torch.load(options.weights, weights_only=True))
    model.eval()  # in evaluation mode the exporter folds each BatchNorm into the convolution before it
    torch.onnx.export(model, torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE), str(options.out), opset_version=13,
                      input_names=["image"], output_names=["logits"], dynamo=False)
    onnx.checker.check_model(onnx.load(options.out), full_check=True)


if __name__ == "__main__":
    main()
