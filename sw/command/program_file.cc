// SPDX-License-Identifier: Apache-2.0
//
// SaveProgram, LoadProgram and Disassemble of weft/program.h. The format is docs/program_file.md.
// What the file holds and in which order is written once, in the Fields() functions: the Writer
// and the Reader both walk them.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>

#include "sw/command/codec.h"
#include "weft/io.h"
#include "weft/program.h"

namespace weft {
namespace {

constexpr std::array<uint8_t, 8> kMagic = {'W', 'E', 'F', 'T', 'P', 'R', 'G', '\n'};
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 64;
constexpr size_t kSignatureBytes = 64;
constexpr size_t kCrcBytes = 4;
constexpr size_t kTrailerBytes = kSignatureBytes + kCrcBytes;
constexpr size_t kImageAlignment = 64;
constexpr uint64_t kMaxRegionBytes = uint64_t{1} << 40;  // an AXI address has 40 bits
constexpr uint32_t kMaxScratchpad = 1u << 21;            // what command fields can address

// CRC-32 of IEEE 802.3 (reflected, polynomial 0x04C11DB7), as zlib computes it.
uint32_t Crc32(std::span<const uint8_t> bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320u : 0u);
      made[i] = c;
    }
    return made;
  }();
  uint32_t crc = 0xFFFFFFFFu;
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF];
  return ~crc;
}

void PutLittleEndian(std::vector<uint8_t>& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint64_t GetLittleEndian(const uint8_t* bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

// An integer or enumeration of up to 64 bits, as a sequence of bytes.
template <typename T>
concept Scalar = std::is_integral_v<T> || std::is_enum_v<T>;

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}

  template <Scalar T>
  void operator()(const T& value) {
    PutLittleEndian(out_, static_cast<uint64_t>(value), sizeof(T));
  }
  void operator()(const float& value) { (*this)(std::bit_cast<uint32_t>(value)); }
  void operator()(const std::string& text) {
    (*this)(static_cast<uint32_t>(text.size()));
    out_.insert(out_.end(), text.begin(), text.end());
  }
  template <typename T>
  void operator()(const std::vector<T>& items) {
    (*this)(static_cast<uint32_t>(items.size()));
    for (const T& item : items) (*this)(item);
  }
  template <typename T>
  requires std::is_class_v<T>
  void operator()(const T& item) { Fields(item, *this); }

 private:
  std::vector<uint8_t>& out_;
};

// Reads what Writer wrote. After the bytes run out every value reads as zero or empty and ok()
// is false; a list grows only as its elements are found, so no count can make it large.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

  template <Scalar T>
  void operator()(T& value) {
    const uint8_t* bytes = Take(sizeof(T));
    value = static_cast<T>(bytes == nullptr ? 0 : GetLittleEndian(bytes, sizeof(T)));
  }
  void operator()(float& value) {
    uint32_t bits = 0;
    (*this)(bits);
    value = std::bit_cast<float>(bits);
  }
  void operator()(std::string& text) {
    uint32_t size = 0;
    (*this)(size);
    const uint8_t* bytes = Take(size);
    text.assign(bytes, bytes == nullptr ? bytes : bytes + size);
  }
  template <typename T>
  void operator()(std::vector<T>& items) {
    uint32_t count = 0;
    (*this)(count);
    items.clear();
    while (ok_ && items.size() < count) (*this)(items.emplace_back());
  }
  template <typename T>
  requires std::is_class_v<T>
  void operator()(T& item) { Fields(item, *this); }

 private:
  const uint8_t* Take(size_t count) {
    if (!ok_ || count > bytes_.size()) {
      ok_ = false;
      return nullptr;
    }
    const uint8_t* taken = bytes_.data();
    bytes_ = bytes_.subspan(count);
    return taken;
  }

  std::span<const uint8_t> bytes_;
  bool ok_ = true;
};

// `Like<T, Whole>`: Whole, const or not; one function serves both directions.
template <typename T, typename Whole>
concept Like = std::same_as<std::remove_const_t<T>, Whole>;

