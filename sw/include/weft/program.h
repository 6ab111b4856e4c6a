// SPDX-License-Identifier: Apache-2.0
//
// A compiled program: what the compiler makes, the program file holds, the runtime loads and the
// devices execute. A program computes one image; a model with a batch of N runs as N jobs.
//
//   Result<Program> program = weft::Compile(graph, config, options);     // weft/compile.h
//   Status saved = weft::SaveProgram(*program, "model.weft");            // this header
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weft/graph.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft {

/// Memory regions of a program; the numbers are those in commands (docs/architecture.md).
enum Region : uint8_t {
  kRegionProgram = 0,
  kRegionInput,
  kRegionOutput,
  kRegionArena,
  kRegionMarks
};
inline constexpr int kNumRegions = 5;

/// Where the bytes of one image of a tensor lie: `rows` rows of `row_bytes`, `pitch` bytes apart.
/// NHWC: rows = H and row_bytes = W * C, or the whole tensor as one row.
struct TensorPlace {
  enum class Where : uint8_t { kNowhere, kMemory, kScratchpad };
  Where where = Where::kNowhere;
  uint8_t region = 0;   ///< kMemory
  uint64_t offset = 0;  ///< bytes from the region's base, or scratchpad address
  uint32_t rows = 0;
  uint32_t row_bytes = 0;
  uint32_t pitch = 0;
  /// Not 0: rows are the columns of the image (NWHC), of pixels of so many bytes; inputs only.
  uint32_t column_pixel = 0;
};

/// A graph input or output as the host sees it. Shape is that of the whole batch.
struct TensorBinding {
  std::string name;
  DType type = DType::kInt8;  ///< what the host hands over or receives: int8 or float32
  std::vector<int32_t> shape;
  float scale = 1.0f;  ///< of the int8 tensor on the device
  int32_t zero_point = 0;
  int tensor = -1;            ///< index of the int8 tensor in Graph::tensors
  TensorPlace place;          ///< of image 0
  uint64_t image_stride = 0;  ///< bytes between images in the region
};

/// One layer after fusion; layer i ends with MARK number i.
struct ProgramLayer {
  std::string name;                   ///< name of the output tensor
  std::string op;                     ///< TFLite spelling of the main operator, or A+B+C
  std::vector<int> source_ops;        ///< Node::index of every operator it covers
  std::vector<int32_t> output_shape;  ///< of one image, NHWC
  int64_t macs = 0;                   ///< of one image
  int output_tensor = -1;             ///< index in Graph::tensors
  TensorPlace output;              ///< valid when the layer's MARK retires; kNowhere: never whole
  std::vector<int> fused_tensors;  ///< tensors of covered operators that are never materialised
};

struct Program {
  std::string model_name;
  std::string config_name;
  uint32_t config_hash = 0;
  Rounding rounding = Rounding::kDouble;
  int images = 1;               ///< batch
  std::vector<uint8_t> memory;  ///< initial contents of region 0: commands, weights
  uint64_t stream_offset = 0;   ///< of the command stream in region 0; multiple of 64
  uint32_t stream_commands = 0;
  uint64_t region_bytes[kNumRegions] = {};  ///< size each region needs (whole batch)
  std::vector<TensorBinding> inputs;
  std::vector<TensorBinding> outputs;
  std::vector<ProgramLayer> layers;
};

/// Bytes of one MARK snapshot in region kRegionMarks; layer i's lies at i * kMarkBytes.
inline constexpr int kMarkBytes = 64;

/// Program file: format in docs/program_file.md. Written to a temporary file and renamed.
Status SaveProgram(const Program& program, const std::string& path);
/// Refuses, with the reason: another magic or version, truncation, a wrong CRC, impossible sizes.
Result<Program> LoadProgram(const std::string& path);

/// One line per command: index, name, fields. Reserved bits that are set are shown.
Result<std::string> Disassemble(const Program& program);

}  // namespace weft
