// SPDX-License-Identifier: Apache-2.0
//
// Program files: what is written is read back, and nothing else is accepted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "sw/command/codec.h"
#include "tb/lib/seed.h"
#include "weft/io.h"
#include "weft/program.h"

namespace weft {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kHeader = 64, kTrailer = 68;

// A small program with something in every field.
Program Example() {
  Program program;
  program.model_name = "example.tflite";
  program.config_name = "weft256";
  program.config_hash = 0x12345678;
  program.rounding = Rounding::kSingle;
  program.images = 3;
  program.memory.resize(256, 0x5A);
  program.stream_offset = 64;
  const std::vector<Command> stream = {LoadWeightsCmd{.region = 0, .offset = 0, .words = 2},
                                       EndCmd{}};
  for (size_t i = 0; i < stream.size(); ++i) {
    const std::span<uint8_t> at(&program.memory[64 + i * kCommandBytes], kCommandBytes);
    Encode(stream[i], at.first<kCommandBytes>());
  }
  program.stream_commands = 2;
  program.region_bytes[kRegionProgram] = 256;
  program.region_bytes[kRegionInput] = 3 * 64;
  program.region_bytes[kRegionOutput] = 3 * 64;
  program.region_bytes[kRegionArena] = 1000;
  program.region_bytes[kRegionMarks] = 128;
  TensorBinding input;
  input.name = "input";
  input.type = DType::kFloat32;
  input.shape = {3, 2, 4, 5};
  input.scale = 0.125f;
  input.zero_point = -3;
  input.tensor = 7;
  input.place = {TensorPlace::Where::kMemory, kRegionInput, 16, 2, 20, 28, 5};
  input.image_stride = 64;
  program.inputs = {input};
  TensorBinding output = input;
  output.name = "output \xC3\xA4";
  output.type = DType::kInt8;
  output.shape = {3, 10};
  output.place = {TensorPlace::Where::kMemory, kRegionOutput, 0, 1, 10, 0};
  program.outputs = {output};
  ProgramLayer layer;
  layer.name = "conv";
  layer.op = "CONV_2D";
  layer.source_ops = {0, 1};
  layer.output_shape = {1, 2, 2, 4};
  layer.macs = 123456789012;
  layer.output_tensor = 9;
  layer.output = {TensorPlace::Where::kScratchpad, 0, 4096, 2, 8, 24};
  layer.fused_tensors = {8};
  program.layers = {layer, layer};
  program.layers[1].output = {};
  return program;
}

bool Same(const TensorPlace& a, const TensorPlace& b) {
  return a.where == b.where && a.region == b.region && a.offset == b.offset && a.rows == b.rows &&
         a.row_bytes == b.row_bytes && a.pitch == b.pitch && a.column_pixel == b.column_pixel;
}
bool Same(const TensorBinding& a, const TensorBinding& b) {
  return a.name == b.name && a.type == b.type && a.shape == b.shape && a.scale == b.scale &&
         a.zero_point == b.zero_point && a.tensor == b.tensor && Same(a.place, b.place) &&
         a.image_stride == b.image_stride;
}
bool Same(const ProgramLayer& a, const ProgramLayer& b) {
  return a.name == b.name && a.op == b.op && a.source_ops == b.source_ops &&
         a.output_shape == b.output_shape && a.macs == b.macs &&
         a.output_tensor == b.output_tensor && Same(a.output, b.output) &&
         a.fused_tensors == b.fused_tensors;
}
template <typename T>
bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return Same(x, y); });
}
bool Same(const Program& a, const Program& b) {
  return a.model_name == b.model_name && a.config_name == b.config_name &&
         a.config_hash == b.config_hash && a.rounding == b.rounding && a.images == b.images &&
         a.memory == b.memory && a.stream_offset == b.stream_offset &&
         a.stream_commands == b.stream_commands &&
         std::equal(std::begin(a.region_bytes), std::end(a.region_bytes), b.region_bytes) &&
         Same(a.inputs, b.inputs) && Same(a.outputs, b.outputs) && Same(a.layers, b.layers);
}

// CRC-32, bit by bit.
uint32_t Crc(const std::vector<uint8_t>& bytes, size_t count) {
  uint32_t crc = 0xFFFFFFFF;
  for (size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
  }
  return ~crc;
}

