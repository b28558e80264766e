"""Trains the gauge reader on one thread of a CPU.

    python train.py --train /tmp/gauges/train --val /tmp/gauges/val --out /tmp/gauges/gauge.pt

AdamW with a one-cycle learning rate. Accuracy on --val is printed after each epoch for information only: the
weights of the last epoch are kept, so nothing is chosen by it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gauges.spec import CLASS_COUNT
from images import load_folder
from model import GaugeReader

SHIFT = 4  # pixels


def to_input(images: np.ndarray) -> torch.Tensor:
    """[N, 96, 96, 3] uint8 to [N, 3, 96, 96] float in 0..1: the model's preprocessing ("unit")."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div(255)


def augment(rng: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift, mirror, gain and noise. A mirrored dial runs backwards: 30 % becomes 70 %."""
    count, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
    corners = rng.integers(0, 2 * SHIFT + 1, (count, 2))
    moved = np.stack([p[y:y + height, x:x + width] for p, (y, x) in zip(padded, corners)])
    mirrored = rng.uniform(size=count) < 0.5
    moved[mirrored] = moved[mirrored, :, ::-1]
    labels = np.where(mirrored, CLASS_COUNT - 1 - labels, labels)
    x = to_input(moved)
    gain = np.exp(rng.normal(0, 0.15, (count, 1, 1, 1)) + rng.normal(0, 0.05, (count, 3, 1, 1)))
    offset = rng.normal(0, 0.04, (count, 1, 1, 1))
    x = (x - 0.5) * torch.from_numpy(gain).float() + 0.5 + torch.from_numpy(offset).float()
    x += torch.from_numpy(rng.standard_normal(x.shape, np.float32)) * 0.01
    return x.clamp_(0, 1), torch.from_numpy(labels)


@torch.inference_mode()
def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of `images` whose highest logit is the label's."""
    model.eval()
    right = 0
    for i in range(0, len(images), 100):
        x = to_input(images[i:i + 100]).contiguous(memory_format=torch.channels_last)
        right += int((model(x).argmax(1).numpy() == labels[i:i + 100]).sum())
    return right / len(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=22)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    images, labels = load_folder(options.train)
    val_images, val_labels = load_folder(options.val)
    model = GaugeReader().to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}], options.rate)
    steps = len(images) // options.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, options.epochs * steps, pct_start=0.2)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.02)
    start = time.time()
    for epoch in range(options.epochs):
        model.train()
        order = rng.permutation(len(images))
        total = 0.0
        for step in range(steps):
            chosen = order[step * options.batch:(step + 1) * options.batch]
            x, y = augment(rng, images[chosen], labels[chosen])
            loss = loss_of(model(x.contiguous(memory_format=torch.channels_last)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1:2d}  loss {total / steps:.4f}  val {accuracy(model, val_images, val_labels):.4f}"
              f"  {time.time() - start:.0f} s", flush=True)
    torch.save(model.state_dict(), options.out)


if __name__ == "__main__":
    main()
