// SPDX-License-Identifier: Apache-2.0
//
// Writes small .tflite files for tests, independent of the importer: field numbers and layout are
// stated here a second time, on purpose. Two layers:
//   - Table: a flatbuffer table as a tree; Serialize() lays it out front to back.
//   - ModelBuilder: tensors and operators of one graph, for example
//
//   ModelBuilder model;
//   int x = model.Input("x", {1, 4, 4, 8});
//   int w = model.Weights("w", {2, 1, 1, 8});
//   int y = model.Activation("y", {1, 4, 4, 2});
//   model.Operator(3 /* CONV_2D */, {x, w, -1}, {y}, 1, Table().I8(0, 1).I32(1, 1).I32(2, 1));
//   model.Output(y);
//   std::vector<uint8_t> file = model.Build();
//
// Every tensor and operator stays open to change through the fluent members of Table, so a test
// can contradict the format in exactly one place.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weft::testing {

/// A flatbuffer table under construction. Setting a field again replaces it.
class Table {
 public:
  template <typename T>
  Table& Scalar(int field, T value) {
    Field& f = Reset(field, Kind::kScalar);
    f.bytes.resize(sizeof(T));
    std::memcpy(f.bytes.data(), &value, sizeof(T));
    return *this;
  }
  Table& I8(int field, int8_t value) { return Scalar(field, value); }
  Table& I32(int field, int32_t value) { return Scalar(field, value); }
  Table& F32(int field, float value) { return Scalar(field, value); }

  template <typename T>
  Table& Vector(int field, const std::vector<T>& values) {
    Field& f = Reset(field, Kind::kVector);
    f.bytes.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(f.bytes.data(), values.data(), f.bytes.size());
    f.count = static_cast<uint32_t>(values.size());
    f.element_size = sizeof(T);
    return *this;
  }
  Table& String(int field, const std::string& text) {
    Reset(field, Kind::kVector);
    Field& f = fields_[field];
    f.bytes.assign(text.begin(), text.end());
    f.count = static_cast<uint32_t>(text.size());
    f.bytes.push_back(0);
    return *this;
  }
  Table& Child(int field, Table child) {
    Reset(field, Kind::kTable).children = {std::move(child)};
    return *this;
  }
  Table& Children(int field, std::vector<Table> children) {
    Reset(field, Kind::kTables).children = std::move(children);
    return *this;
  }
  Table& Remove(int field) {
    fields_.erase(field);
    return *this;
  }
  /// The child table set before, to change it.
  Table& At(int field) { return fields_.at(field).children.at(0); }

  /// A whole file with this table as its root.
  std::vector<uint8_t> Serialize(const char (&identifier)[5]) const {
    std::vector<uint8_t> out(8);
    std::memcpy(out.data() + 4, identifier, 4);
    const uint32_t root = static_cast<uint32_t>(Write(&out));
    std::memcpy(out.data(), &root, sizeof(root));
    return out;
  }

 private:
  enum class Kind { kScalar, kVector, kTable, kTables };
  struct Field {
    Kind kind = Kind::kScalar;
    std::vector<uint8_t> bytes;
    uint32_t count = 0;
    size_t element_size = 1;
    std::vector<Table> children;
  };

  Field& Reset(int field, Kind kind) {
    fields_[field] = Field{kind, {}, 0, 1, {}};
    return fields_[field];
  }

  static void Align(std::vector<uint8_t>* out, size_t alignment, size_t offset = 0) {
    while ((out->size() + offset) % alignment != 0) out->push_back(0);
  }
  template <typename T>
  static void Append(std::vector<uint8_t>* out, T value) {
    const size_t at = out->size();
    out->resize(at + sizeof(T));
    std::memcpy(out->data() + at, &value, sizeof(T));
  }
  static void Patch(std::vector<uint8_t>* out, size_t at, size_t target) {
    const uint32_t offset = static_cast<uint32_t>(target - at);
    std::memcpy(out->data() + at, &offset, sizeof(offset));
  }

  // Appends vtable, table, then what its offsets lead to; returns the table's position.
  size_t Write(std::vector<uint8_t>* out) const {
    const int entries = fields_.empty() ? 0 : fields_.rbegin()->first + 1;
    std::vector<uint16_t> offsets(static_cast<size_t>(entries), 0);
    uint16_t size = 4;
    for (const auto& [number, field] : fields_) {
      const size_t bytes = field.kind == Kind::kScalar ? field.bytes.size() : 4;
      while (size % bytes != 0) ++size;
      offsets[static_cast<size_t>(number)] = size;
      size = static_cast<uint16_t>(size + bytes);
    }
    Align(out, 2);
    const size_t vtable = out->size();
    Append(out, static_cast<uint16_t>(4 + 2 * entries));
    Append(out, size);
    for (uint16_t offset : offsets) Append(out, offset);
    Align(out, 8);
    const size_t table = out->size();
    out->resize(table + size);
    const int32_t to_vtable = static_cast<int32_t>(table - vtable);
    std::memcpy(out->data() + table, &to_vtable, sizeof(to_vtable));
    for (const auto& [number, field] : fields_) {
      const size_t at = table + offsets[static_cast<size_t>(number)];
      WriteField(field, at, out);
    }
    return table;
  }

