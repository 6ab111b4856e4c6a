// SPDX-License-Identifier: Apache-2.0
//
// Files in and out: whole files, and tensors as raw little-endian bytes or NumPy .npy.
//
//   weft::Result<std::vector<uint8_t>> image = weft::ReadTensorFile("cat.npy", graph.tensors[0]);
//   weft::Status written = weft::WriteFileAtomic("out/0.bin", bytes);
//
// Tensor bytes are dense, C order (last dimension fastest), little-endian: what Tensor::data holds.
// Every error message begins with the path.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/graph.h"
#include "weft/result.h"

namespace weft {

/// An array as a .npy file describes it, converted to nothing: dense, C order, little-endian.
struct NpyArray {
  DType type = DType::kOther;
  std::vector<int32_t> shape;
  std::vector<uint8_t> data;
};

/// The whole of a file. Fails on folders and on anything that cannot be read.
Result<std::vector<uint8_t>> ReadFile(const std::string& path);

/// Writes `bytes` beside `path` and renames, so that readers see the old file or the new one and
/// an interrupted run leaves no half-written result. The folder must exist. A symbolic link keeps
/// pointing at its target; a device or pipe is written to directly.
Status WriteFileAtomic(const std::string& path, std::span<const uint8_t> bytes);

/// Parses .npy versions 1 to 3. Refuses Fortran order, big-endian and structured data, and bytes
/// missing or left over. `name` begins every error.
Result<NpyArray> ParseNpy(std::span<const uint8_t> bytes, const std::string& name);

/// The bytes for `expected` from a file. A .npy file (by its extension or its first bytes) must
/// have exactly the expected type and shape; any other file is raw and must have exactly the
/// expected size. The error states what was expected and what was found.
Result<std::vector<uint8_t>> ReadTensorFile(const std::string& path, const Tensor& expected);

}  // namespace weft
