# SPDX-License-Identifier: Apache-2.0
"""Builds int8 networks with seeded random weights whose activations look like a trained network's.

Random weights alone give networks that saturate or die after a few layers. Every layer here is
normalised as batch normalisation would have done it, but on paper, without running the network:
each channel carries an estimate of its mean and variance, the next layer's weights give mean and
variance of its sums, and the layer's weight scales and biases are chosen so that each output
channel gets the spread and offset drawn for it. Output scales follow from the estimate, so a few
values saturate and most do not; ReLU6 clips about one value in a hundred.

    net = RandomNetwork("tiny", seed=1)
    x = net.input([8, 8, 3])
    x = net.conv(x, 16, (3, 3), stride=(2, 2), activation="RELU")
    x = net.fully_connected(net.flatten(net.global_average_pool(x)), 10)
    data = net.finish(net.softmax(x))

Standard library only; a seed gives the same file every time. What it does not do: train.
"""

import argparse
import math
import pathlib
import random
import sys
from operator import mul
from statistics import NormalDist

from tflite_writer import INT32, INT8, ModelBuilder, Quantization

_NORMAL = NormalDist()
# A byte drawn evenly becomes a weight with a normal distribution that just fills [-127, 127].
_BYTE_TO_WEIGHT = bytes(
    round(127 * _NORMAL.inv_cdf((i + 0.5) / 256) / _NORMAL.inv_cdf(255.5 / 256)) & 0xFF
    for i in range(256))
_TAIL = 3.0  # activations reach this many standard deviations before they saturate


class Tensor:
    """An activation: index in the model, shape, quantisation, mean and variance per channel."""

    def __init__(self, index, shape, scale, zero_point, mean, variance):
        self.index, self.shape = index, shape
        self.scale, self.zero_point = scale, zero_point
        self.mean, self.variance = mean, variance

    def power(self):
        """Mean square per channel."""
        return [m * m + v for m, v in zip(self.mean, self.variance)]


