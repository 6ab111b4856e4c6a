# SPDX-License-Identifier: Apache-2.0
"""Tests of the model scripts and of the files that ship. Standard library only.

    python3 models/test_models.py

Files are read back with tflite_reader.py, which shares nothing with the writer. Where the MLPerf
Tiny networks are at hand (folder WEFT_DATA, default ../shared), the twins are held against them.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from operator import mul

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import efficientnet_lite0  # noqa: E402
import layers  # noqa: E402
import mobilenet_v2  # noqa: E402
import resnet50  # noqa: E402
import twins  # noqa: E402
from tflite_reader import read_model, values  # noqa: E402
from tflite_writer import (FLOAT32, INT32, INT8, ModelBuilder, Quantization, Scalar,  # noqa: E402
                           Table, Text, Vector, serialise)

MNIST = HERE / "mnist_cnn"
DATA = pathlib.Path(os.environ.get("WEFT_DATA", HERE.parent.parent / "shared"))


def product(extents):
    result = 1
    for extent in extents:
        result *= extent
    return result


def macs(model):
    """Multiplications of a network, from the shapes alone."""
    total = 0
    for op in model.operators:
        if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            weights, output = model.tensors[op.inputs[1]], model.tensors[op.outputs[0]]
            per_output = product(weights.shape[1:])
            if op.name == "DEPTHWISE_CONV_2D":
                per_output = product(weights.shape[1:3])
            total += product(output.shape) * per_output
    return total


def structure(model):
    """All that decides the work a network is: operators, versions, options, shapes, types."""
    def describe(index):
        tensor = model.tensors[index]
        axis = tensor.axis if len(tensor.scales) > 1 else None
        return tensor.shape, tensor.signature, tensor.type, len(tensor.scales), axis

    return [(op.name, op.version, op.options if op.name != "RESHAPE" else None,
             [describe(i) for i in op.inputs[:2]], [describe(i) for i in op.outputs])
            for op in model.operators]


class FlatBufferTest(unittest.TestCase):
    """The serialiser alone, byte by byte."""

    def test_bytes_of_a_small_buffer(self):
        data = serialise(Table({0: Scalar("b", -2), 2: Text("ab")}), b"TEST")
        self.assertEqual(data, bytes([
            20, 0, 0, 0,  # the root table is at 20
            0x54, 0x45, 0x53, 0x54,
            10, 0, 9, 0, 8, 0, 0, 0, 4, 0,  # vtable: its size, table size, offsets of fields 0..2
            0, 0,
            12, 0, 0, 0,  # table: the vtable is 12 bytes back
            8, 0, 0, 0,  # field 2: the string is 8 bytes on
            0xFE,  # field 0
            0, 0, 0,
            2, 0, 0, 0, 0x61, 0x62, 0,  # string: length, letters, closing zero
            0,
        ]))

    def test_equal_vtables_are_stored_once(self):
        one = serialise(Table({0: [Table({1: Scalar("i", 7)})]}), b"TEST")
        two = serialise(Table({0: [Table({1: Scalar("i", 7)}), Table({1: Scalar("i", 8)})]}),
                        b"TEST")
        self.assertEqual(len(two) - len(one), 4 + 8)  # a reference and a table, no vtable

    def test_wide_elements_are_aligned(self):
        for odd in range(1, 9):
            data = serialise(Table({0: Text("x" * odd), 1: Vector("q", [1, 2])}), b"TEST")
            self.assertEqual(data.index((1).to_bytes(8, "little")) % 8, 0)


class WriterTest(unittest.TestCase):
    """Every operator and every option, written and read back."""

    def build(self, dtype):
        model = ModelBuilder("all operators")

        def tensor(name, shape, zero_point=0):
            form = Quantization([0.5], [zero_point]) if dtype == INT8 else None
            return model.tensor(name, shape, dtype, form, any_batch=name == "x")

        def parameters(shape, axis, channels):
            count = product(shape)
            if dtype == FLOAT32:
                return (model.constant("w", shape, FLOAT32, [i / 4 for i in range(count)]),
                        model.constant("b", [channels], FLOAT32, [1.5] * channels))
            data = bytes((3 * i + 1) % 256 for i in range(count))
            scales = [0.25 * (i + 1) for i in range(channels)]
            form = Quantization(scales, [0] * channels, axis)
            return (model.constant("w", shape, INT8, data, form),
                    model.constant("b", [channels], INT32, [-5 + i for i in range(channels)],
                                   Quantization(scales, [0] * channels)))

        x = tensor("x", [1, 9, 7, 3], -128)
        a = tensor("a", [1, 4, 7, 5], 17)
        model.conv_2d(x, *parameters([5, 3, 2, 3], 0, 5), a, (2, 1), "SAME", "RELU", (1, 3))
        b = tensor("b", [1, 2, 5, 10])
        model.depthwise_conv_2d(a, *parameters([1, 2, 3, 10], 3, 10), b, (2, 1), "VALID", "RELU6",
                                (2, 1))
        c = tensor("c", [1, 4, 9, 10])
        model.pad(b, c, [(0, 0), (1, 1), (3, 1), (0, 0)])
        d = tensor("d", [1, 2, 4, 10])
        model.average_pool_2d(c, d, (2, 3), (2, 2), "VALID", "RELU_N1_TO_1")
        e = tensor("e", [1, 2, 2, 10])
        model.max_pool_2d(d, e, (1, 3), (1, 2), "SAME")
        f = tensor("f", [1, 2, 2, 10])
        model.add(e, e, f, "RELU")
        g = tensor("g", [1, 2, 2, 10])
        model.relu(f, g)
        h = tensor("h", [1, 2, 2, 10])
        model.relu6(g, h)
        i = tensor("i", [1, 40])
        model.reshape(h, i, [-1, 40])
        j = tensor("j", [1, 6])
        model.fully_connected(i, *parameters([6, 40], 0, 6), j)
        k = tensor("k", [1, 6])
        model.softmax(j, k, beta=0.5)
        return model.finish([x], [k])

    def test_operators_and_options(self):
        for dtype, versions in ((INT8, [3, 3, 2, 2, 2, 2, 2, 2, 1, 4, 2]), (FLOAT32, [1] * 11)):
            model = read_model(self.build(dtype))
            self.assertEqual(model.version, 3)
            self.assertEqual(model.description, "all operators")
            self.assertEqual([op.name for op in model.operators], [
                "CONV_2D", "DEPTHWISE_CONV_2D", "PAD", "AVERAGE_POOL_2D", "MAX_POOL_2D", "ADD",
                "RELU", "RELU6", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"])
            self.assertEqual([op.version for op in model.operators], versions)
            self.assertEqual([op.options for op in model.operators], [
                {"padding": "SAME", "stride_w": 1, "stride_h": 2, "activation": "RELU",
                 "dilation_w": 3, "dilation_h": 1},
                {"padding": "VALID", "stride_w": 1, "stride_h": 2, "multiplier": 2,
                 "activation": "RELU6", "dilation_w": 1, "dilation_h": 2},
                {},
                {"padding": "VALID", "stride_w": 2, "stride_h": 2, "filter_w": 3, "filter_h": 2,
                 "activation": "RELU_N1_TO_1"},
                {"padding": "SAME", "stride_w": 2, "stride_h": 1, "filter_w": 3, "filter_h": 1,
                 "activation": "NONE"},
                {"activation": "RELU"}, {}, {}, {"new_shape": [-1, 40]}, {"activation": "NONE"},
                {"beta": 0.5}])
            names = [[model.tensors[i].name for i in op.inputs + op.outputs]
                     for op in model.operators]
            self.assertEqual([[n for n in row if len(n) == 1] for row in names], [
                list("xwba"), list("awbb"), list("bc"), list("cd"), list("de"), list("eef"),
                list("fg"), list("gh"), list("hi"), list("iwbj"), list("jk")])
            self.assertEqual([model.tensors[i].name for i in model.inputs + model.outputs],
                             ["x", "k"])

    def test_tensors(self):
        model = read_model(self.build(INT8))
        conv, depthwise, pad = model.operators[:3]
        x, weights, bias = (model.tensors[i] for i in conv.inputs)
        self.assertEqual((x.shape, x.signature, x.type, x.data),
                         ([1, 9, 7, 3], [-1, 9, 7, 3], "int8", None))
        self.assertEqual((x.scales, x.zero_points), ([0.5], [-128]))
        self.assertEqual((weights.shape, weights.signature, weights.type),
                         ([5, 3, 2, 3], [], "int8"))
        self.assertEqual(weights.data, bytes((3 * i + 1) % 256 for i in range(90)))
        self.assertEqual((weights.scales, weights.zero_points, weights.axis),
                         ([0.25, 0.5, 0.75, 1.0, 1.25], [0] * 5, 0))
        self.assertEqual((bias.type, values(bias)), ("int32", [-5, -4, -3, -2, -1]))
        self.assertEqual(model.tensors[depthwise.inputs[1]].axis, 3)
        self.assertEqual(values(model.tensors[pad.inputs[1]]), [0, 0, 1, 1, 3, 1, 0, 0])
        floats = read_model(self.build(FLOAT32))
        weights = floats.tensors[floats.operators[0].inputs[1]]
        self.assertEqual((weights.type, weights.scales), ("float32", []))
        self.assertEqual(values(weights), [i / 4 for i in range(90)])

    def test_data_is_aligned(self):
        for data in (self.build(INT8), self.build(FLOAT32), twins.build("kws", 1)):
            offsets = [t.offset for t in read_model(data).tensors if t.data]
            self.assertTrue(offsets)
            self.assertEqual([offset % 16 for offset in offsets], [0] * len(offsets))

    def test_wrong_sizes_are_refused(self):
        model = ModelBuilder("wrong")
        with self.assertRaisesRegex(ValueError, r"constant w: shape \[2, 3\] needs 6 bytes, got 5"):
            model.constant("w", [2, 3], INT8, bytes(5))
        with self.assertRaisesRegex(ValueError, "2 scales but 1 zero points"):
            Quantization([1.0, 2.0], [0])


class GeneratorTest(unittest.TestCase):
    """The networks with random weights."""

    # name -> (builder, multiplications, operators, weights and biases). The last are the published
    # counts with each batch normalisation (2 or 4 numbers a channel) folded into the layer's bias;
    # vww's is counted in the original file.
    NETWORKS = {
        "ic": (lambda seed: twins.build("ic", seed), 12501632, 16, 78666 - 4 * 240),
        "kws": (lambda seed: twins.build("kws", seed), 2656768, 13, 24908 - 4 * 576),
        "vww": (lambda seed: twins.build("vww", seed), 7489664, 31, 210850),
        "ad": (lambda seed: twins.build("ad", seed), 264192, 10, 269992 - 4 * 1032),
        "mobilenet_v2": (mobilenet_v2.build, 300775552, 66, 3538984 - 3 * 17056 + 1281),
        "efficientnet_lite0": (efficientnet_lite0.build, 385187552, 62, 4652008 - 21008),
        "resnet50": (resnet50.build, 4089184256, 78, 25557032 - 26560),
    }

    def test_published_sizes(self):
        for name, (build, expected_macs, operators, parameters) in self.NETWORKS.items():
            with self.subTest(name):
                model = read_model(build(1))
                self.assertEqual(macs(model), expected_macs)
                self.assertEqual(len(model.operators), operators)
                used = {i for op in model.operators for i in op.inputs[1:3]
                        if op.name not in ("ADD", "PAD", "RESHAPE")}
                self.assertEqual(sum(product(model.tensors[i].shape) for i in used), parameters)

    def test_single_layers_have_their_extents(self):
        expected = {"gemm_512_512_512": 512 * 512 * 512, "gemm_64_64_64": 64 * 64 * 64,
                    "conv3_32x32x16_16": 32 * 32 * 16 * 16 * 9,
                    "dw3_12x12x64": 3 * 12 * 12 * 64 * 9, "dw3_28x28x96": 3 * 28 * 28 * 96 * 9,
                    "dw3_48x48x32": 3 * 48 * 48 * 32 * 9}
        found = {name: macs(read_model(layers.build(name, 1))) for name in layers.LAYERS}
        self.assertEqual(found, expected)

    def test_a_seed_decides_the_file(self):
        for name, (build, _, _, _) in self.NETWORKS.items():
            if name == "resnet50":
                continue  # the same code as mobilenet_v2, several seconds
            with self.subTest(name):
                first = build(7)
                self.assertEqual(first, build(7))
                self.assertNotEqual(first, build(8))
                self.assertEqual(structure(read_model(first)), structure(read_model(build(8))))

    def test_weights_and_scales_are_realistic(self):
        for name in ("ic", "vww", "ad", "mobilenet_v2"):
            model = read_model(self.NETWORKS[name][0](3))
            for op in model.operators:
                if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
                    continue
                x, weights, bias = (model.tensors[i] for i in op.inputs)
                label = "%s: %s" % (name, weights.name)
                numbers = values(weights)
                self.assertGreaterEqual(min(numbers), -127, label)
                if len(numbers) >= 500:
                    self.assertGreater(max(numbers), 100, label)
                    self.assertLess(min(numbers), -100, label)
                self.assertLess(max(map(abs, values(bias))), 2**30, label)
                self.assertEqual(len(bias.scales), len(weights.scales), label)
                for scale, weight_scale in zip(bias.scales, weights.scales):
                    self.assertAlmostEqual(scale / (x.scales[0] * weight_scale), 1, 5, label)
                # The factor that brings sums to the output's scale, as trained networks have it.
                y = model.tensors[op.outputs[0]]
                for weight_scale in weights.scales:
                    factor = x.scales[0] * weight_scale / y.scales[0]
                    self.assertTrue(2**-16 < factor < 1, "%s: factor %g" % (label, factor))

    def test_twins_have_the_shape_of_the_originals(self):
        folder = DATA / "models" / "mlperf_tiny"
        if not folder.is_dir():
            required = os.environ.get("WEFT_REQUIRE_DATA", "0") not in ("", "0")
            missing = self.fail if required else self.skipTest
            missing("no MLPerf Tiny networks in %s (set WEFT_DATA)" % folder)
        for name in twins.NETWORKS:
            original = read_model((folder / name / "model_int8.tflite").read_bytes())
            self.assertEqual(structure(read_model(twins.build(name, 1))), structure(original))

    def test_command_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            def call(script, *arguments):
                return subprocess.run([sys.executable, "-B", str(HERE / script), *arguments],
                                      cwd=folder, capture_output=True, text=True)

            done = call("mobilenet_v2.py", "--seed", "5", "--size", "33", "-o", "small.tflite")
            self.assertEqual(done.returncode, 0, done.stderr)
            data = (pathlib.Path(folder) / "small.tflite").read_bytes()
            self.assertEqual(data, mobilenet_v2.build(5, 33))
            self.assertEqual(read_model(data).tensors[0].shape, [1, 33, 33, 3])
            done = call("mobilenet_v2.py", "--size", "0")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--size is 0", done.stderr)
            done = call("twins.py", "-o", "out", "kws")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([p.name for p in (pathlib.Path(folder) / "out").iterdir()],
                             ["kws_twin.tflite"])
            done = call("layers.py", "-o", "out", "gemm_64_64_64")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((pathlib.Path(folder) / "out/gemm_64_64_64.tflite").exists())
            done = call("twins.py", "nosuch")
            self.assertEqual(done.returncode, 2)
            self.assertIn("unknown network 'nosuch'", done.stderr)


class ShippedModelTest(unittest.TestCase):
    """The two MNIST files and the ten digits."""

    def setUp(self):
        self.int8 = read_model((MNIST / "mnist_cnn_int8.tflite").read_bytes())
        self.float = read_model((MNIST / "mnist_cnn_float.tflite").read_bytes())

    def test_structure(self):
        for model in (self.int8, self.float):
            shapes = [(op.name, op.options.get("activation"), model.tensors[op.outputs[0]].shape)
                      for op in model.operators]
            self.assertEqual(shapes, [
                ("CONV_2D", "RELU", [1, 26, 26, 32]), ("MAX_POOL_2D", "NONE", [1, 13, 13, 32]),
                ("CONV_2D", "RELU", [1, 11, 11, 64]), ("MAX_POOL_2D", "NONE", [1, 5, 5, 64]),
                ("RESHAPE", None, [1, 1600]), ("FULLY_CONNECTED", "RELU", [1, 64]),
                ("FULLY_CONNECTED", "NONE", [1, 10]), ("SOFTMAX", None, [1, 10])])
            self.assertEqual(macs(model), 2528000)

    def test_quantisation(self):
        tensors = self.int8.tensors
        ends = [tensors[i] for i in self.int8.inputs + self.int8.outputs]
        for tensor, scale in zip(ends, (1 / 255, 1 / 256)):
            self.assertAlmostEqual(tensor.scales[0], scale, 9)
            self.assertEqual(tensor.zero_points, [-128])
        for op in self.int8.operators:
            x, y = tensors[op.inputs[0]], tensors[op.outputs[0]]
            if op.name in ("MAX_POOL_2D", "RESHAPE"):
                self.assertEqual((x.scales, x.zero_points), (y.scales, y.zero_points))
            if op.name not in ("CONV_2D", "FULLY_CONNECTED"):
                continue
            weights, bias = tensors[op.inputs[1]], tensors[op.inputs[2]]
            channels = weights.shape[0] if op.name == "CONV_2D" else 1
            self.assertEqual((len(weights.scales), len(bias.scales)), (channels, channels))
            self.assertGreaterEqual(min(values(weights)), -127)
            for scale, weight_scale in zip(bias.scales, weights.scales):
                self.assertAlmostEqual(scale / (x.scales[0] * weight_scale), 1, 6)

    def test_int8_weights_come_from_the_float_file(self):
        for op, float_op in zip(self.int8.operators, self.float.operators):
            if op.name not in ("CONV_2D", "FULLY_CONNECTED"):
                continue
            for part in (1, 2):
                tensor = self.int8.tensors[op.inputs[part]]
                exact = values(self.float.tensors[float_op.inputs[part]])
                row = len(exact) // len(tensor.scales)
                for i, value in enumerate(values(tensor)):
                    scale = tensor.scales[i // row]
                    self.assertLessEqual(abs(value * scale - exact[i]), 0.5001 * scale)

    def logits(self, pixels):
        """Runs the int8 network on 784 values, rescaling in floating point: right to about 1."""
        tensors, x = self.int8.tensors, pixels
        for op in self.int8.operators:
            source, target = tensors[op.inputs[0]], tensors[op.outputs[0]]
            if op.name == "MAX_POOL_2D":
                _, _, width, channels = source.shape
                _, out_h, out_w, _ = target.shape
                x = [max(x[((2 * r + dr) * width + 2 * c + dc) * channels + k]
                         for dr in (0, 1) for dc in (0, 1))
                     for r in range(out_h) for c in range(out_w) for k in range(channels)]
            elif op.name in ("CONV_2D", "FULLY_CONNECTED"):
                weights, bias = tensors[op.inputs[1]], values(tensors[op.inputs[2]])
                depth = product(weights.shape[1:])
                flat = values(weights)
                rows = [flat[i:i + depth] for i in range(0, len(flat), depth)]
                x = [v - source.zero_points[0] for v in x]
                patches = [x]
                if op.name == "CONV_2D":
                    _, _, width, channels = source.shape
                    span = 3 * channels
                    starts = [((r + dr) * width + c) * channels
                              for r in range(target.shape[1]) for c in range(target.shape[2])
                              for dr in range(3)]
                    patches = [sum((x[s:s + span] for s in starts[i:i + 3]), [])
                               for i in range(0, len(starts), 3)]
                scales = weights.scales if len(weights.scales) > 1 else weights.scales * len(rows)
                factors = [source.scales[0] * s / target.scales[0] for s in scales]
                zero = target.zero_points[0]
                low = zero if op.options["activation"] == "RELU" else -128
                x = [max(low, min(127, round((sum(map(mul, patch, row)) + b) * f) + zero))
                     for patch in patches for row, b, f in zip(rows, bias, factors)]
        return x

    def test_digits_are_recognised(self):
        labels = json.loads((MNIST / "digits" / "labels.json").read_text())
        self.assertEqual(labels["shape"], [1, 28, 28, 1])
        self.assertEqual([entry["label"] for entry in labels["digits"]], list(range(10)))
        for entry in labels["digits"]:
            pixels = memoryview((MNIST / "digits" / entry["file"]).read_bytes()).cast("b").tolist()
            self.assertEqual(len(pixels), 784)
            result = self.logits(pixels)
            best = max(range(10), key=result.__getitem__)
            self.assertEqual(best, entry["label"], result)
            # Clear of the next best by more than rounding could ever move it.
            self.assertGreater(result[best] - sorted(result)[-2], 10, result)

    def test_digits_are_what_the_script_draws(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-B", str(MNIST / "digits" / "draw.py"), "-o", folder],
                           check=True)
            drawn = sorted(pathlib.Path(folder).iterdir())
            self.assertEqual(len(drawn), 11)
            for path in drawn:
                self.assertEqual(path.read_bytes(), (MNIST / "digits" / path.name).read_bytes(),
                                 path.name)


if __name__ == "__main__":
    unittest.main()
