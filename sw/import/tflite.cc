// SPDX-License-Identifier: Apache-2.0
//
// Walks a TensorFlow Lite file from its root: operator codes, buffers, then the first subgraph's
// tensors and operators. Operators are interpreted in tflite_ops.cc.
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sw/import/flatbuffer.h"
#include "sw/import/text.h"
#include "sw/import/tflite_ops.h"
#include "sw/import/tflite_schema.h"
#include "weft/import.h"
#include "weft/io.h"

namespace weft {
namespace {

// Tables may share what they point at, so a small file can describe a large model. Files written
// by converters expand a few times at most; a file that exceeds this is not one of them.
constexpr uint64_t kMaxExpansion = 64;
constexpr uint64_t kMinBudget = 1 << 20;

struct OperatorCode {
  int32_t code = 0;
  std::string name;
};

class Importer {
 public:
  Importer(std::span<const uint8_t> bytes, std::string name)
      : file_(bytes), budget_(kMinBudget + kMaxExpansion * bytes.size()) {
    graph_.name = std::move(name);
  }

  Result<Graph> Run() {
    Status status = Read();
    // A damaged file is the cause of whatever else went wrong after it.
    if (!file_.ok()) status = file_.status();
    if (!status) return tl::unexpected(status.error());
    if (status = ValidateGraph(graph_); !status) return tl::unexpected(status.error());
    return std::move(graph_);
  }

 private:
  Status Read() {
    if (Status status = CheckHeader(); !status) return status;
    const FlatTable model = file_.Root("model");
    const uint32_t version = model.Scalar<uint32_t>(tflite::model::kVersion, 0);
    if (file_.ok() && version != tflite::kSchemaVersion) {
      return Fail("format version {}, only {} is known", version, tflite::kSchemaVersion);
    }
    if (Status status = ReadOperatorCodes(model); !status) return status;
    if (Status status = ReadBuffers(model); !status) return status;
    if (Status status = CheckMetadata(model); !status) return status;
    const FlatTableVector subgraphs = model.Tables(tflite::model::kSubgraphs, "subgraph");
    if (subgraphs.size() == 0) return Fail("the file holds no graph");
    const FlatTable main = subgraphs[0];
    if (Status status = ReadTensors(main); !status) return status;
    if (Status status = ReadGraphEdges(main); !status) return status;
    if (Status status = ReadOperators(main); !status) return status;
    return ReadFurtherSubgraphs(subgraphs);
  }

  Status CheckHeader() const {
    const std::span<const uint8_t> bytes = file_.bytes();
    if (bytes.empty()) return Fail("the file is empty");
    const std::string_view identifier(tflite::kIdentifier);
    if (bytes.size() < 8 ||
        std::string_view(reinterpret_cast<const char*>(bytes.data()) + 4, 4) != identifier) {
      return Fail("not a TensorFlow Lite model (bytes 4 to 7 are not '{}')", identifier);
    }
    return {};
  }

  // Accounts for memory that the graph takes; see kMaxExpansion.
  Status Spend(uint64_t bytes) {
    if (bytes > budget_) {
      return Fail(
          "damaged: its parts refer to the same bytes over and over; the model would be"
          " more than {} times as large as the file",
          kMaxExpansion);
    }
    budget_ -= bytes;
    return {};
  }

  // A name or other text, kept printable.
  Result<std::string> ReadText(const FlatTable& table, int field, const char* what) {
    const std::string_view text = table.String(field, what);
    if (Status status = Spend(text.size()); !status) return tl::unexpected(status.error());
    return PrintableUtf8(text);
  }

  template <typename T>
  Result<std::vector<T>> ReadVector(const FlatTable& table, int field, const char* what) {
    const FlatVector<T> vector = table.Vector<T>(field, what);
    if (Status status = Spend(vector.size() * sizeof(T)); !status) {
      return tl::unexpected(status.error());
    }
    return vector.Copy();
  }

