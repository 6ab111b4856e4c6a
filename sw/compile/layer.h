// SPDX-License-Identifier: Apache-2.0
//
// The compiler's own form of a network: values (bytes of one image) and layers that compute one
// value from one or two others, each by one kind of device command. Legalise makes it from the
// graph; fuse shortens it; everything later reads it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sw/compile/quantize.h"
#include "weft/graph.h"
#include "weft/program.h"

namespace weft::compile {

/// Rows, columns and channels of one image; NHWC without the N.
struct Extent {
  int h = 1, w = 1, c = 1;
  int64_t row_bytes() const { return int64_t{w} * c; }
  int64_t bytes() const { return h * row_bytes(); }
  bool operator==(const Extent&) const = default;
};

/// Bytes that exist at run time: a graph input, a constant operand, or what a layer computes.
struct Value {
  enum class Source : uint8_t { kLayer, kInput, kConstant };
  Source source = Source::kLayer;
  int tensor = -1;          ///< index in Graph::tensors of the tensor that first holds these bytes
  Extent extent;            ///< as its source writes it
  bool transposed = false;  ///< an input: rows are the image's columns, and so is the extent
  bool dense = false;      ///< rows follow each other without gaps: it is also read with other rows
  bool is_output = false;  ///< of the graph
};

/// A value as one reader sees it: a view may give it another extent.
struct Operand {
  int value = -1;  ///< index into Network::values; -1: none
  Extent extent;
};

enum class LayerKind : uint8_t {
  kDense,       ///< RUN mode 0
  kDepthwise,   ///< RUN mode 1
  kMaximum,     ///< RUN mode 2
  kAdd,         ///< ELTWISE add
  kRequantize,  ///< ELTWISE
  kSoftmax,     ///< SOFTMAX, one a pixel
};

/// Part of the output with a requantisation of its own (average pooling at the image's edges).
struct OutputRegion {
  int y0 = 0, y1 = 0, x0 = 0, x1 = 0;
  Multiplier multiplier;
};

struct Layer {
  LayerKind kind = LayerKind::kDense;
  OpKind op = OpKind::kConv2D;     ///< main operator, for reports
  std::string name;                ///< of the output tensor
  std::vector<int> source_ops;     ///< Node::index of all operators it covers
  std::vector<int> fused_tensors;  ///< graph tensors that it computes but never stores
  int64_t macs = 0;

  Operand in;
  Operand residual;  ///< second operand of kAdd, or of a fused addition
  int out = -1;      ///< index into Network::values

  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0;
  int pad_value = 0;  ///< what the feed reads outside the image
  /// Neighbouring output pixels computed as one of all their channels. stride_w is that of the wide
  /// pixel, kernel_w too if kDense; if kDepthwise (RUN mode 3) it stays that of one pixel.
  int wide = 1;
  bool transposed = false;  ///< rows of input, window and computed output are the image's columns

  /// kDense: [out channel][kernel_h][kernel_w][in channel]; kDepthwise: [kernel_h][kernel_w][c].
  /// kDepthwise with none: every weight is one, from a single shared block.
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;            ///< input zero point folded in; empty: all zero
  std::vector<Multiplier> multipliers;  ///< one, or one a channel; never empty
  std::vector<OutputRegion> regions;    ///< empty: one region with multipliers[0]
  int rounding = 0;                     ///< SETUP_OUTPUT's field
  int in_zero_point = 0;                ///< kRequantize
  int zero_point = 0;
  Clamp clamp;
  bool has_add = false;  ///< kAdd, or a fused addition
  Addition add;
  std::array<int32_t, 256> table = {};  ///< kSoftmax

  bool pixel_pairs() const { return kind == LayerKind::kDepthwise && wide == 2; }
  /// Input columns under one output pixel, a wide one if layers compute such.
  int window_columns() const { return kernel_w + (pixel_pairs() ? 1 : 0); }
  bool IsRun() const {
    return kind == LayerKind::kDense || kind == LayerKind::kDepthwise ||
           kind == LayerKind::kMaximum;
  }
  bool shared_weights() const { return kind == LayerKind::kDepthwise && weights.empty(); }
  bool per_tensor() const { return multipliers.size() <= 1; }
  bool has_params() const { return !bias.empty() || !per_tensor(); }
};

/// A graph input or output, and the value behind it.
struct Port {
  std::string name;
  DType type = DType::kInt8;
  std::vector<int32_t> shape;  ///< of the whole batch
  int value = -1;              ///< -1: an input that nothing reads
};

struct Network {
  int images = 1;
  std::vector<Value> values;
  std::vector<Layer> layers;  ///< in execution order
  std::vector<Port> inputs, outputs;
};

/// The output of a layer as it computes it: of wide pixels, or column by column.
inline Extent OutputOf(const Network& network, const Layer& layer) {
  const Extent& out = network.values[static_cast<size_t>(layer.out)].extent;
  if (layer.transposed) return {out.w, out.h, out.c};
  return {out.h, out.w / layer.wide, out.c * layer.wide};
}

}  // namespace weft::compile