template <Like<TensorPlace> T, typename Archive>
void Fields(T& place, Archive& archive) {
  archive(place.where);
  archive(place.region);
  archive(place.offset);
  archive(place.rows);
  archive(place.row_bytes);
  archive(place.pitch);
  archive(place.column_pixel);
}

template <Like<TensorBinding> T, typename Archive>
void Fields(T& binding, Archive& archive) {
  archive(binding.name);
  archive(binding.type);
  archive(binding.shape);
  archive(binding.scale);
  archive(binding.zero_point);
  archive(binding.tensor);
  archive(binding.place);
  archive(binding.image_stride);
}

template <Like<ProgramLayer> T, typename Archive>
void Fields(T& layer, Archive& archive) {
  archive(layer.name);
  archive(layer.op);
  archive(layer.source_ops);
  archive(layer.output_shape);
  archive(layer.macs);
  archive(layer.output_tensor);
  archive(layer.output);
  archive(layer.fused_tensors);
}

// Everything but the image, which follows by itself, and config_hash, which is in the header.
template <Like<Program> T, typename Archive>
void Fields(T& program, Archive& archive) {
  archive(program.model_name);
  archive(program.config_name);
  archive(program.rounding);
  archive(program.images);
  archive(program.stream_offset);
  archive(program.stream_commands);
  for (auto& bytes : program.region_bytes) archive(bytes);
  archive(program.inputs);
  archive(program.outputs);
  archive(program.layers);
}

// Product of the dimensions, or -1: a dimension below 1, or beyond what a region can hold.
int64_t ElementCount(const std::vector<int32_t>& shape) {
  int64_t count = 1;
  for (const int32_t dimension : shape) {
    if (dimension < 1 || count > static_cast<int64_t>(kMaxRegionBytes) / dimension) return -1;
    count *= dimension;
  }
  return count;
}

// Checks that `images` images of a place lie inside what they are in.
Status CheckPlace(const Program& program, const TensorPlace& place, int images,
                  uint64_t image_stride) {
  if (place.where > TensorPlace::Where::kScratchpad) {
    return Fail("its place is of unknown kind {}", static_cast<int>(place.where));
  }
  if (place.where == TensorPlace::Where::kNowhere) return {};
  uint64_t limit = kMaxScratchpad;
  if (place.where == TensorPlace::Where::kMemory) {
    if (place.region >= kNumRegions) return Fail("its region {} does not exist", place.region);
    limit = program.region_bytes[place.region];
  }
  if (place.rows < 1 || place.row_bytes < 1) return Fail("its place is empty");
  if (place.rows > 1 && place.pitch < place.row_bytes) return Fail("its rows overlap");
  // Each factor of a product is below 2^32, so no sum below reaches 2^64 once both are bounded.
  const uint64_t image = uint64_t{place.rows - 1} * place.pitch + place.row_bytes;
  const uint64_t steps = static_cast<uint64_t>(images) - 1;
  if (image > limit || place.offset > limit - image ||
      (steps > 0 && image_stride > (limit - image - place.offset) / steps)) {
    return Fail("its place ends beyond the {} bytes it lies in", limit);
  }
  return {};
}

Status CheckBinding(const Program& program, const TensorBinding& binding) {
  if (binding.type != DType::kInt8 && binding.type != DType::kFloat32) {
    return Fail("its type is {}, not int8 or float32", static_cast<int>(binding.type));
  }
  if (!std::isfinite(binding.scale) || binding.scale <= 0) return Fail("its scale is not positive");
  if (binding.zero_point < -128 || binding.zero_point > 127) {
    return Fail("its zero point {} is outside int8", binding.zero_point);
  }
  const TensorPlace& place = binding.place;
  if (place.where != TensorPlace::Where::kMemory) return Fail("it does not lie in memory");
  if (Status ok = CheckPlace(program, place, program.images, binding.image_stride); !ok) return ok;
  const int64_t elements = ElementCount(binding.shape);
  const uint64_t image = uint64_t{place.rows} * place.row_bytes;
  if (elements < 0 || static_cast<uint64_t>(elements) % image != 0 ||
      static_cast<uint64_t>(elements) / image != static_cast<uint64_t>(program.images)) {
    return Fail("its shape does not agree with {} images of {} x {} bytes", program.images,
                place.rows, place.row_bytes);
  }
  if (place.column_pixel != 0 && place.row_bytes % place.column_pixel != 0) {
    return Fail("its columns of {} bytes are not made of pixels of {}", place.row_bytes,
                place.column_pixel);
  }
  return {};
}