  Status ReadOperatorCodes(const FlatTable& model) {
    for (FlatTable entry : model.Tables(tflite::model::kOperatorCodes, "operator code")) {
      if (!file_.ok()) return {};
      // Codes above 127 came later: the first field is then 127 and the second one holds the code.
      OperatorCode code;
      code.code =
          std::max<int32_t>(entry.Scalar<int8_t>(tflite::operator_code::kDeprecatedBuiltin, 0),
                            entry.Scalar<int32_t>(tflite::operator_code::kBuiltin, 0));
      if (Status status = Spend(sizeof(code)); !status) return status;
      code.name = tflite::BuiltinName(code.code);
      if (code.code == tflite::kCustom) {
        auto custom = ReadText(entry, tflite::operator_code::kCustom, "custom operator name");
        if (!custom) return tl::unexpected(custom.error());
        code.name += ":" + *custom;
      }
      codes_.push_back(std::move(code));
    }
    return {};
  }

  Status ReadBuffers(const FlatTable& model) {
    for (FlatTable entry : model.Tables(tflite::model::kBuffers, "buffer")) {
      if (!file_.ok()) return {};
      std::span<const uint8_t> data =
          entry.Vector<uint8_t>(tflite::buffer::kData, "buffer data").Bytes();
      // Files of more than 2 GiB keep the data outside the flatbuffer; 0 and 1 are placeholders.
      const uint64_t offset = entry.Scalar<uint64_t>(tflite::buffer::kOffset, 0);
      const uint64_t size = entry.Scalar<uint64_t>(tflite::buffer::kSize, 0);
      if (data.empty() && offset > 1 && size > 0) {
        if (!file_.Check(offset, size, "buffer data after the model")) return {};
        data = file_.bytes().subspan(offset, size);
      }
      buffers_.push_back(data);
    }
    return {};
  }

  // Nothing in these is used; they are followed so that a file cut off inside them is noticed.
  Status CheckMetadata(const FlatTable& model) {
    model.String(tflite::model::kDescription, "description");
    for (FlatTable entry : model.Tables(tflite::model::kMetadata, "metadata")) {
      entry.String(tflite::metadata::kName, "metadata name");
      const uint32_t buffer = entry.Scalar<uint32_t>(tflite::metadata::kBuffer, 0);
      if (!file_.ok()) return {};
      if (buffer >= buffers_.size()) {
        return Fail("damaged: metadata uses buffer {} of {}", buffer, buffers_.size());
      }
    }
    for (FlatTable entry : model.Tables(tflite::model::kSignatures, "signature")) {
      if (!entry.present()) return {};
    }
    return {};
  }

  Status ReadTensors(const FlatTable& subgraph) {
    for (FlatTable entry : subgraph.Tables(tflite::subgraph::kTensors, "tensor")) {
      if (!file_.ok()) return {};
      if (Status status = ReadTensor(entry); !status) return status;
    }
    return {};
  }

  Status ReadTensor(const FlatTable& entry) {
    if (Status status = Spend(sizeof(Tensor)); !status) return status;
    const size_t index = graph_.tensors.size();
    Tensor tensor;
    tflite::TensorFacts facts;
    auto name = ReadText(entry, tflite::tensor::kName, "tensor name");
    if (!name) return tl::unexpected(name.error());
    tensor.name = *std::move(name);
    auto shape = ReadVector<int32_t>(entry, tflite::tensor::kShape, "tensor shape");
    if (!shape) return tl::unexpected(shape.error());
    // A dimension of -1 occurs in the signature only; the shape holds what it stands for.
    tensor.shape = *std::move(shape);
    entry.Vector<int32_t>(tflite::tensor::kShapeSignature, "tensor shape signature");
    facts.type_code = entry.Scalar<int8_t>(tflite::tensor::kType, 0);
    tensor.type = tflite::ToDType(facts.type_code);
    facts.variable = entry.Scalar<uint8_t>(tflite::tensor::kIsVariable, 0) != 0;
    facts.sparse = entry.Table(tflite::tensor::kSparsity, "sparsity").present();

    const FlatTable quantization = entry.Table(tflite::tensor::kQuantization, "quantization");
    facts.special_quantization =
        quantization.Scalar<uint8_t>(tflite::quantization::kDetailsType, 0) != 0;
    if (Status status = ReadQuantization(quantization, index, &tensor.quant); !status) {
      return status;
    }

    const uint32_t buffer = entry.Scalar<uint32_t>(tflite::tensor::kBuffer, 0);
    if (!file_.ok()) return {};
    if (buffer >= buffers_.size()) {
      return Fail("damaged: tensor {} '{}' uses buffer {} of {}", index, tensor.name, buffer,
                  buffers_.size());
    }
    const std::span<const uint8_t> data = buffers_[buffer];
    tensor.is_constant = !data.empty();
    // A sparse tensor's data is not the dense array that Tensor::data holds.
    if (facts.sparse && tensor.is_constant) tensor.type = DType::kOther;
    if (tensor.type != DType::kOther) {
      if (Status status = Spend(data.size()); !status) return status;
      tensor.data.assign(data.begin(), data.end());
    }
    graph_.tensors.push_back(std::move(tensor));
    facts_.push_back(facts);
    return {};
  }

