// SPDX-License-Identifier: Apache-2.0
//
// Stage scratchpad: activation bytes and the weight ring. Banks are not modelled: they cost time,
// not values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::functional {

/// Four bytes of a record or table in the weight ring, or of a job ring entry.
inline int32_t LittleEndianWord(const uint8_t* bytes) {
  return static_cast<int32_t>(uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 |
                              uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24);
}

/// Bytes [begin, end) of the scratchpad.
struct ByteRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
};

class Scratchpad {
 public:
  explicit Scratchpad(uint32_t bytes) : bytes_(bytes) {}

  uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }

  /// `count` bytes from `address`, or nothing when they are not all inside.
  std::optional<ByteRange> Range(int64_t address, int64_t count) const {
    if (address < 0 || count < 0 || address + count > size()) return std::nullopt;
    return ByteRange{static_cast<uint32_t>(address), static_cast<uint32_t>(address + count)};
  }

  std::span<uint8_t> Bytes(ByteRange range) {
    return std::span(bytes_).subspan(range.begin, range.size());
  }

  /// The byte at an address, and those after it, as activations.
  const int8_t* At(int64_t address) const {
    return reinterpret_cast<const int8_t*>(bytes_.data() + address);
  }
  int8_t* At(int64_t address) { return reinterpret_cast<int8_t*>(bytes_.data() + address); }

 private:
  std::vector<uint8_t> bytes_;
};

/// Weights in the order of use. Positions count words from the job's start; commands name them
/// modulo 2^16. Executed in stream order, the ring holds exactly the words that are written and not
/// yet released; a stream that reads others would read garbage or wait for ever.
class WeightRing {
 public:
  explicit WeightRing(const HardwareConfig& config);

  void BeginJob();

  /// An error unless `words` more fit into what earlier commands have released.
  Status CheckSpace(int64_t words) const;
  void Append(std::span<const uint8_t> bytes);
  /// Words since the job's start.
  uint64_t written() const { return written_; }

  /// The full position of `position` (modulo 2^16), if `words` words from there are in the ring.
  Result<uint64_t> Find(int64_t position, uint64_t words) const;

  /// Copies words out; Find() has found them.
  void Read(uint64_t position, std::span<uint8_t> out) const;

  /// Frees everything before `position`.
  void Release(uint64_t position);

 private:
  uint64_t word_bytes_;
  uint64_t words_;
  std::vector<uint8_t> bytes_;
  uint64_t written_ = 0;
  uint64_t released_ = 0;
};

}  // namespace weft::functional