void PutWord(std::vector<uint8_t>& bytes, size_t at, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

// Makes the CRC agree again after a change.
void Repair(std::vector<uint8_t>& bytes) {
  PutWord(bytes, bytes.size() - 4, Crc(bytes, bytes.size() - 4), 4);
}

class ProgramFile : public ::testing::Test {
 protected:
  ProgramFile() {
    folder_ =
        std::filesystem::temp_directory_path() / ("weft_program_file_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "model.weft").string();
  }
  ~ProgramFile() override { std::filesystem::remove_all(folder_); }

  std::vector<uint8_t> Saved(const Program& program) {
    const Status saved = SaveProgram(program, path_);
    EXPECT_TRUE(saved) << saved.error().message;
    return *ReadFile(path_);
  }
  Result<Program> LoadBytes(const std::vector<uint8_t>& bytes) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
    return LoadProgram(path_);
  }
  // The message with which these bytes are refused; it begins with the path.
  std::string Refusal(const std::vector<uint8_t>& bytes) {
    const Result<Program> program = LoadBytes(bytes);
    if (program) return "accepted";
    EXPECT_EQ(program.error().message.rfind(path_ + ": ", 0), 0u) << program.error().message;
    return program.error().message;
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(ProgramFile, RoundTrip) {
  const Program program = Example();
  const Result<Program> back = LoadBytes(Saved(program));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(Same(program, *back));
}

TEST_F(ProgramFile, SameProgramSameBytes) { EXPECT_EQ(Saved(Example()), Saved(Example())); }

// The worked example of docs/program_file.md.
TEST_F(ProgramFile, WorkedExample) {
  Program program = Example();
  program.model_name = "m";
  program.rounding = Rounding::kDouble;
  program.images = 1;
  for (uint64_t& bytes : program.region_bytes) bytes = 0;
  program.region_bytes[kRegionProgram] = 256;
  program.inputs.clear();
  program.outputs.clear();
  program.layers.clear();
  std::vector<uint8_t> expected = {0x57, 0x45, 0x46, 0x54, 0x50, 0x52, 0x47, 0x0A, 0x02, 0,
                                   0,    0,    0x78, 0x56, 0x34, 0x12, 0x04, 0x02, 0,    0,
                                   0,    0,    0,    0,    0x80, 0,    0,    0,    0,    0,
                                   0,    0,    0x00, 0x01, 0,    0,    0,    0,    0,    0};
  expected.resize(64);
  const std::vector<uint8_t> metadata = {
      0x01, 0, 0, 0,    0x6D, 0x07, 0, 0, 0, 0x77, 0x65, 0x66, 0x74, 0x32, 0x35, 0x36, 0x00, 0x01,
      0,    0, 0, 0x40, 0,    0,    0, 0, 0, 0,    0,    0x02, 0,    0,    0,    0x00, 0x01};
  expected.insert(expected.end(), metadata.begin(), metadata.end());
  expected.resize(64 + 128);
  expected.insert(expected.end(), program.memory.begin(), program.memory.end());
  expected.resize(expected.size() + kTrailer);
  Repair(expected);
  EXPECT_EQ(Saved(program), expected);
}

TEST_F(ProgramFile, HeaderIsAsDocumented) {
  const std::vector<uint8_t> bytes = Saved(Example());
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 8), "WEFTPRG\n");
  const std::vector<uint8_t> expected = {2, 0, 0, 0, 0x78, 0x56, 0x34, 0x12};
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin() + 8, bytes.begin() + 16), expected);
  EXPECT_EQ(bytes[16] | bytes[17] << 8, static_cast<int>(bytes.size()));
  const size_t metadata = bytes[24] | bytes[25] << 8;
  EXPECT_EQ(bytes[32] | bytes[33] << 8, 256);
  EXPECT_EQ(metadata % 64, 0u);
  EXPECT_EQ(bytes.size(), kHeader + metadata + 256 + kTrailer);
  EXPECT_EQ(bytes[kHeader + metadata], 0x5A);  // the image
  // A copy with the CRC computed here is the same file.
  std::vector<uint8_t> repaired = bytes;
  Repair(repaired);
  EXPECT_EQ(repaired, bytes);
}

