# SPDX-License-Identifier: Apache-2.0
"""Trains the MNIST network that ships, quantises it, and writes both .tflite files beside itself.

Post-training quantisation as TFLite does it: int8 weights symmetric in [-127, 127] (convolutions
per output channel, dense layers per tensor), asymmetric activations calibrated on training images,
int32 biases. Needs PyTorch and numpy, for this script alone.

    python3 models/mnist_cnn/train.py --mnist FOLDER        IDX files, plain or gzipped
"""

import argparse
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from evaluate import HERE, accuracy, read_idx  # also puts the folder above on the search path
from tflite_writer import FLOAT32, INT32, INT8, ModelBuilder, Quantization

SEED = 1
EPOCHS = 8
BATCH = 128
CALIBRATION_IMAGES = 500


class Network(nn.Module):
    """Conv 32, pool, Conv 64, pool, Dense 64, Dense 10; forward() gives the logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dense1 = nn.Linear(5 * 5 * 64, 64)
        self.dense2 = nn.Linear(64, 10)

    def activations(self, x):
        """The outputs of the four layers with weights."""
        a = functional.relu(self.conv1(x))
        b = functional.relu(self.conv2(functional.max_pool2d(a, 2)))
        # Channels last before flattening, as the exported file has it.
        flat = functional.max_pool2d(b, 2).permute(0, 2, 3, 1).flatten(1)
        c = functional.relu(self.dense1(functional.dropout(flat, 0.3, self.training)))
        return a, b, c, self.dense2(c)

    def forward(self, x):
        return self.activations(x)[-1]


def distorted(x):
    """The images turned, scaled, slanted and shifted a little, at random."""
    count = len(x)
    turn, slant = (torch.rand(2, count) - 0.5) * 0.4
    size = 1 + (torch.rand(2, count) - 0.5) * 0.3
    shift = (torch.rand(2, count) - 0.5) * 0.25
    matrix = torch.stack([
        torch.stack([torch.cos(turn) * size[0], slant - torch.sin(turn), shift[0]], 1),
        torch.stack([torch.sin(turn), torch.cos(turn) * size[1], shift[1]], 1)], 1)
    grid = functional.affine_grid(matrix, x.shape, align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


def train(network, images, labels):
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    network.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = functional.cross_entropy(network(distorted(images[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print("epoch %d of %d: loss %.4f" % (epoch + 1, EPOCHS, total / len(images)),
              file=sys.stderr)
    network.eval()


def layers(network):
    """(name, weights as TFLite lays them out, bias) of the four layers."""
    def array(tensor):
        return np.ascontiguousarray(tensor.detach().numpy(), np.float32)

    return [(name, array(layer.weight.permute(0, 2, 3, 1) if layer.weight.ndim == 4
                         else layer.weight), array(layer.bias))
            for name, layer in network.named_children()]


class FloatFormat:
    """How tensors of the float file are stored."""

    dtype = FLOAT32

    def activation(self, _name):
        return None

    def parameters(self, model, _source, name, weights, bias):
        return (model.constant(name + "/weights", weights.shape, FLOAT32, weights.tobytes()),
                model.constant(name + "/bias", bias.shape, FLOAT32, bias.tobytes()))


class Int8Format:
    """How tensors of the int8 file are stored; `ranges` maps a name to its (low, high)."""

    dtype = INT8

    def __init__(self, ranges):
        self._scales = {}
        for name, (low, high) in ranges.items():
            low, high = min(low, 0.0), max(high, 0.0)
            scale = np.float32((high - low) / 255)
            self._scales[name] = (scale, int(np.clip(round(-128 - low / scale), -128, 127)))

    def activation(self, name):
        scale, zero_point = self._scales[name]
        return Quantization([float(scale)], [zero_point])

    def parameters(self, model, source, name, weights, bias):
        rows = weights.reshape(len(weights), -1)
        peak = np.abs(rows).max(1) if weights.ndim == 4 else np.abs(rows).max(keepdims=True)[0]
        scales = (peak / 127).astype(np.float32)
        quantized = np.clip(np.rint(rows / scales[:, None]), -127, 127).astype(np.int8)
        bias_scales = self._scales[source][0] * scales
        biases = np.rint(bias / bias_scales).astype("<i4")
        zeros = [0] * len(scales)
        return (model.constant(name + "/weights", weights.shape, INT8, quantized.tobytes(),
                               Quantization(scales.tolist(), zeros)),
                model.constant(name + "/bias", bias.shape, INT32, biases.tobytes(),
                               Quantization(bias_scales.tolist(), zeros)))


def export(form, parameters):
    """The bytes of the .tflite file, its tensors stored as `form` says."""
    model = ModelBuilder("MNIST digits: two convolutions, two dense layers")

    def tensor(name, shape, quantized_as):
        return model.tensor(name, [1] + shape, form.dtype, form.activation(quantized_as),
                            any_batch=True)

    stored = {}
    for source, (name, weights, bias) in zip(("image", "conv1", "conv2", "dense1"), parameters):
        stored[name] = form.parameters(model, source, name, weights, bias)
    image = tensor("image", [28, 28, 1], "image")
    conv1 = tensor("conv1", [26, 26, 32], "conv1")
    pool1 = tensor("pool1", [13, 13, 32], "conv1")
    conv2 = tensor("conv2", [11, 11, 64], "conv2")
    pool2 = tensor("pool2", [5, 5, 64], "conv2")
    flat = tensor("flat", [1600], "conv2")
    dense1 = tensor("dense1", [64], "dense1")
    logits = tensor("logits", [10], "dense2")
    digit = tensor("digit", [10], "softmax")
    model.conv_2d(image, *stored["conv1"], conv1, (1, 1), "VALID", "RELU")
    model.max_pool_2d(conv1, pool1, (2, 2), (2, 2), "VALID")
    model.conv_2d(pool1, *stored["conv2"], conv2, (1, 1), "VALID", "RELU")
    model.max_pool_2d(conv2, pool2, (2, 2), (2, 2), "VALID")
    model.reshape(pool2, flat, [-1, 1600])
    model.fully_connected(flat, *stored["dense1"], dense1, "RELU")
    model.fully_connected(dense1, *stored["dense2"], logits)
    model.softmax(logits, digit)
    return model.finish([image], [digit])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", required=True, help="folder with MNIST's four IDX files")
    parser.add_argument("--threads", type=int, default=2, help="threads to train with (default 2)")
    parser.add_argument("-o", "--output-dir", type=pathlib.Path, default=HERE,
                        help="folder for the two .tflite files (default: this script's)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)

    pixels = read_idx(arguments.mnist, "train-images-idx3-ubyte")
    images = torch.from_numpy(pixels.astype(np.float32) / 255)[:, None]
    labels = torch.from_numpy(read_idx(arguments.mnist, "train-labels-idx1-ubyte").astype(np.int64))
    network = Network()
    train(network, images, labels)

    with torch.no_grad():
        outputs = network.activations(images[:CALIBRATION_IMAGES])
    ranges = {name: (y.min().item(), y.max().item())
              for name, y in zip(("conv1", "conv2", "dense1", "dense2"), outputs)}
    ranges["image"] = (0.0, 1.0)
    ranges["softmax"] = (0.0, 255 / 256)

    test_pixels = read_idx(arguments.mnist, "t10k-images-idx3-ubyte")
    test_labels = read_idx(arguments.mnist, "t10k-labels-idx1-ubyte")
    parameters = layers(network)
    for name, form in (("mnist_cnn_float.tflite", FloatFormat()),
                       ("mnist_cnn_int8.tflite", Int8Format(ranges))):
        path = arguments.output_dir / name
        path.write_bytes(export(form, parameters))
        print("%s: %d bytes, %.2f %% of %d test images" % (
            name, path.stat().st_size, 100 * accuracy(path, test_pixels, test_labels),
            len(test_pixels)))


if __name__ == "__main__":
    main()