def same_extent(size, stride):
    """Output extent under SAME padding."""
    return -(-size // stride)


def _clipped_moments(mean, variance, high):
    """Mean and variance of a normal variable clipped to [0, high]; `high` may be infinite."""
    sigma = math.sqrt(variance)
    first = second = 0.0
    # Integral of max(x, 0) above each limit; what lies above `high` is taken off again.
    for limit, sign in ((0.0, 1), (high, -1)):
        if math.isinf(limit):
            continue
        z = (mean - limit) / sigma
        above, density = _NORMAL.cdf(z), _NORMAL.pdf(z)
        excess = sigma * (z * above + density)
        excess_squared = variance * ((z * z + 1) * above + z * density)
        first += sign * excess
        second += sign * (excess_squared + 2 * limit * excess)
    return first, max(second - first * first, 1e-6 * variance)


def _maximum_moments(count):
    """Mean and variance of the largest of `count` standard normal values."""
    steps = 200
    values = [_NORMAL.inv_cdf(((i + 0.5) / steps) ** (1 / count)) for i in range(steps)]
    mean = sum(values) / steps
    return mean, sum(v * v for v in values) / steps - mean * mean


class RandomNetwork:
    """A network under construction; every method adds an operator and returns its output."""

    def __init__(self, name, seed):
        self._model = ModelBuilder("%s, random weights, seed %d" % (name, seed))
        self._random = random.Random("%s/%d" % (name, seed))
        self._inputs = []
        self._count = 0

    # --- operators ---

    def input(self, shape, scale=1 / 255, zero_point=-128):
        """An input of one image; its int8 values are taken to be evenly distributed."""
        channels = shape[-1]
        mean = [scale * (-0.5 - zero_point)] * channels
        variance = [scale * scale * (256 * 256 - 1) / 12] * channels
        tensor = self._tensor("input", [1] + list(shape), scale, zero_point, mean, variance)
        self._inputs.append(tensor.index)
        return tensor

    def conv(self, x, channels, kernel, stride=(1, 1), padding="SAME", activation="NONE"):
        name = self._name("conv")
        taps = kernel[0] * kernel[1]
        rows = [self._weights(taps * x.shape[3]) for _ in range(channels)]
        mean, variance = x.mean * taps, x.variance * taps
        sums = [(sum(map(mul, row, mean)), sum(map(mul, map(mul, row, row), variance)))
                for row in rows]
        data = b"".join(row.tobytes() for row in rows)
        shape = [channels, kernel[0], kernel[1], x.shape[3]]
        parameters, stats = self._normalised(name, x, shape, 0, data, sums, activation)
        y = self._activated(name, self._window(x, channels, kernel, stride, padding), stats,
                            activation)
        self._model.conv_2d(x.index, *parameters, y.index, stride, padding, activation)
        return y

    def depthwise(self, x, kernel, stride=(1, 1), padding="SAME", activation="NONE"):
        name = self._name("depthwise")
        channels, taps = x.shape[3], kernel[0] * kernel[1]
        data = self._weights(taps * channels)
        sums = []
        for c in range(channels):
            row = data[c::channels].tolist()
            sums.append((sum(row) * x.mean[c], sum(map(mul, row, row)) * x.variance[c]))
        shape = [1, kernel[0], kernel[1], channels]
        parameters, stats = self._normalised(name, x, shape, 3, data.tobytes(), sums, activation)
        y = self._activated(name, self._window(x, channels, kernel, stride, padding), stats,
                            activation)
        self._model.depthwise_conv_2d(x.index, *parameters, y.index, stride, padding, activation)
        return y

    def fully_connected(self, x, units, activation="NONE", spread=2.0):
        """Per-tensor weights; `spread` is the standard deviation over the outputs."""
        name = self._name("dense")
        data = self._weights(units * x.shape[1])
        square = sum(map(mul, data, data)) / len(data)
        weight_scale = spread / math.sqrt(square * sum(x.power()))
        centre = 0.3 * spread  # off zero, so that the output's zero point is too
        offsets = [self._random.gauss(centre, 0.2 * spread) for _ in range(units)]
        parameters = self._parameters(name, x, [units, x.shape[1]], 0, data.tobytes(),
                                      [weight_scale], offsets)
        # Over all outputs: which one is high differs from image to image and cannot be foretold.
        stats = [(centre, 1.04 * spread * spread)] * units
        y = self._activated(name, [1, units], stats, activation)
        self._model.fully_connected(x.index, *parameters, y.index, activation)
        return y

    def add(self, a, b, activation="NONE"):
        stats = [(ma + mb, va + vb)
                 for ma, va, mb, vb in zip(a.mean, a.variance, b.mean, b.variance)]
        y = self._activated(self._name("add"), a.shape, stats, activation)
        self._model.add(a.index, b.index, y.index, activation)
        return y

    def max_pool(self, x, kernel, stride, padding="SAME"):
        lift, shrink = _maximum_moments(kernel[0] * kernel[1])
        shape = self._window(x, x.shape[3], kernel, stride, padding)
        y = self._tensor(self._name("max_pool"), shape, x.scale, x.zero_point,
                         [m + lift * math.sqrt(v) for m, v in zip(x.mean, x.variance)],
                         [shrink * v for v in x.variance])
        self._model.max_pool_2d(x.index, y.index, kernel, stride, padding)
        return y

    def global_average_pool(self, x):
        kernel = (x.shape[1], x.shape[2])
        y = self._tensor(self._name("average_pool"), [1, 1, 1, x.shape[3]], x.scale, x.zero_point,
                         x.mean, [v / (kernel[0] * kernel[1]) for v in x.variance])
        self._model.average_pool_2d(x.index, y.index, kernel, kernel, "VALID")
        return y

    def pad(self, x, amount):
        """`amount` rows and columns of zeros on every side of the image."""
        shape = [1, x.shape[1] + 2 * amount, x.shape[2] + 2 * amount, x.shape[3]]
        y = self._tensor(self._name("pad"), shape, x.scale, x.zero_point, x.mean, x.variance)
        self._model.pad(x.index, y.index, [(0, 0), (amount, amount), (amount, amount), (0, 0)])
        return y

    def flatten(self, x):
        if x.shape[1:3] != [1, 1]:
            raise ValueError("flatten: only 1x1 images carry one estimate per value")
        y = self._tensor(self._name("flatten"), [1, x.shape[3]], x.scale, x.zero_point,
                         x.mean, x.variance)
        self._model.reshape(x.index, y.index, [-1, x.shape[3]])
        return y

    def softmax(self, x):
        y = self._tensor(self._name("softmax"), x.shape, 1 / 256, -128, x.mean, x.variance)
        self._model.softmax(x.index, y.index)
        return y

    def finish(self, output):
        """Returns the bytes of the .tflite file."""
        return self._model.finish(self._inputs, [output.index])

    # --- parts of the above ---

    def _name(self, kind):
        self._count += 1
        return "%s_%d" % (kind, self._count)

    def _weights(self, count):
        """`count` random weights as a memoryview of signed bytes."""
        return memoryview(self._random.randbytes(count).translate(_BYTE_TO_WEIGHT)).cast("b")

    def _tensor(self, name, shape, scale, zero_point, mean, variance):
        index = self._model.tensor(name, shape, INT8, Quantization([scale], [zero_point]),
                                   any_batch=True)
        return Tensor(index, shape, scale, zero_point, mean, variance)

    @staticmethod
    def _window(x, channels, kernel, stride, padding):
        if padding == "SAME":
            extents = [same_extent(x.shape[1 + d], stride[d]) for d in (0, 1)]
        else:
            extents = [(x.shape[1 + d] - kernel[d]) // stride[d] + 1 for d in (0, 1)]
        return [1, extents[0], extents[1], channels]

    def _normalised(self, name, x, shape, axis, data, sums, activation):
        """Per-channel scales and biases from each channel's (mean, variance) of raw sums.

        Returns the indices of weights and bias, and the (mean, variance) chosen per channel.
        """
        typical = 2.2 if activation == "RELU6" else 1.0
        scales, offsets, stats = [], [], []
        floor = 1e-6 + 1e-3 * max(variance for _, variance in sums)
        for raw_mean, raw_variance in sums:
            spread = typical * math.exp(self._random.gauss(0, 0.25))
            centre = self._random.gauss(0.2, 0.4) * spread
            scales.append(spread / math.sqrt(raw_variance + floor))
            offsets.append(centre - scales[-1] * raw_mean)
            stats.append((centre, spread * spread))
        return self._parameters(name, x, shape, axis, data, scales, offsets), stats

    def _parameters(self, name, x, shape, axis, data, scales, offsets):
        """Adds weights and int32 bias (scale: input scale times weight scale)."""
        zeros = [0] * len(scales)
        weights = self._model.constant(name + "/weights", shape, INT8, data,
                                       Quantization(scales, zeros, axis))
        bias_scales = [x.scale * scale for scale in scales]
        per_output = bias_scales if len(scales) > 1 else bias_scales * len(offsets)
        values = [round(offset / scale) for offset, scale in zip(offsets, per_output)]
        bias = self._model.constant(name + "/bias", [len(values)], INT32, values,
                                    Quantization(bias_scales, zeros))
        return weights, bias

    def _activated(self, name, shape, stats, activation):
        """The output tensor of a layer whose sums have these (mean, variance) per channel."""
        reach = [(m - _TAIL * math.sqrt(v), m + _TAIL * math.sqrt(v)) for m, v in stats]
        low, high = min(r[0] for r in reach), max(r[1] for r in reach)
        if activation != "NONE":
            limit = 6.0 if activation == "RELU6" else math.inf
            low, high = 0.0, min(high, limit)
            stats = [_clipped_moments(m, v, limit) for m, v in stats]
        scale = (high - low) / 255
        zero_point = max(-128, min(127, round(-128 - low / scale)))
        return self._tensor(name, shape, scale, zero_point,
                            [m for m, _ in stats], [v for _, v in stats])


def command_line(description, default_output, build, **options):
    """Runs a generator script: --seed and -o, and one integer option per entry of `options`.

    `build(seed, **options)` returns the bytes of the file.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights (default 1)")
    for name, (default, text) in options.items():
        parser.add_argument("--" + name, type=int, default=default,
                            help="%s (default %d)" % (text, default))
    parser.add_argument("-o", "--output", default=default_output,
                        help="file to write (default %(default)s)")
    arguments = vars(parser.parse_args())
    for name in options:
        if arguments[name] < 1:
            parser.error("--%s is %d: give 1 or more" % (name, arguments[name]))
    path = pathlib.Path(arguments.pop("output"))
    seed = arguments["seed"]
    data = build(**arguments)
    path.write_bytes(data)
    print("%s: %d bytes, seed %d" % (path, len(data), seed), file=sys.stderr)


def command_line_of_several(description, names, suffix, build):
    """Runs a script that writes several networks: --seed, -o FOLDER and names, by default all.

    `build(name, seed)` returns the bytes of the file NAME<suffix>.tflite.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="any of %s (default: all)" % ", ".join(names))
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights (default 1)")
    parser.add_argument("-o", "--output-dir", type=pathlib.Path, default=pathlib.Path("."),
                        help="folder for NAME%s.tflite (default: here)" % suffix)
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in names:
            parser.error("unknown network %r: choose from %s" % (name, ", ".join(names)))
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or names:
        path = arguments.output_dir / (name + suffix + ".tflite")
        data = build(name, arguments.seed)
        path.write_bytes(data)
        print("%s: %d bytes, seed %d" % (path, len(data), arguments.seed), file=sys.stderr)
