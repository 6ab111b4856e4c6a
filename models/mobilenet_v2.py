# SPDX-License-Identifier: Apache-2.0
"""Writes a MobileNetV2 1.0 (Sandler et al., 2018) with seeded random weights as int8 .tflite.

    python3 models/mobilenet_v2.py --seed 1 --size 224 -o mobilenet_v2.tflite
"""

from random_network import RandomNetwork, command_line

# (expansion, output channels, repeats, stride of the first), table 2 of the paper.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))
CLASSES = 1001


def bottleneck(net, x, expansion, channels, stride, window=3):
    """Inverted residual: expand, filter each channel, project; add when shapes allow."""
    y = x
    if expansion > 1:
        y = net.conv(y, expansion * x.shape[3], (1, 1), activation="RELU6")
    y = net.depthwise(y, (window, window), (stride, stride), activation="RELU6")
    y = net.conv(y, channels, (1, 1))
    return net.add(x, y) if stride == 1 and channels == x.shape[3] else y


def build(seed, size=224):
    """Returns the bytes of the model for size x size x 3 images."""
    net = RandomNetwork("mobilenet_v2", seed)
    x = net.input([size, size, 3], scale=1 / 127.5, zero_point=-1)
    x = net.conv(x, 32, (3, 3), (2, 2), activation="RELU6")
    for expansion, channels, repeats, stride in STAGES:
        for repeat in range(repeats):
            x = bottleneck(net, x, expansion, channels, stride if repeat == 0 else 1)
    x = net.conv(x, 1280, (1, 1), activation="RELU6")
    x = net.flatten(net.global_average_pool(x))
    x = net.fully_connected(x, CLASSES, spread=3.0)
    return net.finish(net.softmax(x))


if __name__ == "__main__":
    command_line(__doc__.splitlines()[0], "mobilenet_v2.tflite", build,
                 size=(224, "height and width of the image"))
