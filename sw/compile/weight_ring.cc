// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/weight_ring.h"

#include <algorithm>

namespace weft::compile {
namespace {

constexpr int kPiecesOfRing = 4;  // what passes at a time is at most one of so many

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

void WeightRing::StartUnit(const std::vector<LayerWork>& works, const std::vector<Task>& tasks) {
  first_layer_ = works.front().index;
  states_.assign(works.size(), {});
  int64_t words = 0, stripes = 0;
  for (const LayerWork& work : works) words += work.shape.words();
  for (const Task& task : tasks) stripes += CeilDiv(task.tile.rect.pixels(), config_.stripe);
  const bool stay =
      StayInRing(words, config_) && (stripes > 1 || words <= config_.ring_words() / kPiecesOfRing);
  for (size_t i = 0; i < works.size(); ++i) {
    states_[i].way = ChooseWay(works[i], stay, works.size() > 1);
  }
}

WeightRing::Way WeightRing::ChooseWay(const LayerWork& work, bool stay, bool chained) const {
  if (stay) return Way::kResident;
  if (chained && work.shape.words() <= config_.ring_words() / kPiecesOfRing) return Way::kByTask;
  return work.shape.block_words() <= config_.ring_words() / 2 ? Way::kGroups : Way::kStreamed;
}

// Appends words of the layer's weights to the ring; returns their position.
int64_t WeightRing::Append(const LayerWork& work, int64_t first_word, int64_t words) {
  const uint64_t offset = offsets_[static_cast<size_t>(work.index)] +
                          static_cast<uint64_t>(first_word * config_.weight_word);
  const int64_t position = end_;
  end_ += words;
  if (!segments_.empty() && segments_.back().offset + static_cast<uint64_t>(segments_.back().words *
                                                                            config_.weight_word) ==
                                offset) {
    segments_.back().words += words;
  } else {
    segments_.push_back({offset, words});
  }
  return position;
}

int64_t WeightRing::PositionOf(const Task& task) {
  LayerState& state = StateOf(task);
  const bool asked =
      state.position >= 0 && (state.way != Way::kByTask || state.task == task.number);
  if (!asked) {
    state.position = Append(*task.work, 0, task.work->shape.words());
    state.task = task.number;
  }
  return state.position;
}

std::vector<RunPart> WeightRing::Runs(const Task& task, int64_t pixels, const Ramp& ramp,
                                      bool last) {
  const WeightShape& shape = task.work->shape;
  const Way way = StateOf(task).way;
  const int64_t piece_words = config_.ring_words() / kPiecesOfRing;
  std::vector<int> stripes = StripesOf(pixels, {ramp.up, ramp.down && last && task.last}, config_);
  if (way == Way::kStreamed) {  // weights pass once for every stripe
    stripes = StripesOf(pixels, {}, config_);
    if (pixels <= config_.stripe) stripes = {static_cast<int>(pixels)};
  }
  const int first_block = task.tile.c0 / config_.n;
  const auto end_block = static_cast<int>(CeilDiv(task.tile.c1, config_.n));

  std::vector<RunPart> runs;
  RunPart part;
  part.beats = shape.beats;
  // The part for every stripe; `finish` changes that of the last.
  const auto for_stripes = [&](auto finish) {
    part.first_pixel = 0;
    for (const int stripe : stripes) {
      part.pixels = stripe;
      runs.push_back(part);
      part.first_pixel += stripe;
    }
    finish(runs.back());
  };
  if (way == Way::kResident || way == Way::kByTask) {
    part.first_block = first_block;
    part.blocks = end_block - first_block;
    if (shape.words() > 0) part.position = PositionOf(task) + first_block * shape.block_words();
    part.words = shape.shared_words + part.blocks * shape.block_words();
    const bool done = last && (task.last || way == Way::kByTask) && shape.words() > 0;
    for_stripes([&](RunPart& final) {
      final.release = done && shape.shared_words > 0;
      final.stream = done && shape.shared_words == 0;
    });
  } else if (way == Way::kGroups) {
    const int64_t group = std::max<int64_t>(1, piece_words / shape.block_words());
    for (int64_t block = first_block; block < end_block; block += group) {
      part.first_block = static_cast<int>(block);
      part.blocks = static_cast<int>(std::min(group, end_block - block));
      part.words = part.blocks * shape.block_words();
      part.position = Append(*task.work, block * shape.block_words(), part.words);
      for_stripes([](RunPart& final) { final.stream = true; });
    }
  } else {
    part.blocks = 1;
    part.stream = true;
    const int64_t piece = std::max<int64_t>(1, piece_words / shape.beat_words);
    for (const int stripe : stripes) {
      part.pixels = stripe;
      for (int block = first_block; block < end_block; ++block) {
        part.first_block = block;
        for (int64_t beat = 0; beat < shape.beats; beat += piece) {
          part.first_beat = static_cast<int>(beat);
          part.beats = static_cast<int>(std::min(piece, shape.beats - beat));
          part.acc_first = beat == 0;
          part.acc_last = beat + part.beats == shape.beats;
          part.words =
              int64_t{part.beats} * shape.beat_words + (part.acc_last ? shape.param_words : 0);
          part.position =
              Append(*task.work, block * shape.block_words() + beat * shape.beat_words, part.words);
          runs.push_back(part);
        }
      }
      part.first_pixel += stripe;
    }
  }
  return runs;
}

}  // namespace weft::compile
