# SPDX-License-Identifier: Apache-2.0
"""Writes an EfficientNet-Lite0 (Tan and Le, 2019; Lite, 2020) with seeded random weights as int8 .tflite.

Lite is EfficientNet-B0 without squeeze-and-excitation and with ReLU6: the blocks are MobileNetV2's
with 3x3 and 5x5 windows.

    python3 models/efficientnet_lite0.py --seed 1 --size 224 -o efficientnet_lite0.tflite
"""

from mobilenet_v2 import bottleneck
from random_network import RandomNetwork, command_line

# (window, expansion, output channels, repeats, stride of the first), table 1 of the paper.
STAGES = ((3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2),
          (5, 6, 112, 3, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1))
CLASSES = 1000


def build(seed, size=224):
    """Returns the bytes of the model for size x size x 3 images."""
    net = RandomNetwork("efficientnet_lite0", seed)
    x = net.input([size, size, 3], scale=1 / 128, zero_point=-1)
    x = net.conv(x, 32, (3, 3), (2, 2), activation="RELU6")
    for window, expansion, channels, repeats, stride in STAGES:
        for repeat in range(repeats):
            x = bottleneck(net, x, expansion, channels, stride if repeat == 0 else 1, window)
    x = net.conv(x, 1280, (1, 1), activation="RELU6")
    x = net.flatten(net.global_average_pool(x))
    x = net.fully_connected(x, CLASSES, spread=3.0)
    return net.finish(net.softmax(x))


if __name__ == "__main__":
    command_line(__doc__.splitlines()[0], "efficientnet_lite0.tflite", build,
                 size=(224, "height and width of the image"))
