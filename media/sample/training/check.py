"""Top-1 of the exported model, as onnxruntime computes it, and what the network costs.

    python check.py --model ../gauge.onnx --images ../fresh
    python check.py --model ../gauge.onnx --seed 5 --count 2100     (renders images nobody has seen)

"neighbor" counts the images read as the class next to the right one. The peak is what an 8-bit layer-by-layer
run needs when no layer works in place: the largest sum, over the layers, of the bytes of all maps that are live
while it runs, its inputs and output included.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from gauges.render import render
from images import load_folder


def cost(path: Path) -> tuple[int, int, int]:
    """MACs of the convolutions and fully connected layers, parameters, and the 8-bit layer-wise peak in bytes."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    weights = {t.name: tuple(t.dims) for t in graph.initializer}
    shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
              for v in [*graph.input, *graph.value_info, *graph.output]}
    # An activation works in place, and Flatten only renames: their output is the same buffer as their input.
    same: dict[str, str] = {}
    steps = []
    macs = 0
    for node in graph.node:
        inputs = [same.get(name, name) for name in node.input if name in shapes and name not in weights]
        if not inputs:  # constants
            continue
        if node.op_type in ("Clip", "Relu", "Flatten"):
            same[node.output[0]] = inputs[0]
            continue
        steps.append((inputs, node.output[0]))
        if node.op_type in ("Conv", "Gemm"):
            per_output = int(np.prod(weights[node.input[1]][1:]))
            macs += per_output * int(np.prod(shapes[node.output[0]]))
    last_use = {name: i for i, (inputs, _) in enumerate(steps) for name in inputs}
    last_use[steps[-1][1]] = len(steps)
    live: set[str] = {graph.input[0].name}
    peak = 0
    for i, (_, output) in enumerate(steps):
        live.add(output)
        peak = max(peak, sum(int(np.prod(shapes[name])) for name in live))
        live = {name for name in live if last_use.get(name, -1) > i}
    parameters = sum(int(np.prod(dims)) for name, dims in weights.items() if len(dims) >= 1 and np.prod(dims) > 1)
    return macs, parameters, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--images", type=Path, help="a folder with labels.csv")
    parser.add_argument("--seed", type=int, help="render --count images from this seed instead")
    parser.add_argument("--count", type=int, default=2100)
    options = parser.parse_args()
    if options.images:
        images, labels = load_folder(options.images)
    elif options.seed is not None:
        photographs = [render(options.seed, i) for i in range(options.count)]
        images = np.stack([p.pixels() for p in photographs])
        labels = np.array([p.class_index for p in photographs])
    else:
        parser.error("give --images or --seed")
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(options.model), session_options, providers=["CPUExecutionProvider"])
    inputs = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    read = np.array([session.run(None, {"image": x[None]})[0][0].argmax() for x in inputs])
    off = np.abs(read - labels)
    macs, parameters, peak = cost(options.model)
    print(f"images {len(labels)}  top-1 {np.mean(off == 0):.4f}  neighbor {np.mean(off == 1):.4f}  further {np.mean(off > 1):.4f}")
    print(f"MACs {macs}  parameters {parameters}  8-bit layer-by-layer peak {peak} bytes")


if __name__ == "__main__":
    main()