TEST_F(ProgramFile, EveryTruncationIsRefused) {
  const std::vector<uint8_t> bytes = Saved(Example());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_NE(Refusal({bytes.begin(), bytes.begin() + static_cast<long>(size)}), "accepted")
        << size;
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(Refusal(longer), HasSubstr("truncated or damaged"));
}

TEST_F(ProgramFile, AFlippedBitInAnyByteIsRefused) {
  testing::Rng rng;
  const std::vector<uint8_t> bytes = Saved(Example());
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] = static_cast<uint8_t>(damaged[at] ^ 1 << rng.Int(0, 7));
    ASSERT_NE(Refusal(damaged), "accepted") << "byte " << at;
  }
}

// Damage a CRC does not see, made on purpose: read without a crash, and then either refused or as
// legal as any.
TEST_F(ProgramFile, ForgedFilesAreReadSafely) {
  testing::Rng rng;
  const std::vector<uint8_t> bytes = Saved(Example());
  int refused = 0;
  for (int trial = 0; trial < 600; ++trial) {
    std::vector<uint8_t> forged = bytes;
    for (int64_t changes = rng.Int(1, 3); changes > 0; --changes) {
      const size_t at = static_cast<size_t>(rng.Int(8, static_cast<int64_t>(forged.size()) - 5));
      forged[at] = static_cast<uint8_t>(rng.Chance(0.5) ? 0xFF : rng.Bits());
    }
    Repair(forged);
    const Result<Program> program = LoadBytes(forged);
    if (!program) {
      ++refused;
    } else {
      EXPECT_TRUE(Disassemble(*program));
    }
  }
  EXPECT_GT(refused, 100);
}

// Metadata cut short, with sizes and CRC that agree.
TEST_F(ProgramFile, MetadataThatEndsEarlyIsRefused) {
  const std::vector<uint8_t> bytes = Saved(Example());
  const size_t metadata = bytes[24] | bytes[25] << 8;
  for (size_t kept = 0; kept < metadata; kept += 64) {
    std::vector<uint8_t> forged = bytes;
    forged.erase(forged.begin() + static_cast<long>(kHeader + kept),
                 forged.begin() + static_cast<long>(kHeader + metadata));
    PutWord(forged, 16, forged.size(), 8);
    PutWord(forged, 24, kept, 8);
    Repair(forged);
    EXPECT_THAT(Refusal(forged), HasSubstr("does not fill its section")) << kept;
  }
}

TEST_F(ProgramFile, MessagesSayWhatIsWrong) {
  const std::vector<uint8_t> bytes = Saved(Example());
  EXPECT_THAT(Refusal({'T', 'F', 'L', '3'}), HasSubstr("not a Weft program file"));
  std::vector<uint8_t> other = bytes;
  other[8] = 9;
  EXPECT_THAT(Refusal(other), AllOf(HasSubstr("version 9"), HasSubstr("compile the model again")));
  other = bytes;
  other[100] ^= 1;
  EXPECT_THAT(Refusal(other), HasSubstr("CRC"));
  other = bytes;
  other[63] = 1;
  Repair(other);
  EXPECT_THAT(Refusal(other), HasSubstr("reserved bytes"));
  other = bytes;
  other[other.size() - 10] = 1;
  Repair(other);
  EXPECT_THAT(Refusal(other), HasSubstr("signed"));
  const Result<Program> missing = LoadProgram((folder_ / "none.weft").string());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("none.weft"));
}

