// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/scratchpad.h"

#include <algorithm>

namespace weft::functional {

WeightRing::WeightRing(const HardwareConfig& config)
    : word_bytes_(static_cast<uint64_t>(config.weight_word)),
      words_(static_cast<uint64_t>(config.ring_words())),
      bytes_(static_cast<size_t>(config.weight_ring)) {}

void WeightRing::BeginJob() { written_ = released_ = 0; }

Status WeightRing::CheckSpace(int64_t words) const {
  const uint64_t used = written_ - released_;
  if (static_cast<uint64_t>(words) <= words_ - used) return {};
  return Fail("appends {} words to the weight ring, where earlier commands leave room for {}",
              words, words_ - used);
}

void WeightRing::Append(std::span<const uint8_t> bytes) {
  const uint64_t at = written_ % words_ * word_bytes_;
  const size_t first = std::min<size_t>(bytes.size(), bytes_.size() - at);
  std::copy_n(bytes.begin(), first, bytes_.begin() + static_cast<int64_t>(at));
  std::copy(bytes.begin() + static_cast<int64_t>(first), bytes.end(), bytes_.begin());
  written_ += bytes.size() / word_bytes_;
}

Result<uint64_t> WeightRing::Find(int64_t position, uint64_t words) const {
  const uint64_t ahead = static_cast<uint16_t>(static_cast<uint64_t>(position) - released_);
  if (ahead + words <= written_ - released_) return released_ + ahead;
  return Fail("reads weight words {}..{}, and the ring holds {}..{} (modulo 65536)", position,
              (static_cast<uint64_t>(position) + words - 1) % 65536, released_ % 65536,
              (written_ + 65535) % 65536);
}

void WeightRing::Read(uint64_t position, std::span<uint8_t> out) const {
  const uint64_t at = position % words_ * word_bytes_;
  const size_t first = std::min<size_t>(out.size(), bytes_.size() - at);
  std::copy_n(bytes_.begin() + static_cast<int64_t>(at), first, out.begin());
  std::copy_n(bytes_.begin(), out.size() - first, out.begin() + static_cast<int64_t>(first));
}

void WeightRing::Release(uint64_t position) { released_ = std::max(released_, position); }

}  // namespace weft::functional
