// SPDX-License-Identifier: Apache-2.0
//
// A test bench for one verilated module: clock, reset, waves, failing assertions, random stalls.
//
//   #include "Vweft_fifo_weft256.h"
//   using weft::testing::Bench;
//
//   TEST(Fifo, KeepsOrder) {
//     weft::testing::Rng rng;
//     Bench<Vweft_fifo_weft256> bench;                  // has run the reset
//     weft::testing::Source<uint64_t> in(rng, 0.3);     // stalls 30 % of the cycles
//     weft::testing::Sink out(rng, 0.3);
//     for (uint64_t i = 0; i < 100; ++i) in.Push(i);
//     uint64_t expected = 0;
//     while (expected < 100) {
//       bench->valid_i = in.valid();                    // 1. drive
//       bench->data_i = in.valid() ? in.data() : rng.Bits();
//       bench->ready_i = out.ready();
//       bench.Settle();                                 // 2. outputs that depend on inputs settle
//       if (out.Takes(bench->valid_o)) {                // 3. look
//         EXPECT_EQ(bench->data_o, expected++);
//       }
//       in.Step(bench->ready_o);
//       out.Step();
//       bench.Tick();                                   // 4. the clock edge
//     }
//   }
//
// Registers and memories without reset start with random contents. A failing assertion in the RTL,
// or more cycles than Bench was given, ends the test as failed (by an exception, which GoogleTest
// reports). With WEFT_WAVE=file.fst a bench whose model has waves (`make wave`) writes them.
#pragma once

#include <gtest/gtest.h>
#include <verilated.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "tb/lib/seed.h"

#if VM_TRACE
#include <verilated_fst_c.h>
#endif

namespace weft::testing {

// The model needs the port clk_i, and rst_ni where it has a reset.
template <typename Model>
class Bench {
 public:
  explicit Bench(uint64_t max_cycles = 1000000) : max_cycles_(max_cycles) {
    context_->fatalOnError(false);
    // What the reset leaves alone starts with random contents: nothing may depend on it.
    context_->randReset(2);
    context_->randSeed(static_cast<int>(BaseSeed() & 0x7fffffff));
#if VM_TRACE
    context_->traceEverOn(true);
#endif
    model_ = std::make_unique<Model>(context_.get());
#if VM_TRACE
    if (const char* file = std::getenv("WEFT_WAVE")) {
      model_->trace(&wave_, 99);
      wave_.open(file);
    }
#endif
    Reset();
  }

  ~Bench() { model_->final(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Model* operator->() { return model_.get(); }
  Model& model() { return *model_; }

  // Clock edges since construction, those of the reset included.
  uint64_t cycle() const { return cycle_; }

  // Holds rst_ni low for a few cycles, in a module that has one. Inputs keep what they were set to.
  void Reset() {
    if constexpr (requires(Model & m) { m.rst_ni; }) {
      model_->rst_ni = 0;
      context_->assertOn(false);  // registers hold anything before the first edge
      Tick();
      context_->assertOn(true);
      for (int i = 0; i < 3; ++i) Tick();
      model_->rst_ni = 1;
    }
  }

  // Lets combinational outputs follow the inputs just set; no time passes.
  void Settle() {
    model_->clk_i = 0;
    Evaluate();
  }

  // One clock cycle with the inputs as they are. Outputs are those after the edge.
  void Tick() {
    Settle();
    Dump();
    model_->clk_i = 1;
    Evaluate();
    Dump();
    if (++cycle_ > max_cycles_) Stop("no end after " + std::to_string(max_cycles_) + " cycles");
  }

 private:
  void Evaluate() {
    model_->eval();
    if (context_->gotError()) Stop("an assertion of the RTL failed (see above)");
  }

  void Dump() {
    context_->timeInc(1);
#if VM_TRACE
    if (wave_.isOpen()) wave_.dump(context_->time());
#endif
  }

  [[noreturn]] void Stop(const std::string& why) {
#if VM_TRACE
    wave_.close();
#endif
    throw std::runtime_error(why + " in cycle " + std::to_string(cycle_) +
                             "; repeat with: " + RepeatCommand());
  }

  std::unique_ptr<VerilatedContext> context_ = std::make_unique<VerilatedContext>();
  std::unique_ptr<Model> model_;
#if VM_TRACE
  VerilatedFstC wave_;
#endif
  uint64_t max_cycles_;
  uint64_t cycle_ = 0;
};

// The sending end of a valid/ready stream. Valid comes with probability 1 - stall a cycle, and once
// there stays, with its data, until it is taken.
template <typename T>
class Source {
 public:
  Source(Rng& rng, double stall) : rng_(rng), stall_(stall) {}

  void Push(T item) { items_.push_back(std::move(item)); }
  bool empty() const { return items_.empty(); }

  bool valid() {
    if (!valid_ && !drawn_) valid_ = !items_.empty() && !rng_.Chance(stall_);
    drawn_ = true;
    return valid_;
  }

  // Only while valid().
  const T& data() const { return items_.front(); }

  // Once a cycle, before the edge, with the receiver's ready.
  void Step(bool ready) {
    if (valid_ && ready) {
      items_.pop_front();
      valid_ = false;
    }
    drawn_ = false;
  }

 private:
  Rng& rng_;
  double stall_;
  std::deque<T> items_;
  bool valid_ = false;
  bool drawn_ = false;
};

// The receiving end: ready with probability 1 - stall, drawn anew every cycle.
class Sink {
 public:
  Sink(Rng& rng, double stall) : rng_(rng), stall_(stall) { Step(); }

  bool ready() const { return ready_; }
  bool Takes(bool valid) const { return valid && ready_; }

  // Once a cycle, before the edge.
  void Step() { ready_ = !rng_.Chance(stall_); }

 private:
  Rng& rng_;
  double stall_;
  bool ready_ = false;
};

// Bits [lsb, lsb + width) of a port: integers up to 64 bits, or Verilator's wide words; width at
// most 64. Packed structs and vectors are reached this way.
template <typename Port>
uint64_t GetBits(const Port& port, int lsb, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; ++i) {
    const int bit = lsb + i;
    uint64_t word;
    if constexpr (std::is_integral_v<Port>) {
      word = static_cast<uint64_t>(port) >> bit;
    } else {
      word = port[bit / 32] >> (bit % 32);
    }
    value |= (word & 1) << i;
  }
  return value;
}

template <typename Port>
void SetBits(Port& port, int lsb, int width, uint64_t value) {
  for (int i = 0; i < width; ++i) {
    const int bit = lsb + i;
    const uint64_t one = (value >> i) & 1;
    if constexpr (std::is_integral_v<Port>) {
      port = static_cast<Port>((port & ~(uint64_t{1} << bit)) | (one << bit));
    } else {
      auto& word = port[bit / 32];
      word = (word & ~(1u << (bit % 32))) | (static_cast<uint32_t>(one) << (bit % 32));
    }
  }
}

}  // namespace weft::testing