TEST_F(ProgramFile, ImpossibleProgramsAreNeitherSavedNorLoaded) {
  struct Case {
    std::string message;
    std::function<void(Program&)> change;
  };
  const std::vector<Case> cases = {
      {"rounding", [](Program& p) { p.rounding = static_cast<Rounding>(2); }},
      {"number of images is 0", [](Program& p) { p.images = 0; }},
      {"region 3 would need", [](Program& p) { p.region_bytes[3] = uint64_t{1} << 41; }},
      {"larger than its region", [](Program& p) { p.region_bytes[0] = 255; }},
      {"stream of 0 commands", [](Program& p) { p.stream_commands = 0; }},
      {"stream of 2 commands at offset 32", [](Program& p) { p.stream_offset = 32; }},
      {"stream of 7 commands", [](Program& p) { p.stream_commands = 7; }},
      {"at offset 18446744073709551552",
       [](Program& p) { p.stream_offset = std::numeric_limits<uint64_t>::max() - 63; }},
      {"input 0 ('input'): its type", [](Program& p) { p.inputs[0].type = DType::kInt64; }},
      {"scale", [](Program& p) { p.inputs[0].scale = 0; }},
      {"scale", [](Program& p) { p.inputs[0].scale = std::numeric_limits<float>::quiet_NaN(); }},
      {"zero point 128", [](Program& p) { p.inputs[0].zero_point = 128; }},
      {"does not lie in memory",
       [](Program& p) { p.inputs[0].place.where = TensorPlace::Where::kScratchpad; }},
      {"region 5 does not exist", [](Program& p) { p.inputs[0].place.region = 5; }},
      {"empty", [](Program& p) { p.inputs[0].place.rows = 0; }},
      {"rows overlap", [](Program& p) { p.inputs[0].place.pitch = 19; }},
      {"ends beyond the 192 bytes", [](Program& p) { p.inputs[0].place.offset = 17; }},
      {"ends beyond the 192 bytes", [](Program& p) { p.inputs[0].image_stride = 65; }},
      {"ends beyond the 192 bytes",
       [](Program& p) { p.inputs[0].image_stride = std::numeric_limits<uint64_t>::max(); }},
      {"shape does not agree", [](Program& p) { p.inputs[0].shape[3] = 6; }},
      {"shape does not agree", [](Program& p) { p.inputs[0].shape[3] = 0; }},
      {"shape does not agree", [](Program& p) { p.inputs[0].shape.assign(9, 0x7FFFFFFF); }},
      {"columns of 20 bytes are not made of pixels of 6",
       [](Program& p) { p.inputs[0].place.column_pixel = 6; }},
      {"output 0 ('output \xC3\xA4'): it lies column by column",
       [](Program& p) { p.outputs[0].place.column_pixel = 5; }},
      {"output 0", [](Program& p) { p.outputs[0].scale = -1; }},
      {"layer 1 ('conv'): its place is of unknown kind 3",
       [](Program& p) { p.layers[1].output.where = static_cast<TensorPlace::Where>(3); }},
      {"layer 0 ('conv'): its number", [](Program& p) { p.layers[0].macs = -1; }},
      {"shape is impossible", [](Program& p) { p.layers[0].output_shape[2] = -4; }},
      {"ends beyond the 2097152 bytes", [](Program& p) { p.layers[0].output.offset = 1 << 21; }},
  };
  for (const Case& c : cases) {
    Program program = Example();
    c.change(program);
    const Status saved = SaveProgram(program, path_);
    ASSERT_FALSE(saved) << c.message;
    EXPECT_THAT(saved.error().message, AllOf(HasSubstr(path_), HasSubstr(c.message)));
  }
  // Loading applies the same checks: a file whose `images` is 0. It follows the two names and the
  // rounding mode.
  std::vector<uint8_t> bytes = Saved(Example());
  const size_t at =
      kHeader + 4 + Example().model_name.size() + 4 + Example().config_name.size() + 1;
  ASSERT_EQ(bytes[at], 3);
  bytes[at] = 0;
  Repair(bytes);
  EXPECT_THAT(Refusal(bytes), HasSubstr("number of images is 0"));
}

TEST_F(ProgramFile, DisassemblyShowsEveryCommandAndTheBadOnes) {
  Program program = Example();
  Result<std::string> text = Disassemble(program);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "     0  LOAD_WEIGHTS region=0 offset=0 words=2\n     1  END\n");
  program.memory[64 + 31] = 0x80;
  program.memory[96] = 0xEE;
  text = Disassemble(program);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("     0  ?? LOAD_WEIGHTS: reserved bit 255 is set: 11 00 "));
  EXPECT_THAT(*text, HasSubstr("     1  ?? opcode 0xee is not defined: ee 00"));
  program.stream_commands = 100;
  EXPECT_FALSE(Disassemble(program));
}

}  // namespace
}  // namespace weft