  static void WriteField(const Field& field, size_t at, std::vector<uint8_t>* out) {
    switch (field.kind) {
      case Kind::kScalar:
        std::memcpy(out->data() + at, field.bytes.data(), field.bytes.size());
        return;
      case Kind::kVector:
        Align(out, 8, 4);  // so that the elements behind the length are aligned
        Patch(out, at, out->size());
        Append(out, field.count);
        out->insert(out->end(), field.bytes.begin(), field.bytes.end());
        return;
      case Kind::kTable: {
        const size_t child = field.children[0].Write(out);
        Patch(out, at, child);
        return;
      }
      case Kind::kTables: {
        Align(out, 4);
        Patch(out, at, out->size());
        Append(out, static_cast<uint32_t>(field.children.size()));
        size_t slot = out->size();
        out->resize(slot + 4 * field.children.size());
        for (const Table& child : field.children) {
          Patch(out, slot, child.Write(out));
          slot += 4;
        }
        return;
      }
    }
  }

  std::map<int, Field> fields_;
};

/// A model of one graph. Tensors and operators are numbered in the order they are added.
class ModelBuilder {
 public:
  // Tensor type codes of the format.
  enum Type : int8_t {
    kFloat32 = 0,
    kInt32 = 2,
    kUint8 = 3,
    kInt64 = 4,
    kInt16 = 7,
    kInt8 = 9,
    kInt4 = 17
  };

  /// A tensor without quantisation; `data` makes it constant.
  int Tensor(const std::string& name, const std::vector<int32_t>& shape, Type type,
             const std::vector<uint8_t>& data = {}) {
    uint32_t buffer = 0;
    if (!data.empty()) {
      buffer = static_cast<uint32_t>(buffers.size());
      buffers.push_back(Table().Vector<uint8_t>(0, data));
    }
    Table tensor;
    tensor.Vector(0, shape).I8(1, type).Scalar<uint32_t>(2, buffer).String(3, name);
    tensors.push_back(tensor);
    return static_cast<int>(tensors.size()) - 1;
  }

  static Table Quantization(const std::vector<float>& scales, const std::vector<int64_t>& zeros,
                            int axis = 0) {
    return Table().Vector(2, scales).Vector(3, zeros).I32(6, axis);
  }

  int Activation(const std::string& name, const std::vector<int32_t>& shape, float scale = 0.5f,
                 int64_t zero_point = -3) {
    const int index = Tensor(name, shape, kInt8);
    tensors.back().Child(4, Quantization({scale}, {zero_point}));
    return index;
  }

  int Input(const std::string& name, const std::vector<int32_t>& shape, float scale = 0.5f,
            int64_t zero_point = -3) {
    const int index = Activation(name, shape, scale, zero_point);
    inputs.push_back(index);
    return index;
  }

  /// Constant int8 weights with values 1, 2, 3... and one scale for each entry along `axis`.
  int Weights(const std::string& name, const std::vector<int32_t>& shape, int axis = 0) {
    size_t count = 1;
    for (int32_t dimension : shape) count *= static_cast<size_t>(dimension);
    std::vector<uint8_t> data(count);
    for (size_t i = 0; i < count; ++i) data[i] = static_cast<uint8_t>(i + 1);
    const int index = Tensor(name, shape, kInt8, data);
    const size_t channels = static_cast<size_t>(shape[static_cast<size_t>(axis)]);
    tensors.back().Child(4, Quantization(std::vector<float>(channels, 0.25f),
                                         std::vector<int64_t>(channels, 0), axis));
    return index;
  }

  int Int32s(const std::string& name, const std::vector<int32_t>& shape,
             const std::vector<int32_t>& values) {
    std::vector<uint8_t> data(values.size() * 4);
    std::memcpy(data.data(), values.data(), data.size());
    return Tensor(name, shape, kInt32, data);
  }

  /// Adds an operator by its builtin code, each with an operator code entry of its own.
  void Operator(int32_t code, const std::vector<int32_t>& op_inputs,
                const std::vector<int32_t>& op_outputs, uint8_t options_type = 0,
                const Table& options = Table()) {
    codes.push_back(
        Table().I8(0, static_cast<int8_t>(code > 127 ? 127 : code)).I32(3, code).I32(2, 1));
    Table op;
    op.Scalar<uint32_t>(0, static_cast<uint32_t>(operators.size()));
    op.Vector(1, op_inputs).Vector(2, op_outputs);
    if (options_type != 0) op.Scalar<uint8_t>(3, options_type).Child(4, options);
    operators.push_back(op);
  }

  void Output(int index) { outputs.push_back(index); }

  std::vector<uint8_t> Build() const {
    Table graph;
    graph.Children(0, tensors).Vector(1, inputs).Vector(2, outputs).Children(3, operators);
    std::vector<Table> graphs = {graph};
    graphs.insert(graphs.end(), further_graphs.begin(), further_graphs.end());
    Table model;
    model.Scalar<uint32_t>(0, version).Children(1, codes).Children(2, graphs);
    model.String(3, "made by a test").Children(4, buffers);
    return model.Serialize("TFL3");
  }

  uint32_t version = 3;
  std::vector<Table> codes;
  std::vector<Table> tensors;
  std::vector<Table> operators;
  std::vector<Table> buffers = {Table()};  // by convention the first one is empty
  std::vector<Table> further_graphs;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
};

}  // namespace weft::testing
