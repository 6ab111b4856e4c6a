# SPDX-License-Identifier: Apache-2.0
"""Writes ordinary .tflite files (schema version 3, identifier TFL3) with the standard library only.

Two layers: a small FlatBuffers serialiser (Scalar, Vector, Text, Table, serialise) that knows
nothing of neural networks, and ModelBuilder, which knows tensors and operators.

    model = ModelBuilder("one layer")
    x = model.tensor("x", [1, 8, 8, 3], INT8, Quantization([0.05], [-3]))
    w = model.constant("w", [16, 3, 3, 3], INT8, weights, Quantization(scales, [0] * 16, axis=0))
    b = model.constant("b", [16], INT32, biases, Quantization(bias_scales, [0] * 16, axis=0))
    y = model.tensor("y", [1, 8, 8, 16], INT8, Quantization([0.1], [-128]))
    model.conv_2d(x, w, b, y, stride=(1, 1), padding="SAME", activation="RELU")
    open("layer.tflite", "wb").write(model.finish(inputs=[x], outputs=[y]))

Shapes are NHWC, weights OHWI (depthwise 1HWO), strides and kernels (height, width). The builder
records what it is told: it checks sizes and names, not whether the operators fit each other.
"""

import struct

# ---------------------------------------------------------------------------------------------
# FlatBuffers: little endian, every reference points forward, tables are described by vtables.


class Scalar:
    """A number stored inside its table; `code` is a struct format such as 'b' or 'i'."""

    def __init__(self, code, value):
        self.code, self.value = code, value


class Vector:
    """A vector of numbers; `data` is a sequence of numbers, or bytes that already are the vector.

    `align` raises the alignment of the first element above its own size.
    """

    def __init__(self, code, data, align=1):
        size = struct.calcsize(code)
        self.bytes = bytes(data) if isinstance(data, (bytes, bytearray)) else _pack(code, data)
        self.length = len(self.bytes) // size
        self.align = max(align, size, 4)


class Text:
    """A string, stored as UTF-8 with a closing zero byte."""

    def __init__(self, value):
        self.bytes = value.encode("utf-8")


class Table:
    """A table: a dictionary from field number to Scalar, Vector, Text, Table or list of Tables.

    Fields whose value is None are left out, which readers take as the field's default.
    """

    def __init__(self, fields):
        self.fields = {k: v for k, v in fields.items() if v is not None}


def _pack(code, values):
    return struct.pack("<%d%s" % (len(values), code), *values)


def _align(out, alignment, ahead=0):
    """Pads so that the position `ahead` bytes from now is a multiple of `alignment`."""
    out.extend(b"\0" * (-(len(out) + ahead) % alignment))


def _emit_table(out, table, vtables):
    """Writes vtable (unless an equal one exists) and table; returns (position, references)."""
    # Widest fields first, so that no field needs padding after the 4-byte head of the table.
    def width(item):
        return struct.calcsize(item.code) if isinstance(item, Scalar) else 4

    order = sorted(table.fields, key=lambda k: (-width(table.fields[k]), k))
    offsets, size = {}, 4
    for key in order:
        size += -size % width(table.fields[key])
        offsets[key] = size
        size += width(table.fields[key])
    count = max(table.fields, default=-1) + 1
    vtable = _pack("H", [4 + 2 * count, size] + [offsets.get(k, 0) for k in range(count)])
    if vtable not in vtables:
        _align(out, 2)
        vtables[vtable] = len(out)
        out += vtable
    _align(out, max([4] + [width(v) for v in table.fields.values()]))
    position = len(out)
    out += bytes(size)
    struct.pack_into("<i", out, position, position - vtables[vtable])
    references = []
    for key, item in table.fields.items():
        if isinstance(item, Scalar):
            struct.pack_into("<" + item.code, out, position + offsets[key], item.value)
        else:
            references.append((position + offsets[key], item))
    return position, references


