// SPDX-License-Identifier: Apache-2.0
#include "sw/command/stream.h"

#include <algorithm>
#include <span>

#include "sw/command/codec.h"

namespace weft {
namespace {

constexpr int64_t kCountMask = 0xffff;  // waits and ring positions are modulo 2^16

// The count of at most `issued` that a field of 16 bits means.
int64_t Unwrap(int64_t field, int64_t issued) { return issued - ((issued - field) & kCountMask); }

// Where in the weight ring a command's weights begin, and its layer.
struct WeightUse {
  int64_t position;
  int layer;
};

}  // namespace

Result<std::vector<Command>> DecodeStream(const Program& program) {
  std::vector<Command> stream;
  stream.reserve(program.stream_commands);
  for (uint32_t i = 0; i < program.stream_commands; ++i) {
    const size_t at = program.stream_offset + size_t{i} * kCommandBytes;
    const std::span<const uint8_t, kCommandBytes> bytes(&program.memory[at], kCommandBytes);
    const Result<Command> command = Decode(bytes);
    if (!command) return Fail("command {}: {}", i, command.error().message);
    stream.push_back(*command);
  }
  return stream;
}

std::vector<int> LayersOf(const std::vector<Command>& stream) {
  std::vector<int> layers(stream.size(), 0);
  std::vector<size_t> loads;                         // LOADs nothing has waited for yet
  std::vector<std::pair<size_t, int64_t>> segments;  // LOAD_WEIGHTS, and their first ring word
  std::vector<WeightUse> uses;
  int64_t load_count = 0, ring_words = 0;
  int layer = 0;
  bool weighted = true;  // RUNs have weights
  for (size_t i = 0; i < stream.size(); ++i) {
    layers[i] = layer;
    const Command& command = stream[i];
    if (const auto* mark = std::get_if<MarkCmd>(&command)) {
      layers[i] = static_cast<int>(mark->layer);
      layer = layers[i] + 1;
    } else if (std::holds_alternative<LoadCmd>(command)) {
      loads.push_back(i);
      ++load_count;
      continue;
    } else if (const auto* weights = std::get_if<LoadWeightsCmd>(&command)) {
      segments.emplace_back(i, ring_words);
      ring_words += weights->words;
    } else if (const auto* setup = std::get_if<SetupInputCmd>(&command)) {
      weighted = setup->mode != 2;
    } else if (const auto* run = std::get_if<RunCmd>(&command); run != nullptr && weighted) {
      uses.push_back({Unwrap(run->weights_pos, ring_words), layer});
    } else if (const auto* softmax = std::get_if<SoftmaxCmd>(&command)) {
      uses.push_back({Unwrap(softmax->weights_pos, ring_words), layer});
    }
    if (std::holds_alternative<StoreCmd>(command)) continue;
    std::visit(
        [&](const auto& c) {
          if constexpr (requires { c.wait_mask; }) {
            if ((c.wait_mask & 1) == 0) return;
            const int64_t over = Unwrap(c.wait_load, load_count);
            const int64_t waiting = load_count - static_cast<int64_t>(loads.size());
            const auto done = static_cast<size_t>(std::max<int64_t>(0, over - waiting));
            for (size_t l = 0; l < done; ++l) layers[loads[l]] = layer;
            loads.erase(loads.begin(), loads.begin() + static_cast<std::ptrdiff_t>(done));
          }
        },
        command);
  }
  // Weights lie in the ring in the order of use: a word belongs to the last use that begins before.
  size_t use = 0;
  for (const auto& [command, position] : segments) {
    while (use + 1 < uses.size() && uses[use + 1].position <= position) ++use;
    if (use < uses.size()) layers[command] = uses[use].layer;
  }
  return layers;
}

}  // namespace weft
