// SPDX-License-Identifier: Apache-2.0
//
// The numbers of the TensorFlow Lite format that the importer needs: field numbers of its tables,
// codes of operators, tensor types, option tables, paddings and activations. They are facts of the
// public format (its version 3) and never change meaning: the format only appends.
#pragma once

#include <cstdint>
#include <string>

#include "weft/graph.h"

namespace weft::tflite {

inline constexpr char kIdentifier[] = "TFL3";  // bytes 4 to 7 of every file
inline constexpr uint32_t kSchemaVersion = 3;

// Field numbers, one namespace a table.
namespace model {
enum : int {
  kVersion = 0,
  kOperatorCodes = 1,
  kSubgraphs = 2,
  kDescription = 3,
  kBuffers = 4,
  kMetadata = 6,
  kSignatures = 7
};
}
namespace operator_code {
enum : int { kDeprecatedBuiltin = 0, kCustom = 1, kBuiltin = 3 };
}
namespace subgraph {
enum : int { kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4 };
}
namespace tensor {
enum : int {
  kShape = 0,
  kType = 1,
  kBuffer = 2,
  kName = 3,
  kQuantization = 4,
  kIsVariable = 5,
  kSparsity = 6,
  kShapeSignature = 7
};
}
namespace quantization {
enum : int { kScale = 2, kZeroPoint = 3, kDetailsType = 4, kAxis = 6 };
}
namespace op {
enum : int { kOpcodeIndex = 0, kInputs = 1, kOutputs = 2, kOptionsType = 3, kOptions = 4 };
}
namespace buffer {
enum : int { kData = 0, kOffset = 1, kSize = 2 };
}
namespace metadata {
enum : int { kName = 0, kBuffer = 1 };
}

// Fields of the option tables.
namespace conv {
enum : int {
  kPadding = 0,
  kStrideW = 1,
  kStrideH = 2,
  kActivation = 3,
  kDilationW = 4,
  kDilationH = 5
};
}
namespace depthwise {
enum : int {
  kPadding = 0,
  kStrideW = 1,
  kStrideH = 2,
  kActivation = 4,
  kDilationW = 5,
  kDilationH = 6
};
}
namespace pool {
enum : int {
  kPadding = 0,
  kStrideW = 1,
  kStrideH = 2,
  kFilterW = 3,
  kFilterH = 4,
  kActivation = 5
};
}
namespace fully_connected {
enum : int { kActivation = 0, kWeightsFormat = 1 };
}
namespace add {
enum : int { kActivation = 0 };
}
namespace softmax {
enum : int { kBeta = 0 };
}

// Which option table an operator carries.
enum OptionsType : uint8_t {
  kNoOptions = 0,
  kConv2DOptions = 1,
  kDepthwiseConv2DOptions = 2,
  kPool2DOptions = 5,
  kFullyConnectedOptions = 8,
  kSoftmaxOptions = 9,
  kAddOptions = 11,
};

// Codes of the operators the importer treats by name.
enum Builtin : int32_t {
  kAdd = 0,
  kAveragePool2D = 1,
  kConv2D = 3,
  kDepthwiseConv2D = 4,
  kDequantize = 6,
  kFullyConnected = 9,
  kMaxPool2D = 17,
  kRelu = 19,
  kReluN1To1 = 20,
  kRelu6 = 21,
  kReshape = 22,
  kSoftmax = 25,
  kCustom = 32,
  kPad = 34,
  kSqueeze = 43,
  kPadV2 = 60,
  kExpandDims = 70,
  kQuantize = 114,
};

enum PaddingCode : int8_t { kSame = 0, kValid = 1 };

// The format's name of a builtin operator ("CONV_2D"), or "BUILTIN_<code>" for unknown codes.
std::string BuiltinName(int32_t code);

// The format's name of a tensor type in lower case ("int8", "float16"), or "type <code>".
std::string TypeName(int8_t code);

// The type as the graph holds it; kOther for types the graph has no name for.
DType ToDType(int8_t code);

// The format's name of a fused activation ("RELU6"), or an empty string for an undefined code.
std::string ActivationName(int8_t code);

}  // namespace weft::tflite
