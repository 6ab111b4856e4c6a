// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/legalise.h"

#include <algorithm>
#include <map>
#include <optional>

namespace weft::compile {
namespace {

// The fixed-point sum of softmax has 12 integer bits.
constexpr int kLongestSoftmax = 4095;
constexpr int kRoundingHalfAway = 2;  // SETUP_OUTPUT.rounding of average pooling

class Legaliser {
 public:
  Legaliser(const Graph& graph, Rounding rounding)
      : graph_(graph), rounding_(rounding == Rounding::kSingle ? 1 : 0) {}

  Result<Network> Run() {
    MarkNeeded();
    if (Status status = FindImages(); !status) return tl::unexpected(status.error());
    if (Status status = MakeInputs(); !status) return tl::unexpected(status.error());
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!needed_[i]) continue;
      node_ = &graph_.nodes[i];
      if (Status status = Lower(); !status) return tl::unexpected(status.error());
    }
    if (Status status = MakeOutputs(); !status) return tl::unexpected(status.error());
    return std::move(network_);
  }

 private:
  const Tensor& At(int index) const { return graph_.tensors[static_cast<size_t>(index)]; }
  const Tensor& In(size_t i) const { return At(node_->inputs[i]); }
  const Tensor& Out() const { return At(node_->outputs[0]); }
  Value& ValueAt(int index) { return network_.values[static_cast<size_t>(index)]; }

  template <typename... Args>
  tl::unexpected<Error> NodeFail(fmt::format_string<Args...> format, Args&&... args) const {
    return Fail("operator {} ({}), tensor '{}': {}", node_->index,
                node_->source_op.empty() ? OpKindName(node_->kind) : node_->source_op.c_str(),
                node_->outputs.empty() ? "" : Out().name,
                fmt::format(format, std::forward<Args>(args)...));
  }