  Status ReadQuantization(const FlatTable& entry, size_t index, Quantization* quant) {
    auto scales = ReadVector<float>(entry, tflite::quantization::kScale, "scales");
    if (!scales) return tl::unexpected(scales.error());
    auto zero_points = ReadVector<int64_t>(entry, tflite::quantization::kZeroPoint, "zero points");
    if (!zero_points) return tl::unexpected(zero_points.error());
    if (scales->empty()) return {};
    quant->scales = *std::move(scales);
    quant->axis = entry.Scalar<int32_t>(tflite::quantization::kAxis, 0);
    if (zero_points->size() <= 1) {
      const int64_t value = zero_points->empty() ? 0 : zero_points->front();
      if (Status status = Spend(quant->scales.size() * sizeof(value)); !status) return status;
      quant->zero_points.assign(quant->scales.size(), value);
    } else if (zero_points->size() == quant->scales.size()) {
      quant->zero_points = *std::move(zero_points);
    } else {
      return Fail("damaged: tensor {} has {} scales but {} zero points", index,
                  quant->scales.size(), zero_points->size());
    }
    return {};
  }

  Status ReadGraphEdges(const FlatTable& subgraph) {
    auto inputs = ReadIndices(subgraph, tflite::subgraph::kInputs, "graph inputs", 0);
    if (!inputs) return tl::unexpected(inputs.error());
    graph_.inputs = *std::move(inputs);
    for (int index : graph_.inputs) facts_[static_cast<size_t>(index)].graph_input = true;
    auto outputs = ReadIndices(subgraph, tflite::subgraph::kOutputs, "graph outputs", 0);
    if (!outputs) return tl::unexpected(outputs.error());
    graph_.outputs = *std::move(outputs);
    for (int index : graph_.outputs) facts_[static_cast<size_t>(index)].graph_output = true;
    return {};
  }

  // Tensor indices, each at least `lowest` (-1 where a tensor may be left out).
  Result<std::vector<int>> ReadIndices(const FlatTable& table, int field, const char* what,
                                       int lowest) {
    auto indices = ReadVector<int32_t>(table, field, what);
    if (!indices) return tl::unexpected(indices.error());
    for (int32_t index : *indices) {
      if (index < lowest || index >= static_cast<int64_t>(graph_.tensors.size())) {
        return Fail("damaged: {} refer to tensor {} of {}", what, index, graph_.tensors.size());
      }
    }
    return indices;
  }

  Status ReadOperators(const FlatTable& subgraph) {
    for (FlatTable entry : subgraph.Tables(tflite::subgraph::kOperators, "operator")) {
      if (!file_.ok()) return {};
      if (Status status = ReadOperator(entry); !status) return status;
    }
    return {};
  }

