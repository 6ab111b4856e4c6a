# SPDX-License-Identifier: Apache-2.0
"""Writes networks of one kind of layer with seeded random weights as int8 .tflite.

    python3 models/layers.py --seed 1 -o DIRECTORY [NAME...]

gemm_M_K_N is the product of an M x K by a K x N matrix and conv3_HxWxC_N a 3x3 convolution with N
outputs, each from memory to memory: input, weights and output cross the port. dw3_HxWxC is three
3x3 depthwise convolutions, of which the one in the middle has both its input and its output on
chip. All have stride 1.
"""

from random_network import RandomNetwork, command_line_of_several


def gemm(net, rows, inner, columns):
    """A 1x1 convolution: each row of the left matrix is a pixel."""
    return net.conv(net.input([rows, 1, inner]), columns, (1, 1))


def conv(net, height, width, channels, outputs):
    return net.conv(net.input([height, width, channels]), outputs, (3, 3), activation="RELU")


def depthwise(net, height, width, channels):
    x = net.input([height, width, channels])
    for _ in range(3):
        x = net.depthwise(x, (3, 3), activation="RELU")
    return x


LAYERS = {
    "gemm_512_512_512": (gemm, 512, 512, 512),
    "gemm_64_64_64": (gemm, 64, 64, 64),
    "conv3_32x32x16_16": (conv, 32, 32, 16, 16),
    "dw3_12x12x64": (depthwise, 12, 12, 64),
    "dw3_28x28x96": (depthwise, 28, 28, 96),
    "dw3_48x48x32": (depthwise, 48, 48, 32),
}


def build(name, seed):
    """Returns the bytes of one of LAYERS."""
    function, *extents = LAYERS[name]
    net = RandomNetwork(name, seed)
    return net.finish(function(net, *extents))


if __name__ == "__main__":
    command_line_of_several(__doc__.splitlines()[0], list(LAYERS), "", build)
