"""The gauge reader: a MobileNetV2-like network for 96x96 color images."""

import torch
from torch import nn

from gauges.spec import CLASS_COUNT


class Convolution(nn.Module):
    """Convolution, BatchNorm and, unless `activated` is False, ReLU6; padded so that stride 1 keeps the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, activated: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu6 = nn.ReLU6() if activated else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu6(self.norm(self.conv(x)))


class InvertedResidual(nn.Module):
    """Expand to `hidden` channels, depthwise 3x3, project without activation (Sandler et al., CVPR 2018).

    The input is added where the shapes allow it: stride 1 and as many outputs as inputs.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.expand = Convolution(inputs, hidden)
        self.depthwise = Convolution(hidden, hidden, 3, stride, groups=hidden)
        self.project = Convolution(hidden, outputs, activated=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class SeparableConvolution(nn.Module):
    """Depthwise 3x3, then a projection without activation: an inverted residual that does not expand."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = Convolution(inputs, inputs, 3, groups=inputs)
        self.project = Convolution(inputs, outputs, activated=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.project(self.depthwise(x))


class GaugeReader(nn.Module):
    """[N, 3, 96, 96] in 0..1 (RGB / 255) to [N, 21] logits, one per reading.

    The early maps are large on purpose, as in every MobileNet: 48 channels of 48x48 take 108 KiB at 8 bits,
    and no part with 64 KB of RAM holds them whole. From the 12x12 maps on everything is small.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 16, 3, 2)  # 48x48
        self.block1 = SeparableConvolution(16, 8)
        self.block2 = InvertedResidual(8, 48, 24, 2)  # 24x24
        self.block3 = InvertedResidual(24, 72, 24, 1)
        self.block4 = InvertedResidual(24, 72, 32, 2)  # 12x12
        self.block5 = InvertedResidual(32, 128, 32, 1)
        self.block6 = InvertedResidual(32, 128, 32, 1)
        self.block7 = InvertedResidual(32, 128, 64, 2)  # 6x6
        self.block8 = InvertedResidual(64, 192, 64, 1)
        self.block9 = InvertedResidual(64, 192, 64, 1)
        self.head = Convolution(64, 128)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(128, CLASS_COUNT)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block1(self.stem(x))
        x = self.block4(self.block3(self.block2(x)))
        x = self.block6(self.block5(x))
        x = self.block9(self.block8(self.block7(x)))
        return self.classifier(torch.flatten(self.pool(self.head(x)), 1))
