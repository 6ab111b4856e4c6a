# SPDX-License-Identifier: Apache-2.0
"""Reads .tflite files made of the operators below: tensors, constants, operators, options.

Written apart from tflite_writer.py, from the format alone, so that each checks the other. For
trusted files: a damaged file ends in an exception. The standard library is all it needs.

    model = read_model(open("net.tflite", "rb").read())
    for op in model.operators:
        print(op.name, [model.tensors[i].shape for i in op.inputs], op.options)
"""

import struct

TYPES = {0: ("float32", "f"), 2: ("int32", "i"), 9: ("int8", "b")}
PADDINGS = ("SAME", "VALID")
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")

# Builtin code -> name, number of the options table, its fields as (name, struct format, default).
# An '*' marks a vector.
_CONV = (("padding", "b", 0), ("stride_w", "i", 0), ("stride_h", "i", 0))
_DILATION = (("dilation_w", "i", 1), ("dilation_h", "i", 1))
_ACTIVATION = (("activation", "b", 0),)
_POOL = _CONV + (("filter_w", "i", 0), ("filter_h", "i", 0)) + _ACTIVATION
OPERATORS = {
    0: ("ADD", 11, _ACTIVATION),
    1: ("AVERAGE_POOL_2D", 5, _POOL),
    3: ("CONV_2D", 1, _CONV + _ACTIVATION + _DILATION),
    4: ("DEPTHWISE_CONV_2D", 2, _CONV + (("multiplier", "i", 0),) + _ACTIVATION + _DILATION),
    9: ("FULLY_CONNECTED", 8, _ACTIVATION),
    17: ("MAX_POOL_2D", 5, _POOL),
    19: ("RELU", 0, ()),
    21: ("RELU6", 0, ()),
    22: ("RESHAPE", 17, (("new_shape", "*i", None),)),
    25: ("SOFTMAX", 9, (("beta", "f", 0.0),)),
    34: ("PAD", 22, ()),
}


class Tensor:
    """name, shape, signature ([] if none), type, data (bytes, or None), scales, zero_points, axis.

    `offset` is the position of the data in the file.
    """


class Operator:
    """name, version, inputs and outputs (tensor indices), options (dictionary, may be empty)."""


class Model:
    """version, description, tensors, operators, inputs, outputs (tensor indices)."""


class _Table:
    def __init__(self, file, position):
        self.file, self.position = file, position
        self.vtable = position - struct.unpack_from("<i", file, position)[0]
        self.count = struct.unpack_from("<H", file, self.vtable)[0] // 2 - 2

    def _place(self, field):
        if field >= self.count:
            return None
        offset = struct.unpack_from("<H", self.file, self.vtable + 4 + 2 * field)[0]
        return self.position + offset if offset else None

    def number(self, field, code, default=0):
        place = self._place(field)
        return default if place is None else struct.unpack_from("<" + code, self.file, place)[0]

    def _follow(self, field):
        place = self._place(field)
        return None if place is None else place + struct.unpack_from("<I", self.file, place)[0]

    def span(self, field, size=1):
        """(position, bytes) of a vector's contents, or None."""
        start = self._follow(field)
        if start is None:
            return None
        length = struct.unpack_from("<I", self.file, start)[0] * size
        data = self.file[start + 4:start + 4 + length]
        if len(data) != length:
            raise ValueError("vector of %d bytes at %d runs past the end" % (length, start))
        return start + 4, data

    def vector(self, field, code):
        size = struct.calcsize(code)
        span = self.span(field, size)
        return [] if span is None else [v[0] for v in struct.iter_unpack("<" + code, span[1])]

    def text(self, field):
        span = self.span(field)
        return "" if span is None else span[1].decode("utf-8")

    def table(self, field):
        start = self._follow(field)
        return None if start is None else _Table(self.file, start)

    def tables(self, field):
        span = self.span(field, 4)
        if span is None:
            return []
        return [_Table(self.file, span[0] + 4 * i + offset)
                for i, (offset,) in enumerate(struct.iter_unpack("<I", span[1]))]


def _read_tensor(table, buffers):
    tensor = Tensor()
    tensor.shape = table.vector(0, "i")
    tensor.type = TYPES[table.number(1, "b")][0]
    span = buffers[table.number(2, "I")].span(0)
    tensor.offset, tensor.data = span if span else (None, None)
    tensor.name = table.text(3)
    quantization = table.table(4)
    tensor.scales = quantization.vector(2, "f") if quantization else []
    tensor.zero_points = quantization.vector(3, "q") if quantization else []
    tensor.axis = quantization.number(6, "i") if quantization else 0
    tensor.signature = table.vector(7, "i")
    return tensor


def _read_operator(table, codes):
    operator = Operator()
    code, operator.version = codes[table.number(0, "I")]
    operator.name, options_type, fields = OPERATORS[code]
    operator.inputs, operator.outputs = table.vector(1, "i"), table.vector(2, "i")
    operator.options = {}
    options = table.table(4)
    if options is None:
        return operator
    if table.number(3, "B") != options_type:
        raise ValueError("%s: options of type %d" % (operator.name, table.number(3, "B")))
    for field, (name, code, default) in enumerate(fields):
        if code.startswith("*"):
            value = options.vector(field, code[1:])
        else:
            value = options.number(field, code, default)
        if name == "padding":
            value = PADDINGS[value]
        elif name == "activation":
            value = ACTIVATIONS[value]
        operator.options[name] = value
    return operator


def read_model(file):
    """Reads a file's bytes into a Model."""
    if file[4:8] != b"TFL3":
        raise ValueError("not a TFLite file: identifier %r" % file[4:8])
    root = _Table(file, struct.unpack_from("<I", file, 0)[0])
    model = Model()
    model.version, model.description = root.number(0, "I"), root.text(3)
    codes = [(max(code.number(0, "b"), code.number(3, "i")), code.number(2, "i", 1))
             for code in root.tables(1)]
    graph, = root.tables(2)
    buffers = root.tables(4)
    model.tensors = [_read_tensor(table, buffers) for table in graph.tables(0)]
    model.operators = [_read_operator(table, codes) for table in graph.tables(3)]
    model.inputs, model.outputs = graph.vector(1, "i"), graph.vector(2, "i")
    return model


def values(tensor):
    """A constant tensor's numbers, as a flat list."""
    code = {name: code for name, code in TYPES.values()}[tensor.type]
    return [v[0] for v in struct.iter_unpack("<" + code, tensor.data)]
