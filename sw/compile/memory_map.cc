// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/memory_map.h"

namespace weft::compile {
namespace {

constexpr uint64_t kAlignment = 64;

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

// Rows as LOAD and STORE need them: dense when the value moves as one row, else whole words.
TensorPlace PlaceOf(const Value& value, const Home& home, Region region, uint64_t offset,
                    const HardwareConfig& config) {
  TensorPlace place;
  place.where = TensorPlace::Where::kMemory;
  place.region = region;
  place.offset = offset;
  place.rows = static_cast<uint32_t>(value.extent.h);
  place.row_bytes = static_cast<uint32_t>(value.extent.row_bytes());
  if (value.transposed) place.column_pixel = static_cast<uint32_t>(value.extent.c);
  const bool dense = value.dense || (home.resident() && home.pitch == value.extent.row_bytes());
  place.pitch =
      dense ? place.row_bytes
            : static_cast<uint32_t>(RoundUp(place.row_bytes, static_cast<uint64_t>(config.word())));
  return place;
}

}  // namespace

MemoryMap MapMemory(const Graph& graph, const Network& network, const Allocation& allocation,
                    const HardwareConfig& config) {
  MemoryMap map;
  map.values.resize(network.values.size());
  for (size_t v = 0; v < network.values.size(); ++v) {
    const Value& value = network.values[v];
    const Home& home = allocation.homes[v];
    Region region = kRegionArena;
    if (value.source == Value::Source::kInput) region = kRegionInput;
    if (value.source == Value::Source::kConstant) region = kRegionProgram;
    if (value.is_output) region = kRegionOutput;
    if (region == kRegionArena && home.where != Home::Where::kMemory) continue;
    uint64_t& end = map.image_bytes[region];
    if (region == kRegionProgram) end = RoundUp(map.program.size(), kAlignment);
    TensorPlace& place = map.values[v];
    place = PlaceOf(value, home, region, end, config);
    end = RoundUp(end + uint64_t{place.rows} * place.pitch, kAlignment);
    if (region == kRegionProgram) {
      map.program.resize(end, 0);
      const std::vector<uint8_t>& data = graph.tensors[static_cast<size_t>(value.tensor)].data;
      for (uint32_t row = 0; row < place.rows; ++row) {
        std::copy_n(
            data.begin() + int64_t{row} * place.row_bytes, place.row_bytes,
            map.program.begin() + static_cast<int64_t>(place.offset) + int64_t{row} * place.pitch);
      }
    }
  }
  // A weight word never straddles its own alignment.
  map.program.resize(RoundUp(map.program.size(), static_cast<uint64_t>(config.weight_word)), 0);
  for (const Layer& layer : network.layers) {
    const int channels = OutputOf(network, layer).c;
    map.shapes.push_back(ShapeOfWeights(layer, channels, config));
    map.weights.push_back(map.program.size());
    const std::vector<uint8_t> bytes = PackWeights(layer, channels, config);
    map.program.insert(map.program.end(), bytes.begin(), bytes.end());
  }
  map.program.resize(RoundUp(map.program.size(), kAlignment), 0);
  return map;
}

}  // namespace weft::compile
