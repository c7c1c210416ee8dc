"""The layers of both networks, with the published names of their tensors, so that a published state dict loads.

Legend for shapes: B samples, V views, M volumes, F feature channels, D side of a grid.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sizes import FeatureNetSize, V2VSize


class BasicBlock(nn.Module):
    """conv3x3-BN-ReLU-conv3x3-BN plus the input (through conv1x1-BN where shapes differ), then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        else:
            self.downsample = None

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu_(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu_(y)


class ResNetTrunk(nn.Module):
    """ResNet-34 (He et al. 2016) without its classifier: the stem before max-pooling, and what each layer returns."""

    def __init__(self, size: FeatureNetSize) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, size.stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(size.stem)
        inputs = size.stem
        for index, (outputs, blocks) in enumerate(zip(size.layers, size.blocks)):
            stride = 1 if index == 0 else 2
            layer = [
                BasicBlock(inputs if b == 0 else outputs, outputs, stride if b == 0 else 1) for b in range(blocks)
            ]
            self.add_module(f"layer{index + 1}", nn.Sequential(*layer))
            inputs = outputs

    def forward(self, x: Tensor) -> list[Tensor]:
        stem = F.relu_(self.bn1(self.conv1(x)))
        outputs = [stem]
        y = F.max_pool2d(stem, 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            y = layer(y)
            outputs.append(y)
        return outputs


class SkipNet(nn.Module):
    """The trunk, and a 1x1 convolution to F channels at each of its five resolutions, added up from the deepest."""

    def __init__(self, size: FeatureNetSize) -> None:
        super().__init__()
        self.resnet34_32s = ResNetTrunk(size)
        for index, channels in enumerate((size.stem, *size.layers)):
            self.add_module(f"skip{index + 1}", nn.Conv2d(channels, size.features, 1))

    def forward(self, images: Tensor) -> Tensor:
        """`(M, 3, H, W)` -> `(M, F, H, W)`"""
        outputs = self.resnet34_32s(images)
        skips = (self.skip1, self.skip2, self.skip3, self.skip4, self.skip5)
        total = None
        for skip, x in reversed(list(zip(skips, outputs))):
            y = skip(x)
            total = y if total is None else F.interpolate(total, size=y.shape[-2:], mode="nearest").add_(y)
        return F.interpolate(total, size=images.shape[-2:], mode="nearest")


class FeatureNet(nn.Module):
    """method 2.1; batch normalisation is joint over batch and views."""

    def __init__(self, size: FeatureNetSize) -> None:
        super().__init__()
        self.model = SkipNet(size)

    def forward(self, images: Tensor) -> Tensor:
        """`(B, V, 3, H, W)` -> `(B, V, F, H, W)`"""
        flat = images.flatten(0, 1)
        if self.model.skip1.weight.is_contiguous(memory_format=torch.channels_last):
            flat = flat.contiguous(memory_format=torch.channels_last)
        # Sampling reads channel after channel.
        return self.model(flat).contiguous().unflatten(0, images.shape[:2])


class ConvolutionBlock(nn.Module):
    """Convolution (or transposed convolution), batch normalisation, ReLU."""

    def __init__(self, convolution: nn.Module, outputs: int) -> None:
        super().__init__()
        self.block = nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


def convolution_block(inputs: int, outputs: int, kernel: int) -> ConvolutionBlock:
    return ConvolutionBlock(nn.Conv3d(inputs, outputs, kernel, 1, (kernel - 1) // 2), outputs)


class ResidualBlock(nn.Module):
    """conv3-BN-ReLU-conv3-BN plus the input (through conv1-BN where widths differ), then ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.res_branch = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, 1, 1),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv3d(outputs, outputs, 3, 1, 1),
            nn.BatchNorm3d(outputs),
        )
        if inputs == outputs:
            self.skip_con = nn.Sequential()
        else:
            self.skip_con = nn.Sequential(nn.Conv3d(inputs, outputs, 1), nn.BatchNorm3d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.res_branch(x)
        y += self.skip_con(x)
        return F.relu_(y)


class EncoderDecoder(nn.Module):
    """Level i: pool (if it is a pooled one), encode, deeper levels, decode, raise again, plus the residual skip."""

    def __init__(self, size: V2VSize) -> None:
        super().__init__()
        self.levels = len(size.encoders)
        self.pooled_levels = size.pooled_levels
        widths = (size.base, *size.encoders)
        for level in range(1, self.levels + 1):
            outer, inner = widths[level - 1], widths[level]
            self.add_module(f"skip_res{level}", ResidualBlock(outer, outer))
            self.add_module(f"encoder_res{level}", ResidualBlock(outer, inner))
            self.add_module(f"decoder_res{level}", ResidualBlock(inner, inner))
            if level <= self.pooled_levels:
                raised = ConvolutionBlock(nn.ConvTranspose3d(inner, outer, 2, 2), outer)
                self.add_module(f"decoder_upsample{level}", raised)
        self.mid_res = ResidualBlock(widths[-1], widths[-1])

    def forward(self, x: Tensor, run: "Runner") -> Tensor:
        return self._level(x, 1, run)

    def _level(self, x: Tensor, level: int, run: "Runner") -> Tensor:
        if level > self.levels:
            return run(self.mid_res, x)
        pooled = level <= self.pooled_levels
        y = F.max_pool3d(x, 2, 2) if pooled else x
        y = run(getattr(self, f"encoder_res{level}"), y)
        y = self._level(y, level + 1, run)
        y = run(getattr(self, f"decoder_res{level}"), y)
        if pooled:
            y = run(getattr(self, f"decoder_upsample{level}"), y)
        skip = run(getattr(self, f"skip_res{level}"), x)
        return y + skip


Runner = Callable[[nn.Module, Tensor], Tensor]


def run_plainly(module: nn.Module, x: Tensor) -> Tensor:
    return module(x)


def run_checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """Computes the block again in the backward pass instead of keeping what lies in it."""
    return checkpoint(module, x, use_reentrant=False)


class V2V(nn.Module):
    """method 2.5 and 3.5: front, encoder-decoder, back; the output layer is left to the caller."""

    def __init__(self, size: V2VSize, inputs: int, outputs: int) -> None:
        super().__init__()
        base = size.base
        self.front_layers = nn.ModuleList(
            [
                convolution_block(inputs, size.front, size.front_kernel),
                ResidualBlock(size.front, base),
                ResidualBlock(base, base),
                ResidualBlock(base, base),
            ]
        )
        self.encoder_decoder = EncoderDecoder(size)
        self.back_layers = nn.ModuleList(
            [
                ResidualBlock(base, base),
                convolution_block(base, size.back[0], 1),
                convolution_block(size.back[0], size.back[1], 1),
            ]
        )
        self.output_layer = nn.Conv3d(size.back[1], outputs, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor, checkpointed: bool) -> Tensor:
        """`(M, I, D, D, D)` -> `(M, back[1], D, D, D)`, what the output layer is given."""
        run = run_checkpointed if checkpointed else run_plainly
        if self.output_layer.weight.is_contiguous(memory_format=torch.channels_last_3d):
            x = x.contiguous(memory_format=torch.channels_last_3d)
        for layer in self.front_layers:
            x = run(layer, x)
        x = self.encoder_decoder(x, run)
        for layer in self.back_layers:
            x = run(layer, x)
        return x
