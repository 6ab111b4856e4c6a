// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_access.h"

#include <algorithm>
#include <map>
#include <set>

namespace weft::testing {

std::vector<std::vector<Piece>> BeatsOf(const HardwareConfig& config, const SetupInputCmd& in,
                                        int64_t most) {
  std::vector<std::vector<Piece>> beats;
  if (in.mode == 0) {
    int64_t row = 0, offset = 0;
    while (row < in.kernel_rows && static_cast<int64_t>(beats.size()) < most) {
      std::vector<Piece> beat;
      int64_t room = config.k;
      for (int i = 0; i < 2 && room > 0 && row < in.kernel_rows; ++i) {
        const int64_t count = std::min(room, in.kernel_span - offset);
        beat.push_back({row, offset, count});
        room -= count;
        offset += count;
        if (offset == in.kernel_span) {
          ++row;
          offset = 0;
        }
      }
      beats.push_back(beat);
    }
    return beats;
  }
  for (int64_t row = 0; row < in.kernel_rows; row += config.window_rows) {
    for (int64_t column = 0; column < in.kernel_span; column += config.window_cols) {
      if (static_cast<int64_t>(beats.size()) == most) return beats;
      std::vector<Piece> beat;
      for (int64_t r = row; r < std::min<int64_t>(row + config.window_rows, in.kernel_rows); ++r) {
        beat.push_back({r, column, std::min<int64_t>(config.window_cols, in.kernel_span - column)});
      }
      beats.push_back(beat);
    }
  }
  return beats;
}

std::vector<Access> WindowReads(const HardwareConfig& config, const SetupInputCmd& in,
                                const RunCmd& run, std::span<const std::vector<Piece>> beats) {
  const int64_t n = config.n;
  const int64_t blocks = (run.channels + n - 1) / n;
  std::vector<Access> reads;
  for (int64_t b = 0; b < static_cast<int64_t>(beats.size()); ++b) {
    for (const Piece& piece : beats[static_cast<size_t>(b)]) {
      for (int64_t p = 0; p < run.pixels; ++p) {
        const int64_t at = run.tile_x + p;
        const int64_t row = run.in_y + at / run.tile_width * in.stride_rows + piece.row;
        const int64_t col = run.in_x + at % run.tile_width * in.step_bytes;
        if (row < 0 || row >= in.in_rows) continue;
        const int64_t line = in.in_addr + row * in.in_pitch;
        const auto add_read = [&](int64_t block, int64_t begin, int64_t end) {
          reads.push_back({static_cast<int>(block),
                           static_cast<int>(b),
                           {static_cast<uint64_t>(begin), static_cast<uint64_t>(end)}});
        };
        if (in.mode == 0) {
          const int64_t first = std::max<int64_t>(col + piece.first, 0);
          const int64_t last = std::min(col + piece.first + piece.count, in.in_row_bytes);
          if (first < last) add_read(blocks - 1, line + first, line + last);
          continue;
        }
        if (in.mode == 3) {  // the second pixel's window is a column further on
          for (int64_t c = 0; c <= in.kernel_span; ++c) {
            const int64_t byte = col + c * in.pixel_bytes;
            if (byte < 0 || byte >= in.in_row_bytes) continue;
            add_read(0, line + byte, line + byte + in.pixel_bytes);
          }
          continue;
        }
        for (int64_t c = piece.first; c < piece.first + piece.count; ++c) {
          const int64_t byte = col + c * in.pixel_bytes;
          if (byte < 0 || byte >= in.in_row_bytes) continue;
          for (int64_t j = 0; j < blocks; ++j) {
            add_read(j, line + byte + j * n, line + byte + std::min(run.channels, (j + 1) * n));
          }
        }
      }
    }
  }
  return reads;
}

std::vector<Access> BlocksOf(const HardwareConfig& config, int64_t address,
                             const std::vector<int64_t>& offsets, int64_t channels) {
  std::vector<Access> accesses;
  for (int64_t j = 0; j * config.n < channels; ++j) {
    const int64_t count = std::min<int64_t>(config.n, channels - j * config.n);
    for (const int64_t offset : offsets) {
      const auto begin = static_cast<uint64_t>(address + offset + j * config.n);
      accesses.push_back({static_cast<int>(j), 0, {begin, begin + static_cast<uint64_t>(count)}});
    }
  }
  return accesses;
}

bool SelfConflict(const std::vector<Access>& reads, const std::vector<Access>& writes) {
  std::map<uint64_t, int> first_write;
  for (const Access& w : writes) {
    for (uint64_t at = w.bytes.begin; at < w.bytes.end; ++at) first_write.try_emplace(at, w.block);
  }
  for (const Access& r : reads) {
    for (uint64_t at = r.bytes.begin; at < r.bytes.end; ++at) {
      const auto found = first_write.find(at);
      if (found != first_write.end() && found->second < r.block) return true;
    }
  }
  return false;
}

bool Disjoint(const std::vector<Access>& accesses) {
  std::set<uint64_t> bytes;
  for (const Access& x : accesses) {
    for (uint64_t at = x.bytes.begin; at < x.bytes.end; ++at) {
      if (!bytes.insert(at).second) return false;
    }
  }
  return true;
}

bool AnyOverlap(const std::vector<Access>& a, const std::vector<Access>& b) {
  std::set<uint64_t> bytes;
  for (const Access& x : a) {
    for (uint64_t at = x.bytes.begin; at < x.bytes.end; ++at) bytes.insert(at);
  }
  for (const Access& x : b) {
    for (uint64_t at = x.bytes.begin; at < x.bytes.end; ++at) {
      if (bytes.contains(at)) return true;
    }
  }
  return false;
}

}  // namespace weft::testing
