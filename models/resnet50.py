# SPDX-License-Identifier: Apache-2.0
"""Writes a ResNet-50 v1.5 (He et al., 2016) with seeded random weights as int8 .tflite.

Version 1.5 strides in the 3x3 convolution of a block, not in the 1x1 before it. Strided 3x3 and
7x7 convolutions are a PAD followed by a VALID convolution, the form common training code exports.

    python3 models/resnet50.py --seed 1 --size 224 -o resnet50.tflite
"""

from random_network import RandomNetwork, command_line

# (inner channels, repeats, stride of the first), table 1 of the paper.
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
EXPANSION = 4
CLASSES = 1000


def spatial_conv(net, x, channels, kernel, stride):
    """A square convolution with ReLU; symmetric padding whatever the stride."""
    if stride == 1:
        return net.conv(x, channels, (kernel, kernel), activation="RELU")
    return net.conv(net.pad(x, kernel // 2), channels, (kernel, kernel), (stride, stride),
                    padding="VALID", activation="RELU")


def bottleneck(net, x, inner, stride):
    """Reduce, filter, restore, add; a 1x1 convolution on the shortcut when shapes differ."""
    y = net.conv(x, inner, (1, 1), activation="RELU")
    y = spatial_conv(net, y, inner, 3, stride)
    y = net.conv(y, EXPANSION * inner, (1, 1))
    if x.shape != y.shape:
        x = net.conv(x, EXPANSION * inner, (1, 1), (stride, stride))
    return net.add(x, y, activation="RELU")


def build(seed, size=224):
    """Returns the bytes of the model for size x size x 3 images."""
    net = RandomNetwork("resnet50", seed)
    x = net.input([size, size, 3], scale=1 / 64, zero_point=0)
    x = spatial_conv(net, x, 64, 7, 2)
    x = net.max_pool(x, (3, 3), (2, 2))
    for inner, repeats, stride in STAGES:
        for repeat in range(repeats):
            x = bottleneck(net, x, inner, stride if repeat == 0 else 1)
    x = net.flatten(net.global_average_pool(x))
    x = net.fully_connected(x, CLASSES, spread=3.0)
    return net.finish(net.softmax(x))


if __name__ == "__main__":
    command_line(__doc__.splitlines()[0], "resnet50.tflite", build,
                 size=(224, "height and width of the image"))
