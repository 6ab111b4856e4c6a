// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy format: magic, version, header length, a header that is a Python dictionary literal
// with the keys descr, fortran_order and shape, then the array's bytes.
#include <cctype>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sw/import/text.h"
#include "weft/io.h"

namespace weft {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxNpyRank = 32;

bool HasMagic(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int32_t>> shape;
};

// Parses the header's dictionary, which has only strings, booleans and tuples of integers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  // The header, or nothing when it is malformed.
  std::optional<Header> Parse() {
    Header header;
    if (!Take('{')) return std::nullopt;
    while (!Take('}')) {
      const std::optional<std::string> key = String();
      if (!key || !Take(':') || !Value(*key, &header)) return std::nullopt;
      if (!Take(',') && !Peek('}')) return std::nullopt;
    }
    SkipSpace();
    const bool complete = header.descr && header.fortran_order && header.shape && text_.empty();
    return complete ? std::optional<Header>(header) : std::nullopt;
  }

 private:
  void SkipSpace() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_[0])) != 0) {
      text_.remove_prefix(1);
    }
  }
  bool Peek(char c) {
    SkipSpace();
    return !text_.empty() && text_[0] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string> String() {
    for (char quote : {'\'', '"'}) {
      if (!Take(quote)) continue;
      const size_t end = text_.find(quote);
      if (end == std::string_view::npos) return std::nullopt;
      std::string value(text_.substr(0, end));
      text_.remove_prefix(end + 1);
      return value;
    }
    return std::nullopt;
  }

  std::optional<int32_t> Integer() {
    SkipSpace();
    int64_t value = 0;
    size_t digits = 0;
    while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9') {
      value = value * 10 + (text_[digits++] - '0');
      if (value > std::numeric_limits<int32_t>::max()) return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    text_.remove_prefix(digits);
    return static_cast<int32_t>(value);
  }

  std::optional<std::vector<int32_t>> Tuple() {
    if (!Take('(')) return std::nullopt;
    std::vector<int32_t> values;
    while (!Take(')')) {
      const std::optional<int32_t> value = Integer();
      if (!value || values.size() == kMaxNpyRank) return std::nullopt;
      values.push_back(*value);
      if (!Take(',') && !Peek(')')) return std::nullopt;
    }
    return values;
  }

  bool Value(const std::string& key, Header* header) {
    if (key == "descr") {
      header->descr = String();
      return header->descr.has_value();
    }
    if (key == "shape") {
      header->shape = Tuple();
      return header->shape.has_value();
    }
    if (key != "fortran_order") return false;
    if (TakeWord("True")) {
      header->fortran_order = true;
    } else if (TakeWord("False")) {
      header->fortran_order = false;
    }
    return header->fortran_order.has_value();
  }

  std::string_view text_;
};

// The type of a NumPy type code such as "<f4" or "|i1"; kOther when it has no counterpart here.
DType TypeFromDescr(std::string_view descr) {
  struct Code {
    const char* kind_and_size;
    DType type;
  };
  constexpr Code kCodes[] = {{"i1", DType::kInt8},   {"u1", DType::kUint8}, {"b1", DType::kBool},
                             {"i2", DType::kInt16},  {"i4", DType::kInt32}, {"i8", DType::kInt64},
                             {"f4", DType::kFloat32}};
  if (descr.size() != 3) return DType::kOther;
  for (const Code& code : kCodes) {
    if (descr.substr(1) != code.kind_and_size) continue;
    const bool any_order = DTypeSize(code.type) == 1 && std::strchr("|<>=", descr[0]) != nullptr;
    if (any_order || descr[0] == '<' || descr[0] == '=') return code.type;
  }
  return DType::kOther;
}

std::string Describe(DType type, const std::vector<int32_t>& shape) {
  return fmt::format("{} [{}]", DTypeName(type), fmt::join(shape, ", "));
}

}  // namespace

Result<NpyArray> ParseNpy(std::span<const uint8_t> bytes, const std::string& name) {
  if (!HasMagic(bytes)) return Fail("{}: not a NumPy .npy file", name);
  // Version 1 has a 16-bit header length, versions 2 and 3 a 32-bit one.
  constexpr size_t kLengthAt = 8;
  const int version = bytes.size() > kMagic.size() ? bytes[kMagic.size()] : 0;
  const size_t length_size = version == 1 ? 2 : 4;
  if (bytes.size() < kLengthAt + length_size) return Fail("{}: truncated .npy header", name);
  if (version < 1 || version > 3) return Fail("{}: .npy version {} is not known", name, version);
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + kLengthAt, length_size);
  const std::span<const uint8_t> rest = bytes.subspan(kLengthAt + length_size);
  if (length > rest.size()) return Fail("{}: truncated .npy header", name);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
  const std::optional<Header> header = HeaderParser(text).Parse();
  if (!header) return Fail("{}: malformed .npy header", name);
  if (*header->fortran_order && header->shape->size() > 1) {
    return Fail("{}: array in Fortran order; save it with numpy.ascontiguousarray", name);
  }

  Tensor layout;
  layout.type = TypeFromDescr(*header->descr);
  layout.shape = *header->shape;
  if (layout.type == DType::kOther) {
    return Fail(
        "{}: .npy type '{}' is not supported (little-endian int8 to int64, uint8, bool and"
        " float32 are)",
        name, PrintableUtf8(*header->descr));
  }
  const int64_t count = layout.ElementCount();
  const std::span<const uint8_t> data = rest.subspan(length);
  if (count > static_cast<int64_t>(data.size()) || layout.ByteCount() != data.size()) {
    return Fail("{}: header says {}, but {} bytes of data follow", name,
                Describe(layout.type, layout.shape), data.size());
  }
  return NpyArray{layout.type, layout.shape, {data.begin(), data.end()}};
}

Result<std::vector<uint8_t>> ReadTensorFile(const std::string& path, const Tensor& expected) {
  Result<std::vector<uint8_t>> bytes = ReadFile(path);
  if (!bytes) return bytes;
  const std::string wanted =
      fmt::format("'{}' needs {}", expected.name, Describe(expected.type, expected.shape));
  if (std::filesystem::path(path).extension() == ".npy" || HasMagic(*bytes)) {
    Result<NpyArray> array = ParseNpy(*bytes, path);
    if (!array) return tl::unexpected(array.error());
    if (array->type != expected.type || array->shape != expected.shape) {
      return Fail("{}: {}, the file holds {}", path, wanted, Describe(array->type, array->shape));
    }
    return std::move(array->data);
  }
  if (bytes->size() != expected.ByteCount()) {
    return Fail("{}: {} = {} bytes, the file holds {} bytes", path, wanted, expected.ByteCount(),
                bytes->size());
  }
  return bytes;
}

}  // namespace weft