def serialise(root, identifier):
    """Returns the bytes of the buffer whose root table is `root`; `identifier` has four bytes."""
    out = bytearray(4) + identifier
    vtables, pending, head = {}, [(0, root)], 0
    while head < len(pending):
        place, item = pending[head]
        head += 1
        if isinstance(item, Table):
            position, references = _emit_table(out, item, vtables)
            pending += references
        elif isinstance(item, list):
            _align(out, 4)
            position = len(out)
            out += struct.pack("<I", len(item)) + bytes(4 * len(item))
            pending += [(position + 4 + 4 * i, table) for i, table in enumerate(item)]
        elif isinstance(item, Text):
            _align(out, 4)
            position = len(out)
            out += struct.pack("<I", len(item.bytes)) + item.bytes + b"\0"
        else:
            _align(out, item.align, ahead=4)
            position = len(out)
            out += struct.pack("<I", item.length) + item.bytes
        struct.pack_into("<I", out, place, position - place)
    _align(out, 4)
    return bytes(out)


# ---------------------------------------------------------------------------------------------
# The TFLite format's own numbering.

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16  # the schema's force_align of Buffer.data

FLOAT32, INT32, INT8 = 0, 2, 9  # TensorType
_CODES = {FLOAT32: "f", INT32: "i", INT8: "b"}

PADDING = {"SAME": 0, "VALID": 1}
ACTIVATION = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}

# Operator -> (builtin code, number of its options table or 0, version for float, for int8).
OPERATORS = {
    "ADD": (0, 11, 1, 2),
    "AVERAGE_POOL_2D": (1, 5, 1, 2),
    "CONV_2D": (3, 1, 1, 3),
    "DEPTHWISE_CONV_2D": (4, 2, 1, 3),
    "FULLY_CONNECTED": (9, 8, 1, 4),
    "MAX_POOL_2D": (17, 5, 1, 2),
    "RELU": (19, 0, 1, 2),
    "RELU6": (21, 0, 1, 2),
    "RESHAPE": (22, 17, 1, 1),
    "SOFTMAX": (25, 9, 1, 2),
    "PAD": (34, 22, 1, 2),
}


class Quantization:
    """Scales and zero points: one of each per tensor, or one per index of dimension `axis`."""

    def __init__(self, scales, zero_points, axis=0):
        if len(scales) != len(zero_points):
            raise ValueError("%d scales but %d zero points" % (len(scales), len(zero_points)))
        self.scales, self.zero_points, self.axis = scales, zero_points, axis

    def table(self):
        return Table({
            2: Vector("f", self.scales),
            3: Vector("q", self.zero_points),
            6: Scalar("i", self.axis) if self.axis else None,
        })


def element_count(shape):
    """Number of elements of a shape; 1 for a scalar."""
    count = 1
    for extent in shape:
        count *= extent
    return count


