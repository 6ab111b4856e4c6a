# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the two MNIST models, float and int8, computed from the .tflite files themselves.

The int8 model runs in exact integer arithmetic (TFLite reference kernels, double rounding), so
the figure is what the device reaches. Needs numpy.

    python3 models/mnist_cnn/evaluate.py --mnist FOLDER     the 10,000 test images (IDX files)
    python3 models/mnist_cnn/evaluate.py                    the ten digits that ship
"""

import argparse
import gzip
import json
import math
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tflite_reader import read_model  # noqa: E402

INT32_MAX = 2**31 - 1


def read_idx(folder, stem):
    """Reads an IDX file of bytes, plain or gzipped; shape (count,) or (count, height, width)."""
    path = pathlib.Path(folder) / stem
    zipped = path.with_name(path.name + ".gz")
    raw = gzip.decompress(zipped.read_bytes()) if zipped.exists() else path.read_bytes()
    if raw[:3] != b"\0\0\x08":
        raise ValueError("%s: not an IDX file of bytes" % path)
    shape = [int.from_bytes(raw[4 + 4 * d:8 + 4 * d], "big") for d in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


# --- integer primitives, on int64 arrays that hold int32 values ---


def high_mul(a, b):
    """SRDHM: the rounded high half of twice the product (never both INT32_MIN here)."""
    return (np.asarray(a, np.int64) * b + 2**30) >> 31


def rounding_shift(x, exponent):
    """RDPOT: division by 2^exponent, nearest, ties away from zero."""
    mask = (np.int64(1) << exponent) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def quantize_multiplier(value):
    """A positive real as (M, s): value = M * 2^(s - 31)."""
    fraction, shift = math.frexp(value)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def requantize(acc, multipliers):
    """Scales int32 sums by the real `multipliers`, one per entry of the last axis."""
    pairs = [quantize_multiplier(m) for m in multipliers]
    factor = np.array([m for m, _ in pairs], np.int64)
    shift = np.array([s for _, s in pairs], np.int64)
    return rounding_shift(high_mul(acc << np.maximum(shift, 0), factor), np.maximum(-shift, 0))


def exp_table(scale):
    """exp(-i * scale) in Q0.31 for i = 0..255; 0 where the difference is out of range."""
    multiplier, shift = quantize_multiplier(min(scale * 2.0**26, float(INT32_MAX)))
    lowest = -math.floor(31 * 2**26 / 2**shift)
    d = -np.arange(256, dtype=np.int64)
    a = high_mul(np.where(d < lowest, 0, d) << shift, multiplier)
    part = (a & (2**24 - 1)) - 2**24  # in [-1/4, 0), Q5.26
    x = (part << 5) + 2**28
    x2 = high_mul(x, x)
    poly = rounding_shift(
        high_mul(rounding_shift(high_mul(x2, x2), 2) + high_mul(x2, x), 715827883) + x2, 1)
    result = 1895147668 + high_mul(x + poly, 1895147668)
    for bit, factor in enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535,
                                  720401, 242)):
        result = np.where((part - a) >> (24 + bit) & 1, high_mul(result, factor), result)
    return np.where(d < lowest, 0, np.where(a == 0, INT32_MAX, result))


def softmax_int8(x, scale):
    """x: (rows, classes) int8 values; output scale 1/256, zero point -128."""
    e = exp_table(scale)[x.max(1, keepdims=True) - x]
    total = rounding_shift(e, 12).sum(1, keepdims=True)
    head = np.array([[32 - int(t).bit_length()] for t in total[:, 0]], np.int64)
    a = (total << head) - 2**31  # in [0, 1), Q0.31
    half = (a + INT32_MAX + 1) // 2
    r = 1515870810 + high_mul(half, -1010580540)  # Newton's method for 1 / (2 * half), Q2.29
    for _ in range(3):
        r = r + np.clip(high_mul(r, 2**29 - high_mul(half, r)) << 2, -2**31, INT32_MAX)
    r = np.clip(r << 1, -2**31, INT32_MAX)
    return np.clip(rounding_shift(high_mul(r, e), 12 - head + 23) - 128, -128, 127)


# --- operators; images are (count, height, width, channels) ---


def windows(x, height, width, stride_h, stride_w):
    """(count, out h, out w, channels, height, width), VALID padding."""
    view = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(1, 2))
    return view[:, ::stride_h, ::stride_w]


def linear(x, weights):
    """Convolution (OHWI weights) or dense layer (OI weights), exact for integers below 2^53."""
    if weights.ndim == 2:
        return x @ weights.T
    patches = windows(x, weights.shape[1], weights.shape[2], 1, 1)
    rows = patches.reshape(patches.shape[0] * patches.shape[1] * patches.shape[2], -1)
    columns = weights.transpose(3, 1, 2, 0).reshape(rows.shape[1], -1)
    return (rows @ columns).reshape(patches.shape[:3] + (-1,))


def weighted_float(x, weights, bias, _quantized, activation):
    y = linear(x, weights.astype(np.float64)) + bias
    return np.maximum(y, 0) if activation == "RELU" else y


def weighted_int8(x, weights, bias, quantized, activation):
    t_in, t_weights, t_out = quantized
    # In float64: every partial sum is an integer far below 2^53.
    acc = linear((x - t_in.zero_points[0]).astype(np.float64), weights.astype(np.float64))
    acc = acc.astype(np.int64) + bias
    if len(t_weights.scales) > 1:
        scales = [t_in.scales[0] * s / t_out.scales[0] for s in t_weights.scales]
    else:
        product = np.float32(t_in.scales[0]) * np.float32(t_weights.scales[0])
        scales = [float(product) / t_out.scales[0]]
    zero_point = t_out.zero_points[0]
    low = zero_point if activation == "RELU" else -128
    return np.clip(requantize(acc, scales) + zero_point, low, 127)


def array_of(tensor):
    """A constant tensor as a numpy array."""
    return np.frombuffer(tensor.data, "<" + {"float32": "f4", "int32": "i4",
                                             "int8": "i1"}[tensor.type]).reshape(tensor.shape)


def run(model, images):
    """Runs the network of this folder; images as the input tensor wants them, any count."""
    tensors = model.tensors
    integer = tensors[model.inputs[0]].type == "int8"
    live = {model.inputs[0]: images.astype(np.int64 if integer else np.float64)}
    for op in model.operators:
        x, t_in, t_out = live[op.inputs[0]], tensors[op.inputs[0]], tensors[op.outputs[0]]
        if op.name in ("CONV_2D", "FULLY_CONNECTED"):
            t_weights, t_bias = tensors[op.inputs[1]], tensors[op.inputs[2]]
            weighted = weighted_int8 if integer else weighted_float
            y = weighted(x, array_of(t_weights), array_of(t_bias), (t_in, t_weights, t_out),
                         op.options["activation"])
        elif op.name == "MAX_POOL_2D":
            o = op.options
            y = windows(x, o["filter_h"], o["filter_w"], o["stride_h"], o["stride_w"])
            y = y.max(axis=(4, 5))
        elif op.name == "RESHAPE":
            y = x.reshape(x.shape[0], -1)
        elif op.name == "SOFTMAX" and integer:
            y = softmax_int8(x, t_in.scales[0])
        elif op.name == "SOFTMAX":
            e = np.exp(x - x.max(1, keepdims=True))
            y = e / e.sum(1, keepdims=True)
        else:
            raise ValueError("operator %s is not in this network" % op.name)
        live[op.outputs[0]] = y
    return live[model.outputs[0]]


def accuracy(path, pixels, labels, batch=250):
    """Share of images classified correctly; `pixels` are (count, 28, 28) in 0..255."""
    model = read_model(pathlib.Path(path).read_bytes())
    right = 0
    for start in range(0, len(pixels), batch):
        images = pixels[start:start + batch, :, :, None].astype(np.int64)
        float_input = model.tensors[model.inputs[0]].type == "float32"
        output = run(model, images / 255 if float_input else images - 128)
        right += int((output.argmax(1) == labels[start:start + batch]).sum())
    return right / len(pixels)


def shipped_digits():
    """Pixels and labels of the digits in this folder."""
    folder = HERE / "digits"
    entries = json.loads((folder / "labels.json").read_text())["digits"]
    pixels = [np.frombuffer((folder / entry["file"]).read_bytes(), np.int8).reshape(28, 28)
              for entry in entries]
    return np.array(pixels, np.int64) + 128, np.array([entry["label"] for entry in entries])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", help="folder with MNIST's t10k IDX files, plain or gzipped; "
                                        "without it, the ten digits of this folder")
    arguments = parser.parse_args()
    if arguments.mnist:
        pixels = read_idx(arguments.mnist, "t10k-images-idx3-ubyte")
        labels = read_idx(arguments.mnist, "t10k-labels-idx1-ubyte")
    else:
        pixels, labels = shipped_digits()
    for name in ("mnist_cnn_float.tflite", "mnist_cnn_int8.tflite"):
        share = accuracy(HERE / name, pixels, labels)
        print("%-24s %.2f %% of %d images" % (name, 100 * share, len(pixels)))


if __name__ == "__main__":
    main()