  // Backwards from the outputs; also who reads each tensor.
  void MarkNeeded() {
    needed_.assign(graph_.nodes.size(), false);
    users_.assign(graph_.tensors.size(), {});
    std::vector<bool> wanted(graph_.tensors.size(), false);
    for (int index : graph_.outputs) wanted[static_cast<size_t>(index)] = true;
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      needed_[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                               [&](int t) { return wanted[static_cast<size_t>(t)]; });
      if (!needed_[i]) continue;
      for (int t : node.inputs) {
        if (t < 0) continue;
        wanted[static_cast<size_t>(t)] = true;
        users_[static_cast<size_t>(t)].push_back(&node);
      }
    }
  }

  bool IsGraphOutput(int tensor) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), tensor) != graph_.outputs.end();
  }

  // A batch is dimension 0 of the rank-4 activations, the same in all of them.
  Status FindImages() {
    std::optional<int> images;
    const auto look = [&](int index) -> Status {
      if (index < 0) return {};
      const Tensor& tensor = At(index);
      if (tensor.is_constant || tensor.shape.size() != 4) return {};
      if (images && *images != tensor.shape[0]) {
        return Fail(
            "tensor '{}' has a batch of {}, others have {}: a view across images is not "
            "supported",
            tensor.name, tensor.shape[0], *images);
      }
      images = tensor.shape[0];
      return {};
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!needed_[i]) continue;
      for (int t : graph_.nodes[i].inputs) {
        if (Status status = look(t); !status) return status;
      }
      for (int t : graph_.nodes[i].outputs) {
        if (Status status = look(t); !status) return status;
      }
    }
    network_.images = images.value_or(1);
    return {};
  }

  // One image of a tensor; lower ranks are right-aligned, rank 2 is rows of channels.
  Result<Extent> ExtentOf(const Tensor& tensor) const {
    const std::vector<int32_t>& shape = tensor.shape;
    if (shape.size() == 4) return Extent{shape[1], shape[2], shape[3]};
    if (network_.images > 1 && (shape.size() < 2 || shape[0] % network_.images != 0)) {
      return Fail("tensor '{}': shape {} cannot be divided into the {} images of the batch",
                  tensor.name, fmt::join(shape, "x"), network_.images);
    }
    switch (shape.size()) {
      case 3:
        return Extent{shape[0] / network_.images, shape[1], shape[2]};
      case 2:
        return Extent{shape[0] / network_.images, 1, shape[1]};
      case 1:
        return Extent{1, 1, shape[0]};
      default:
        return Extent{};
    }
  }

  // ---- ports ----

  int AddValue(Value::Source source, int tensor, const Extent& extent) {
    network_.values.push_back({.source = source, .tensor = tensor, .extent = extent});
    return static_cast<int>(network_.values.size()) - 1;
  }

  Status MakeInputs() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      const int index = graph_.inputs[i];
      const Tensor& tensor = At(index);
      network_.inputs.push_back({.name = tensor.name, .type = tensor.type, .shape = tensor.shape});
      if (users_[static_cast<size_t>(index)].empty() && !IsGraphOutput(index)) continue;
      if (tensor.type == DType::kFloat32) {
        float_input_[index] = i;
      } else if (tensor.type == DType::kInt8) {
        const Result<Extent> extent = ExtentOf(tensor);
        if (!extent) return tl::unexpected(extent.error());
        const int value = AddValue(Value::Source::kInput, index, *extent);
        network_.inputs[i].value = value;
        operands_[index] = {value, *extent};
      } else {
        return Fail("graph input {} '{}' is {}: int8, or float32 followed by QUANTIZE, is needed",
                    i, tensor.name, DTypeName(tensor.type));
      }
    }
    return {};
  }

  Status MakeOutputs() {
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const int index = graph_.outputs[i];
      const Tensor& tensor = At(index);
      const auto found = operands_.find(index);
      if (found == operands_.end()) {
        return Fail("graph output {} '{}' is {}: int8, or float32 behind DEQUANTIZE, is needed", i,
                    tensor.name, DTypeName(tensor.type));
      }
      int value = found->second.value;
      if (ValueAt(value).source != Value::Source::kLayer) value = CopyOf(found->second, index);
      ValueAt(value).is_output = true;
      network_.outputs.push_back(
          {.name = tensor.name, .type = tensor.type, .shape = tensor.shape, .value = value});
    }
    return {};
  }

  // A graph output that no operator computes still has to travel through the device.
  int CopyOf(const Operand& from, int tensor) {
    Layer layer;
    layer.kind = LayerKind::kRequantize;
    layer.op = OpKind::kReshape;
    layer.name = At(tensor).name;
    layer.in = from;
    layer.multipliers = {kIdentity};
    layer.source_ops = std::move(pending_ops_);
    pending_ops_.clear();
    layer.out = AddValue(Value::Source::kLayer, ValueAt(from.value).tensor, from.extent);
    NoteView(layer.in);
    network_.layers.push_back(std::move(layer));
    return network_.layers.back().out;
  }

  // ---- operators ----

  Status Lower() {
    switch (node_->kind) {
      case OpKind::kConv2D:
        return LowerConv2D();
      case OpKind::kDepthwiseConv2D:
        return LowerDepthwise();
      case OpKind::kFullyConnected:
        return LowerFullyConnected();
      case OpKind::kAdd:
        return LowerAdd();
      case OpKind::kAveragePool2D:
      case OpKind::kMaxPool2D:
        return LowerPool();
      case OpKind::kPad:
        return LowerPad();
      case OpKind::kReshape:
      case OpKind::kSqueeze:
      case OpKind::kExpandDims:
        return LowerView();
      case OpKind::kSoftmax:
        return LowerSoftmax();
      case OpKind::kRelu:
        return LowerRequantize(std::get<ActivationAttrs>(node_->attrs).activation);
      case OpKind::kQuantize:
        return In(0).type == DType::kFloat32 ? LowerFloatInput()
                                             : LowerRequantize(Activation::kNone);
      case OpKind::kDequantize:
        operands_[node_->outputs[0]] = operands_.at(node_->inputs[0]);
        return {};
      case OpKind::kUnsupported:
        break;
    }
    return NodeFail("not supported: {}", node_->unsupported_why);
  }

  // Input `i` of the node. A constant becomes a value of its own.
  Result<Operand> OperandOf(size_t i) {
    const int index = node_->inputs[i];
    if (const auto found = operands_.find(index); found != operands_.end()) return found->second;
    const Tensor& tensor = At(index);
    if (!tensor.is_constant) return NodeFail("input '{}' is not int8", tensor.name);
    const Result<Extent> extent = ExtentOf(tensor);
    if (!extent) return tl::unexpected(extent.error());
    const auto image = tensor.data.size() / static_cast<size_t>(network_.images);
    for (size_t byte = image; byte < tensor.data.size(); ++byte) {
      if (tensor.data[byte] != tensor.data[byte - image]) {
        return NodeFail("constant '{}' differs between the images of the batch", tensor.name);
      }
    }
    operands_[index] = {AddValue(Value::Source::kConstant, index, *extent), *extent};
    return operands_[index];
  }

  // The layer of the current node with everything that does not depend on its kind.
  Result<Layer> Begin(LayerKind kind) {
    Layer layer;
    layer.kind = kind;
    layer.op = node_->kind;
    layer.name = Out().name;
    layer.source_ops = std::move(pending_ops_);
    pending_ops_.clear();
    layer.source_ops.push_back(node_->index);
    layer.macs = NodeMacs(graph_, *node_) / network_.images;
    layer.rounding = rounding_;
    layer.zero_point = static_cast<int>(Out().quant.zero_points[0]);
    Result<Operand> in = OperandOf(0);
    if (!in) return tl::unexpected(in.error());
    layer.in = *in;
    return layer;
  }

  Status Finish(Layer layer) {
    const int tensor = node_->outputs[0];
    const Result<Extent> extent = ExtentOf(Out());
    if (!extent) return tl::unexpected(extent.error());
    layer.out = AddValue(Value::Source::kLayer, tensor, *extent);
    operands_[tensor] = {layer.out, *extent};
    producer_[layer.out] = network_.layers.size();
    NoteView(layer.in);
    if (layer.residual.value >= 0) NoteView(layer.residual);
    network_.layers.push_back(std::move(layer));
    return {};
  }

  void NoteView(const Operand& operand) {
    Value& value = ValueAt(operand.value);
    if (operand.extent.h != value.extent.h ||
        operand.extent.row_bytes() != value.extent.row_bytes()) {
      value.dense = true;
    }
  }

  // Bias with the input's zero point folded in; left empty when there is nothing to add.
  void FoldBias(Layer& layer, size_t channels, const std::vector<int64_t>& weight_sums) {
    const int64_t zero_point = In(0).quant.zero_points[0];
    const bool has_bias = node_->inputs.size() > 2 && node_->inputs[2] >= 0;
    std::vector<int32_t> bias(channels, 0);
    if (has_bias) {
      const std::vector<uint8_t>& data = In(2).data;
      for (size_t o = 0; o < channels; ++o) {
        uint32_t word = 0;
        for (size_t b = 4; b-- > 0;) word = word << 8 | data[4 * o + b];
        bias[o] = static_cast<int32_t>(word);
      }
    }
    for (size_t o = 0; o < channels; ++o) {
      // Wraps as the accumulator does.
      bias[o] = static_cast<int32_t>(static_cast<uint32_t>(bias[o]) -
                                     static_cast<uint32_t>(zero_point * weight_sums[o]));
    }
    if (std::any_of(bias.begin(), bias.end(), [](int32_t b) { return b != 0; })) {
      layer.bias = std::move(bias);
    }
  }

  void SetConvolutionOutput(Layer& layer, Activation activation) {
    for (float scale : In(1).quant.scales) {
      layer.multipliers.push_back(
          ConvolutionMultiplier(In(0).quant.scales[0], scale, Out().quant.scales[0]));
    }
    layer.clamp = ActivationClamp(activation, Out().quant.scales[0], layer.zero_point);
  }

  // Stride and padding, plus those of a PAD that was left for this convolution.
  template <typename Attrs>
  void SetWindow(Layer& layer, const Attrs& attrs, int kernel_h, int kernel_w) {
    layer.kernel_h = kernel_h;
    layer.kernel_w = kernel_w;
    layer.stride_h = attrs.stride_h;
    layer.stride_w = attrs.stride_w;
    layer.pad_top = attrs.padding.top;
    layer.pad_left = attrs.padding.left;
    layer.pad_value = static_cast<int>(In(0).quant.zero_points[0]);
    if (const auto pad = folded_pads_.find(node_->inputs[0]); pad != folded_pads_.end()) {
      const auto& pad_attrs = std::get<PadAttrs>(pad->second->attrs);
      layer.pad_top += pad_attrs.before[1];
      layer.pad_left += pad_attrs.before[2];
      layer.fused_tensors.push_back(node_->inputs[0]);
    }
  }

  Status LowerConv2D() {
    const auto& attrs = std::get<Conv2DAttrs>(node_->attrs);
    Result<Layer> layer = Begin(LayerKind::kDense);
    if (!layer) return tl::unexpected(layer.error());
    const std::vector<int32_t>& shape = In(1).shape;  // O, kh, kw, C
    const auto outs = static_cast<size_t>(shape[0]);
    const int kernel_h = (shape[1] - 1) * attrs.dilation_h + 1;
    const int kernel_w = (shape[2] - 1) * attrs.dilation_w + 1;
    SetWindow(*layer, attrs, kernel_h, kernel_w);
    layer->weights.assign(outs * static_cast<size_t>(kernel_h * kernel_w * shape[3]), 0);
    std::vector<int64_t> sums(outs, 0);
    size_t from = 0;
    for (size_t o = 0; o < outs; ++o) {
      for (int y = 0; y < shape[1]; ++y) {
        for (int x = 0; x < shape[2]; ++x) {
          const size_t tap = (o * static_cast<size_t>(kernel_h) + y * attrs.dilation_h) *
                                 static_cast<size_t>(kernel_w) +
                             static_cast<size_t>(x * attrs.dilation_w);
          for (int c = 0; c < shape[3]; ++c, ++from) {
            const auto weight = static_cast<int8_t>(In(1).data[from]);
            layer->weights[tap * static_cast<size_t>(shape[3]) + static_cast<size_t>(c)] = weight;
            sums[o] += weight;
          }
        }
      }
    }
    FoldBias(*layer, outs, sums);
    SetConvolutionOutput(*layer, attrs.activation);
    return Finish(std::move(*layer));
  }

  Status LowerDepthwise() {
    const auto& attrs = std::get<DepthwiseConv2DAttrs>(node_->attrs);
    const std::vector<int32_t>& shape = In(1).shape;  // 1, kh, kw, outs
    const auto outs = static_cast<size_t>(shape[3]);
    const size_t channels = outs / static_cast<size_t>(attrs.multiplier);
    const bool dense = attrs.multiplier > 1 || channels == 1;
    Result<Layer> layer = Begin(dense ? LayerKind::kDense : LayerKind::kDepthwise);
    if (!layer) return tl::unexpected(layer.error());
    const int kernel_h = (shape[1] - 1) * attrs.dilation_h + 1;
    const int kernel_w = (shape[2] - 1) * attrs.dilation_w + 1;
    SetWindow(*layer, attrs, kernel_h, kernel_w);
    const auto taps = static_cast<size_t>(kernel_h * kernel_w);
    layer->weights.assign(dense ? outs * taps * channels : taps * outs, 0);
    std::vector<int64_t> sums(outs, 0);
    size_t from = 0;
    for (int y = 0; y < shape[1]; ++y) {
      for (int x = 0; x < shape[2]; ++x) {
        const auto tap =
            static_cast<size_t>(y * attrs.dilation_h * kernel_w + x * attrs.dilation_w);
        for (size_t o = 0; o < outs; ++o, ++from) {
          const auto weight = static_cast<int8_t>(In(1).data[from]);
          const size_t channel = o / static_cast<size_t>(attrs.multiplier);
          layer->weights[dense ? (o * taps + tap) * channels + channel : tap * outs + o] = weight;
          sums[o] += weight;
        }
      }
    }
    FoldBias(*layer, outs, sums);
    SetConvolutionOutput(*layer, attrs.activation);
    return Finish(std::move(*layer));
  }

  Status LowerFullyConnected() {
    const Activation activation = std::get<FullyConnectedAttrs>(node_->attrs).activation;
    Result<Layer> layer = Begin(LayerKind::kDense);
    if (!layer) return tl::unexpected(layer.error());
    const auto outs = static_cast<size_t>(In(1).shape[0]);
    const auto depth = static_cast<size_t>(In(1).shape[1]);
    const Result<Extent> out = ExtentOf(Out());
    if (!out) return tl::unexpected(out.error());
    // As many pixels as the output has, each of `depth` bytes.
    const int64_t bytes = layer->in.extent.bytes();
    layer->in.extent = {out->h, out->w, static_cast<int>(depth)};
    if (layer->in.extent.bytes() != bytes) {
      return NodeFail("rows of {} inputs run across the images of the batch", depth);
    }
    layer->weights.resize(outs * depth);
    std::vector<int64_t> sums(outs, 0);
    for (size_t i = 0; i < layer->weights.size(); ++i) {
      layer->weights[i] = static_cast<int8_t>(In(1).data[i]);
      sums[i / depth] += layer->weights[i];
    }
    FoldBias(*layer, outs, sums);
    SetConvolutionOutput(*layer, activation);
    if (!In(1).quant.per_channel()) {
      layer->multipliers = {FullyConnectedMultiplier(In(0).quant.scales[0], In(1).quant.scales[0],
                                                     Out().quant.scales[0])};
    }
    return Finish(std::move(*layer));
  }

  Status LowerAdd() {
    Result<Layer> layer = Begin(LayerKind::kAdd);
    if (!layer) return tl::unexpected(layer.error());
    const Result<Operand> second = OperandOf(1);
    if (!second) return tl::unexpected(second.error());
    layer->residual = *second;
    layer->has_add = true;
    layer->add = AdditionOf(In(0), In(1), Out(), std::get<AddAttrs>(node_->attrs).activation);
    layer->multipliers = {kIdentity};
    return Finish(std::move(*layer));
  }

  Status LowerPool() {
    const auto& attrs = std::get<Pool2DAttrs>(node_->attrs);
    const bool average = node_->kind == OpKind::kAveragePool2D;
    Result<Layer> layer = Begin(average ? LayerKind::kDepthwise : LayerKind::kMaximum);
    if (!layer) return tl::unexpected(layer.error());
    SetWindow(*layer, attrs, attrs.filter_h, attrs.filter_w);
    layer->pad_value = average ? 0 : -128;
    layer->clamp = ActivationClamp(attrs.activation, Out().quant.scales[0], layer->zero_point);
    layer->zero_point = 0;  // stored values are averaged and compared as they are
    layer->multipliers = {kIdentity};
    if (average) {
      layer->rounding = kRoundingHalfAway;
      const Result<Extent> out = ExtentOf(Out());
      if (!out) return tl::unexpected(out.error());
      SetAverageRegions(*layer, *out);
    }
    return Finish(std::move(*layer));
  }

  // Rectangles of output pixels whose windows hold equally many elements of the image.
  static void SetAverageRegions(Layer& layer, const Extent& out) {
    struct Span {
      int begin, end, count;
    };
    const auto spans = [](int size, int in, int kernel, int stride, int pad) {
      std::vector<Span> result;
      for (int i = 0; i < size; ++i) {
        const int first = i * stride - pad;
        const int count = std::min(in, first + kernel) - std::max(0, first);
        if (!result.empty() && result.back().count == count) {
          result.back().end = i + 1;
        } else {
          result.push_back({i, i + 1, count});
        }
      }
      return result;
    };
    const Extent& in = layer.in.extent;
    const auto columns = spans(out.w, in.w, layer.kernel_w, layer.stride_w, layer.pad_left);
    for (const Span& y : spans(out.h, in.h, layer.kernel_h, layer.stride_h, layer.pad_top)) {
      for (const Span& x : columns) {
        layer.regions.push_back(
            {y.begin, y.end, x.begin, x.end, ReciprocalOfCount(int64_t{y.count} * x.count)});
      }
    }
  }

  // Whether the one reader of this PAD can do the padding itself.
  bool PadFolds(const PadAttrs& attrs) const {
    const int tensor = node_->outputs[0];
    const std::vector<const Node*>& users = users_[static_cast<size_t>(tensor)];
    if (users.size() != 1 || IsGraphOutput(tensor) || Out().shape.size() != 4) return false;
    if (users[0]->kind != OpKind::kConv2D && users[0]->kind != OpKind::kDepthwiseConv2D) {
      return false;
    }
    return attrs.before[0] == 0 && attrs.after[0] == 0 && attrs.before[3] == 0 &&
           attrs.after[3] == 0 && attrs.value == Out().quant.zero_points[0];
  }

  Status LowerPad() {
    const auto& attrs = std::get<PadAttrs>(node_->attrs);
    const size_t rank = attrs.before.size();
    // Padding by the place of a dimension in one image: rows, columns, channels.
    const auto along = [rank](const std::vector<int>& counts, size_t dimension_of_image) {
      // Rank 4 and 3 end in row, column, channel; rank 2 in row, channel; rank 1 in channel.
      const int from_end = 3 - static_cast<int>(dimension_of_image);
      if (rank == 2 && from_end == 2) return 0;
      const int index = rank == 2 && from_end == 3 ? 0 : static_cast<int>(rank) - from_end;
      return index < 0 ? 0 : counts[static_cast<size_t>(index)];
    };
    const bool pads_batch =
        (rank == 4 && (attrs.before[0] != 0 || attrs.after[0] != 0)) ||
        (rank < 4 && network_.images > 1 && (attrs.before[0] != 0 || attrs.after[0] != 0));
    if (pads_batch) return NodeFail("padding along the batch is not supported");
    if (PadFolds(attrs)) {
      const Result<Operand> in = OperandOf(0);
      if (!in) return tl::unexpected(in.error());
      operands_[node_->outputs[0]] = *in;
      folded_pads_[node_->outputs[0]] = node_;
      pending_ops_.push_back(node_->index);
      return {};
    }
    const int channels_before = along(attrs.before, 2);
    const bool channels = channels_before != 0 || along(attrs.after, 2) != 0;
    Result<Layer> layer = Begin(channels ? LayerKind::kDense : LayerKind::kDepthwise);
    if (!layer) return tl::unexpected(layer.error());
    layer->pad_top = along(attrs.before, 0);
    layer->pad_left = along(attrs.before, 1);
    layer->pad_value = attrs.value;
    layer->zero_point = 0;
    layer->multipliers = {kIdentity};
    if (channels) {
      const auto in = static_cast<size_t>(layer->in.extent.c);
      const auto out = static_cast<size_t>(Out().shape.back());
      layer->weights.assign(in * out, 0);
      layer->bias.assign(out, attrs.value);
      for (size_t c = 0; c < in; ++c) {
        const size_t o = c + static_cast<size_t>(channels_before);
        layer->weights[o * in + c] = 1;
        layer->bias[o] = 0;
      }
    }
    return Finish(std::move(*layer));
  }

  Status LowerView() {
    const int from = node_->inputs[0], to = node_->outputs[0];
    if (const auto found = float_input_.find(from); found != float_input_.end()) {
      float_input_[to] = found->second;
      return {};
    }
    const Result<Operand> in = OperandOf(0);
    if (!in) return tl::unexpected(in.error());
    const Result<Extent> extent = ExtentOf(Out());
    if (!extent) return tl::unexpected(extent.error());
    if (extent->bytes() != in->extent.bytes()) {
      return NodeFail("a view across the images of the batch is not supported");
    }
    operands_[to] = {in->value, *extent};
    const auto producer = producer_.find(in->value);
    (producer == producer_.end() ? pending_ops_ : network_.layers[producer->second].source_ops)
        .push_back(node_->index);
    return {};
  }

  Status LowerSoftmax() {
    Result<Layer> layer = Begin(LayerKind::kSoftmax);
    if (!layer) return tl::unexpected(layer.error());
    layer->multipliers = {kIdentity};
    if (layer->in.extent.c > kLongestSoftmax) {
      return NodeFail("softmax over {} elements, at most {} are possible", layer->in.extent.c,
                      kLongestSoftmax);
    }
    layer->table = SoftmaxTable(std::get<SoftmaxAttrs>(node_->attrs).beta, In(0).quant.scales[0]);
    return Finish(std::move(*layer));
  }

  Status LowerRequantize(Activation activation) {
    Result<Layer> layer = Begin(LayerKind::kRequantize);
    if (!layer) return tl::unexpected(layer.error());
    layer->in_zero_point = static_cast<int>(In(0).quant.zero_points[0]);
    layer->multipliers = {RescaleMultiplier(In(0).quant.scales[0], Out().quant.scales[0])};
    layer->clamp = ActivationClamp(activation, Out().quant.scales[0], layer->zero_point);
    return Finish(std::move(*layer));
  }

  // QUANTIZE of a float graph input: the host hands over int8.
  Status LowerFloatInput() {
    const auto found = float_input_.find(node_->inputs[0]);
    if (found == float_input_.end()) {
      return NodeFail("quantises a float tensor that is not a graph input");
    }
    Port& port = network_.inputs[found->second];
    const int tensor = node_->outputs[0];
    if (port.value < 0) {
      const Result<Extent> extent = ExtentOf(Out());
      if (!extent) return tl::unexpected(extent.error());
      port.value = AddValue(Value::Source::kInput, tensor, *extent);
    }
    const Tensor& first = At(ValueAt(port.value).tensor);
    if (first.quant.scales[0] != Out().quant.scales[0] ||
        first.quant.zero_points[0] != Out().quant.zero_points[0]) {
      return NodeFail("graph input '{}' is quantised in two different ways", port.name);
    }
    operands_[tensor] = {port.value, ValueAt(port.value).extent};
    return {};
  }

  const Graph& graph_;
  const int rounding_;
  Network network_;
  const Node* node_ = nullptr;
  std::vector<bool> needed_;
  std::vector<std::vector<const Node*>> users_;  // by tensor, needed operators only
  std::map<int, Operand> operands_;              // int8 tensors, and float ones behind DEQUANTIZE
  std::map<int, size_t> float_input_;            // float tensor -> graph input it comes from
  std::map<int, const Node*> folded_pads_;       // PAD output -> the PAD
  std::map<int, size_t> producer_;               // value -> layer
  std::vector<int> pending_ops_;                 // operators that join the next layer
};

}  // namespace

Result<Network> Legalise(const Graph& graph, Rounding rounding) {
  return Legaliser(graph, rounding).Run();
}

}  // namespace weft::compile
