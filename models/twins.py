# SPDX-License-Identifier: Apache-2.0
"""Writes twins of the four MLPerf Tiny networks: their shapes, seeded random weights, int8 .tflite.

The twins let cycle counts be tracked without the original files: a layer's cycles depend on its
shape, never on its weights.

    python3 models/twins.py --seed 1 -o DIRECTORY [ic kws vww ad]
"""

from random_network import RandomNetwork, command_line_of_several


def image_classification(net):
    """ResNet-8 for 32x32 colour images, ten classes."""
    x = net.input([32, 32, 3], scale=1.0)
    x = net.conv(x, 16, (3, 3), activation="RELU")
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        y = net.conv(x, channels, (3, 3), (stride, stride), activation="RELU")
        y = net.conv(y, channels, (3, 3))
        if stride > 1:
            x = net.conv(x, channels, (1, 1), (stride, stride))
        x = net.add(x, y, activation="RELU")
    return classifier(net, x, 10)


def keyword_spotting(net):
    """DS-CNN for 49 frames of ten coefficients, twelve classes."""
    x = net.input([49, 10, 1], scale=0.585, zero_point=83)
    x = net.conv(x, 64, (10, 4), (2, 2), activation="RELU")
    for _ in range(4):
        x = separable(net, x, 64, 1)
    return classifier(net, x, 12)


def visual_wake_words(net):
    """MobileNetV1 of width 0.25 for 96x96 colour images, two classes."""
    x = net.input([96, 96, 3])
    x = net.conv(x, 8, (3, 3), (2, 2), activation="RELU")
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1),
                             (128, 1), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1)):
        x = separable(net, x, channels, stride)
    return classifier(net, x, 2)


def anomaly_detection(net):
    """Autoencoder of ten dense layers for windows of 640 values."""
    x = net.input([640], scale=0.391, zero_point=89)
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = net.fully_connected(x, units, activation="RELU")
    return net.fully_connected(x, 640, spread=10.0)


def separable(net, x, channels, stride):
    """Depthwise 3x3, then 1x1, both with ReLU."""
    x = net.depthwise(x, (3, 3), (stride, stride), activation="RELU")
    return net.conv(x, channels, (1, 1), activation="RELU")


def classifier(net, x, classes):
    """Global average, dense layer, softmax."""
    return net.softmax(net.fully_connected(net.flatten(net.global_average_pool(x)), classes))


NETWORKS = {
    "ic": image_classification,
    "kws": keyword_spotting,
    "vww": visual_wake_words,
    "ad": anomaly_detection,
}


def build(name, seed):
    """Returns the bytes of the twin called ic, kws, vww or ad."""
    net = RandomNetwork(name, seed)
    return net.finish(NETWORKS[name](net))


if __name__ == "__main__":
    command_line_of_several(__doc__.splitlines()[0], list(NETWORKS), "_twin", build)