// What the device computes lies row by row.
Status CheckRowByRow(const TensorPlace& place) {
  return place.column_pixel == 0 ? Status() : Fail("it lies column by column");
}

Status CheckOutput(const Program& program, const TensorBinding& binding) {
  if (Status ok = CheckRowByRow(binding.place); !ok) return ok;
  return CheckBinding(program, binding);
}

Status CheckInput(const Program& program, const TensorBinding& binding) {
  if (binding.tensor >= 0 || binding.place.where != TensorPlace::Where::kNowhere) {
    return CheckBinding(program, binding);
  }
  // An input that nothing reads has no place, and any type.
  if (binding.type >= DType::kOther) return Fail("its type is unknown");
  return ElementCount(binding.shape) < 0 ? Fail("its shape is impossible") : Status();
}

Status CheckLayer(const Program& program, const ProgramLayer& layer) {
  if (Status ok = CheckRowByRow(layer.output); !ok) return ok;
  if (ElementCount(layer.output_shape) < 0) return Fail("its shape is impossible");
  if (layer.macs < 0) return Fail("its number of products is negative");
  return CheckPlace(program, layer.output, 1, 0);
}

// What every later stage takes for granted. Run before saving and after loading.
Status CheckProgram(const Program& program) {
  if (program.rounding > Rounding::kSingle) return Fail("the rounding mode is unknown");
  if (program.images < 1) return Fail("the number of images is {}", program.images);
  for (int i = 0; i < kNumRegions; ++i) {
    if (program.region_bytes[i] > kMaxRegionBytes) {
      return Fail("region {} would need {} bytes", i, program.region_bytes[i]);
    }
  }
  const uint64_t image = program.memory.size();
  if (image > program.region_bytes[kRegionProgram]) {
    return Fail("the image of {} bytes is larger than its region of {}", image,
                program.region_bytes[kRegionProgram]);
  }
  if (program.stream_commands < 1 || program.stream_offset % 64 != 0 ||
      program.stream_offset > image ||
      program.stream_commands > (image - program.stream_offset) / kCommandBytes) {
    return Fail("the stream of {} commands at offset {} does not lie in the image of {} bytes",
                program.stream_commands, program.stream_offset, image);
  }
  const auto check = [&](const char* what, const auto& items, auto&& check_one) -> Status {
    for (size_t i = 0; i < items.size(); ++i) {
      if (Status ok = check_one(program, items[i]); !ok) {
        return Fail("{} {} ('{}'): {}", what, i, items[i].name, ok.error().message);
      }
    }
    return {};
  };
  if (Status ok = check("input", program.inputs, CheckInput); !ok) return ok;
  if (Status ok = check("output", program.outputs, CheckOutput); !ok) return ok;
  return check("layer", program.layers, CheckLayer);
}

std::vector<uint8_t> Serialize(const Program& program) {
  std::vector<uint8_t> metadata;
  Writer write_metadata(metadata);
  write_metadata(program);
  metadata.resize((metadata.size() + kImageAlignment - 1) / kImageAlignment * kImageAlignment);

  std::vector<uint8_t> file;
  file.insert(file.end(), kMagic.begin(), kMagic.end());
  Writer write(file);
  write(kVersion);
  write(program.config_hash);
  write(uint64_t{kHeaderBytes + metadata.size() + program.memory.size() + kTrailerBytes});
  write(uint64_t{metadata.size()});
  write(uint64_t{program.memory.size()});
  file.resize(kHeaderBytes);
  file.insert(file.end(), metadata.begin(), metadata.end());
  file.insert(file.end(), program.memory.begin(), program.memory.end());
  file.resize(file.size() + kSignatureBytes);
  write(Crc32(file));
  return file;
}