  Status ReadOperator(const FlatTable& entry) {
    if (Status status = Spend(sizeof(Node)); !status) return status;
    Node node;
    node.index = static_cast<int>(graph_.nodes.size());
    const uint32_t code = entry.Scalar<uint32_t>(tflite::op::kOpcodeIndex, 0);
    if (!file_.ok()) return {};
    if (code >= codes_.size()) {
      return Fail("damaged: operator {} has operator code {} of {}", node.index, code,
                  codes_.size());
    }
    node.source_op = codes_[code].name;
    if (Status status = Spend(node.source_op.size()); !status) return status;
    auto inputs = ReadIndices(entry, tflite::op::kInputs, "operator inputs", -1);
    if (!inputs) return tl::unexpected(inputs.error());
    node.inputs = *std::move(inputs);
    auto outputs = ReadIndices(entry, tflite::op::kOutputs, "operator outputs", 0);
    if (!outputs) return tl::unexpected(outputs.error());
    node.outputs = *std::move(outputs);

    tflite::OperatorSource source;
    source.code = codes_[code].code;
    source.options_type = entry.Scalar<uint8_t>(tflite::op::kOptionsType, tflite::kNoOptions);
    source.options = entry.Table(tflite::op::kOptions, "operator options");
    if (!file_.ok()) return {};
    if (Status status = tflite::LowerOperator(graph_, facts_, source, &node); !status) {
      return status;
    }
    graph_.nodes.push_back(std::move(node));
    return {};
  }

  // Further graphs hold the branches of control flow, or other entry points of the model.
  Status ReadFurtherSubgraphs(const FlatTableVector& subgraphs) {
    for (size_t i = 1; i < subgraphs.size() && file_.ok(); ++i) {
      if (Status status = Spend(sizeof(Node)); !status) return status;
      auto name = ReadText(subgraphs[i], tflite::subgraph::kName, "subgraph name");
      if (!name) return tl::unexpected(name.error());
      Node node;
      node.index = static_cast<int>(graph_.nodes.size());
      node.source_op = fmt::format("SUBGRAPH {}", i);
      node.unsupported_why =
          fmt::format("a further graph '{}' (the file holds {}); only one is supported", *name,
                      subgraphs.size());
      graph_.nodes.push_back(std::move(node));
    }
    return {};
  }

  FlatBuffer file_;
  uint64_t budget_;
  std::vector<OperatorCode> codes_;
  std::vector<std::span<const uint8_t>> buffers_;
  std::vector<tflite::TensorFacts> facts_;
  Graph graph_;
};

Result<Graph> Import(std::span<const uint8_t> bytes, const std::string& label, std::string name) {
  Result<Graph> graph = Importer(bytes, std::move(name)).Run();
  if (!graph) return Fail("{}: {}", label, graph.error().message);
  return graph;
}

}  // namespace

Result<Graph> ImportTflite(const std::string& path) {
  const Result<std::vector<uint8_t>> bytes = ReadFile(path);
  if (!bytes) return tl::unexpected(bytes.error());
  return Import(*bytes, path, std::filesystem::path(path).filename().string());
}

Result<Graph> ImportTfliteBuffer(std::span<const uint8_t> bytes, std::string name) {
  const std::string label = name;
  return Import(bytes, label, std::move(name));
}

Status RequireSupported(const Graph& graph) {
  const Node* first = nullptr;
  size_t count = 0;
  for (const Node& node : graph.nodes) {
    if (node.kind != OpKind::kUnsupported) continue;
    if (first == nullptr) first = &node;
    ++count;
  }
  if (first == nullptr) return {};
  std::string result;
  if (!first->outputs.empty()) {
    const int index = first->outputs[0];
    result = fmt::format(", which computes tensor {} '{}',", index,
                         graph.tensors[static_cast<size_t>(index)].name);
  }
  std::string more;
  if (count > 1) {
    more = fmt::format(" (and {} more unsupported operators; 'weft info' lists them)", count - 1);
  }
  return Fail("{}: operator {} ({}){} is not supported: {}{}", graph.name, first->index,
              first->source_op, result, first->unsupported_why, more);
}

}  // namespace weft