class ModelBuilder:
    """Collects one subgraph; tensors are named by the index that tensor() and constant() return."""

    def __init__(self, description):
        self._description = description
        self._buffers = [b""]  # buffer 0 is empty: tensors without data refer to it
        self._tensors = []  # (shape, type, Table)
        self._operators = []
        self._codes = []  # (operator name, version), in order of first use

    # --- tensors ---

    def tensor(self, name, shape, dtype, quantization=None, any_batch=False):
        """An activation. `any_batch` marks the first extent as free (-1) in the signature."""
        return self._add_tensor(name, shape, dtype, 0, quantization, any_batch)

    def constant(self, name, shape, dtype, data, quantization=None):
        """A tensor with data: numbers, or bytes in little-endian order."""
        code = _CODES[dtype]
        raw = bytes(data) if isinstance(data, (bytes, bytearray)) else _pack(code, data)
        expected = element_count(shape) * struct.calcsize(code)
        if len(raw) != expected:
            raise ValueError("constant %s: shape %s needs %d bytes, got %d"
                             % (name, shape, expected, len(raw)))
        self._buffers.append(raw)
        return self._add_tensor(name, shape, dtype, len(self._buffers) - 1, quantization, False)

    def _add_tensor(self, name, shape, dtype, buffer, quantization, any_batch):
        self._tensors.append((list(shape), dtype, Table({
            0: Vector("i", shape),
            1: Scalar("b", dtype),
            2: Scalar("I", buffer),
            3: Text(name),
            4: quantization.table() if quantization else None,
            7: Vector("i", [-1] + list(shape[1:])) if any_batch else None,
        })))
        return len(self._tensors) - 1

    # --- operators: tensors are indices; outputs were made with tensor() before ---

    def conv_2d(self, x, weights, bias, y, stride, padding, activation="NONE", dilation=(1, 1)):
        self._operator("CONV_2D", [x, weights, bias], y, {
            0: Scalar("b", PADDING[padding]),
            1: Scalar("i", stride[1]),
            2: Scalar("i", stride[0]),
            3: Scalar("b", ACTIVATION[activation]),
            4: Scalar("i", dilation[1]),
            5: Scalar("i", dilation[0]),
        })

    def depthwise_conv_2d(self, x, weights, bias, y, stride, padding, activation="NONE",
                          dilation=(1, 1)):
        multiplier = self._tensors[y][0][-1] // self._tensors[x][0][-1]
        self._operator("DEPTHWISE_CONV_2D", [x, weights, bias], y, {
            0: Scalar("b", PADDING[padding]),
            1: Scalar("i", stride[1]),
            2: Scalar("i", stride[0]),
            3: Scalar("i", multiplier),
            4: Scalar("b", ACTIVATION[activation]),
            5: Scalar("i", dilation[1]),
            6: Scalar("i", dilation[0]),
        })

    def fully_connected(self, x, weights, bias, y, activation="NONE"):
        self._operator("FULLY_CONNECTED", [x, weights, bias], y,
                       {0: Scalar("b", ACTIVATION[activation])})

    def add(self, a, b, y, activation="NONE"):
        self._operator("ADD", [a, b], y, {0: Scalar("b", ACTIVATION[activation])})

    def average_pool_2d(self, x, y, kernel, stride, padding, activation="NONE"):
        self._pool("AVERAGE_POOL_2D", x, y, kernel, stride, padding, activation)

    def max_pool_2d(self, x, y, kernel, stride, padding, activation="NONE"):
        self._pool("MAX_POOL_2D", x, y, kernel, stride, padding, activation)

    def pad(self, x, y, before_after):
        """`before_after` has one (before, after) pair per dimension."""
        name = "paddings_%d" % len(self._operators)
        pairs = [extent for pair in before_after for extent in pair]
        amounts = self.constant(name, [len(before_after), 2], INT32, pairs)
        self._operator("PAD", [x, amounts], y, {})

    def reshape(self, x, y, new_shape):
        """`new_shape` may hold one -1, as the format allows."""
        name = "shape_%d" % len(self._operators)
        shape = self.constant(name, [len(new_shape)], INT32, new_shape)
        self._operator("RESHAPE", [x, shape], y, {0: Vector("i", new_shape)})

    def softmax(self, x, y, beta=1.0):
        self._operator("SOFTMAX", [x], y, {0: Scalar("f", beta)})

    def relu(self, x, y):
        self._operator("RELU", [x], y, {})

    def relu6(self, x, y):
        self._operator("RELU6", [x], y, {})

    def _pool(self, name, x, y, kernel, stride, padding, activation):
        self._operator(name, [x], y, {
            0: Scalar("b", PADDING[padding]),
            1: Scalar("i", stride[1]),
            2: Scalar("i", stride[0]),
            3: Scalar("i", kernel[1]),
            4: Scalar("i", kernel[0]),
            5: Scalar("b", ACTIVATION[activation]),
        })

    def _operator(self, name, inputs, output, options):
        _, options_type, float_version, int8_version = OPERATORS[name]
        version = float_version if self._tensors[inputs[0]][1] == FLOAT32 else int8_version
        if (name, version) not in self._codes:
            self._codes.append((name, version))
        self._operators.append(Table({
            0: Scalar("I", self._codes.index((name, version))),
            1: Vector("i", inputs),
            2: Vector("i", [output]),
            3: Scalar("B", options_type) if options_type else None,
            4: Table(options) if options_type else None,
        }))

    # --- the file ---

    def finish(self, inputs, outputs):
        """Returns the bytes of the .tflite file."""
        codes = [Table({
            0: Scalar("b", OPERATORS[name][0]),  # read by tools older than the wide field
            2: Scalar("i", version),
            3: Scalar("i", OPERATORS[name][0]),
        }) for name, version in self._codes]
        subgraph = Table({
            0: [table for _, _, table in self._tensors],
            1: Vector("i", inputs),
            2: Vector("i", outputs),
            3: self._operators,
            4: Text("main"),
        })
        buffers = [Table({0: Vector("B", data, BUFFER_ALIGNMENT) if data else None})
                   for data in self._buffers]
        return serialise(Table({
            0: Scalar("I", SCHEMA_VERSION),
            1: codes,
            2: [subgraph],
            3: Text(self._description),
            4: buffers,
        }), IDENTIFIER)