Result<Program> Deserialize(std::span<const uint8_t> file) {
  if (file.size() < kMagic.size() || !std::equal(kMagic.begin(), kMagic.end(), file.begin())) {
    return Fail("not a Weft program file");
  }
  if (file.size() < kHeaderBytes + kTrailerBytes) {
    return Fail("truncated: {} bytes do not even hold a header", file.size());
  }
  Program program;
  uint32_t version = 0;
  uint64_t file_bytes = 0, metadata_bytes = 0, image_bytes = 0;
  Reader read(file.subspan(kMagic.size()));
  read(version);
  if (version != kVersion) {
    return Fail("format version {}, this program reads version {}: compile the model again",
                version, kVersion);
  }
  read(program.config_hash);
  read(file_bytes);
  read(metadata_bytes);
  read(image_bytes);
  if (file_bytes != file.size()) {
    return Fail("truncated or damaged: {} bytes long, its header says {}", file.size(), file_bytes);
  }
  const size_t crc_at = file.size() - kCrcBytes;
  const uint32_t stored = static_cast<uint32_t>(GetLittleEndian(&file[crc_at], kCrcBytes));
  if (const uint32_t computed = Crc32(file.first(crc_at)); computed != stored) {
    return Fail("damaged: its CRC is {:08x}, not {:08x} as stored", computed, stored);
  }
  const uint64_t body = file.size() - kHeaderBytes - kTrailerBytes;
  if (metadata_bytes > body || image_bytes != body - metadata_bytes) {
    return Fail("its sections of {} and {} bytes do not fill it", metadata_bytes, image_bytes);
  }
  const auto all_zero = [](std::span<const uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
  };
  const size_t header_used = kHeaderBytes - (read.left() - (file.size() - kHeaderBytes));
  if (!all_zero(file.subspan(header_used, kHeaderBytes - header_used))) {
    return Fail("reserved bytes of its header are not zero");
  }
  if (!all_zero(file.subspan(crc_at - kSignatureBytes, kSignatureBytes))) {
    return Fail("it is signed, and this version cannot check signatures");
  }
  Reader read_metadata(file.subspan(kHeaderBytes, metadata_bytes));
  read_metadata(program);
  if (!read_metadata.ok() || read_metadata.left() >= kImageAlignment) {
    return Fail("its list of tensors and layers does not fill its section");
  }
  const auto image = file.subspan(kHeaderBytes + metadata_bytes, image_bytes);
  program.memory.assign(image.begin(), image.end());
  return program;
}

}  // namespace

Status SaveProgram(const Program& program, const std::string& path) {
  if (Status ok = CheckProgram(program); !ok) return Fail("{}: {}", path, ok.error().message);
  return WriteFileAtomic(path, Serialize(program));
}

Result<Program> LoadProgram(const std::string& path) {
  const Result<std::vector<uint8_t>> file = ReadFile(path);
  if (!file) return tl::unexpected(file.error());
  Result<Program> program = Deserialize(*file);
  if (!program) return Fail("{}: {}", path, program.error().message);
  if (Status ok = CheckProgram(*program); !ok) return Fail("{}: {}", path, ok.error().message);
  return program;
}

Result<std::string> Disassemble(const Program& program) {
  if (Status ok = CheckProgram(program); !ok) return tl::unexpected(ok.error());
  std::string text;
  for (uint32_t i = 0; i < program.stream_commands; ++i) {
    const size_t at = program.stream_offset + size_t{i} * kCommandBytes;
    const std::span<const uint8_t, kCommandBytes> bytes(&program.memory[at], kCommandBytes);
    const Result<Command> command = Decode(bytes);
    if (command) {
      text += fmt::format("{:6}  {}\n", i, Format(*command));
      continue;
    }
    text += fmt::format("{:6}  ?? {}:", i, command.error().message);
    for (const uint8_t byte : bytes) text += fmt::format(" {:02x}", byte);
    text += "\n";
  }
  return text;
}

}  // namespace weft
