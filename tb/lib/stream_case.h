// SPDX-License-Identifier: Apache-2.0
//
// A case of random command streams: what runs, and what can be told of it without running it. Who
// makes cases is stream_generator.h, who runs them stream_session.h.
//
//   const std::vector<Writes> writes = WritesOf(streams, streams.jobs[0]);   // by command
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::testing {

/// Bytes [begin, end) of the scratchpad or of memory.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct StreamJob {
  std::vector<Command> commands;
  uint64_t stream = 0;    ///< address of the commands in memory
  uint32_t trailing = 0;  ///< words of rubbish after END that the job entry counts as commands
  // An illegal job: what both devices must report. The bytes of one command are damaged.
  uint32_t error_code = 0;  ///< 0: a legal job
  uint32_t error_command = 0;
  std::vector<uint8_t> damaged;  ///< instead of commands[error_command]; empty: not replaced
  bool wrong_hash = false;       ///< the job entry carries another configuration's hash
  size_t reserved_word = 0;      ///< a word of the job entry that is not zero; 0: none
};

struct StreamCase {
  const HardwareConfig* config = nullptr;
  uint64_t seed = 0;
  std::vector<uint8_t> memory;
  std::array<uint64_t, 8> region_base = {};
  int stream_region = 0;
  Extent window;      ///< of the scratchpad: nothing outside is touched
  uint64_t ring = 0;  ///< address of the job ring
  uint32_t ring_log2 = 0;
  std::vector<StreamJob> jobs;
};

/// The pixels of a stripe as byte offsets.
template <typename Cmd>
std::vector<int64_t> Offsets(const Cmd& cmd, int64_t pitch, int64_t pixel) {
  std::vector<int64_t> offsets;
  for (int64_t p = 0; p < cmd.pixels; ++p) {
    const int64_t at = cmd.tile_x + p;
    offsets.push_back(at / cmd.tile_width * pitch + at % cmd.tile_width * pixel);
  }
  return offsets;
}

/// What the commands of a job write, in stream order: scratchpad bytes, or memory of STOREs.
struct Writes {
  std::vector<Extent> scratchpad;
  std::vector<Extent> memory;
};
std::vector<Writes> WritesOf(const StreamCase& streams, const StreamJob& job);

/// Counts of what was generated, by name.
void CountStreams(const StreamCase& streams, std::map<std::string, uint64_t>& histogram);

/// `job` without commands [first, first + count): waits and ring positions that counted them are
/// adjusted. The result may be illegal.
StreamJob WithoutCommands(const StreamCase& streams, const StreamJob& job, size_t first,
                          size_t count);

/// The address of region + offset.
uint64_t AddressOf(const StreamCase& streams, int64_t region, int64_t offset);

}  // namespace weft::testing
