// SPDX-License-Identifier: Apache-2.0
//
// VerilatedDevice over one verilated class. Each configuration's class is compiled in a file of its
// own (made from model.cc.in), because each is large. Not for inclusion elsewhere.
//
// A cycle is: look at the outputs, drive the inputs of the next cycle, rising edge. The inputs go
// through the registers of weft_clocked, so the edge settles the outputs of the cycle that begins,
// and the clock's low half needs no evaluation (waves show it).
#pragma once

#include <verilated.h>
#if VM_TRACE
#include <verilated_fst_c.h>
#endif

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/verilated/mapped_bytes.h"
#include "sim/verilated/verilated_device.h"

// A signal of weft_top, by its name among the members of the model's root.
#define WEFT_NAME(signal) weft_clocked__DOT__u_top__DOT__##signal
// Its value when the model was evaluated last.
#define WEFT_TRIGGER(signal) __Vtrigrprev__TOP__weft_clocked__DOT__u_top__DOT__##signal

// The clock gates in weft_top, and what happens to each in ClockEdge().
#define WEFT_GATES(action)                                                                      \
  action(u_clk_command) action(u_clk_read) action(u_clk_write) action(u_array__DOT__u_clk_feed) \
      action(u_clk_post)
#define WEFT_EDGE(gate) \
  root.WEFT_NAME(gate##__DOT__clk) = all_clocks_ | root.WEFT_NAME(gate##__DOT__awake);
#define WEFT_FORGET(gate) root.WEFT_TRIGGER(gate##__DOT__clk) = 0;
#define WEFT_FALL(gate) root.WEFT_NAME(gate##__DOT__clk) = 0;

namespace weft {

// Parts: FindEdges compares every clock with its value before (__VactTriggered, and that value is
// now the present one), FollowEdges evaluates what hangs on the clocks of __VnbaTriggered. An
// evaluation is these two, and then again to find that no clock has changed: none is made of logic
// here.
template <typename Model, typename Parts>
class Simulation final : public VerilatedDevice {
 public:
  Simulation(const HardwareConfig& config, const VerilatedOptions& options, MappedBytes bytes)
      : config_(config),
        bytes_(std::move(bytes)),
        memory_({bytes_.get(), bytes_.get_deleter().size}, config.axi_bytes,
                WithSeed(options.memory, options.seed)),
        activity_observer_(options.activity),
        all_clocks_(!options.stop_clocks) {
    context_->fatalOnError(false);
    context_->randReset(2);
    context_->randSeed(static_cast<int>(options.seed & 0x7fffffff));
#if VM_TRACE
    context_->traceEverOn(!options.wave_file.empty());
#endif
    model_ = std::make_unique<Model>(context_.get());
    banks_ = Banks();
#if VM_TRACE
    if (!options.wave_file.empty()) {
      model_->trace(&wave_, 99);
      wave_.open(options.wave_file.c_str());
    }
#endif
    Reset();
  }

  ~Simulation() override {
    // The model's destructor works on the context last used in this thread, which may be that of
    // another device, and gone.
    Verilated::threadContextp(context_.get());
    model_->final();
#if VM_TRACE
    wave_.close();
#endif
  }

  // Whether the model shows what Activity tells (a netlist does not).
#if WEFT_NETLIST
  static constexpr bool kHasActivity = false;
#else
  static constexpr bool kHasActivity = true;
#endif

  bool has_wave() const {
#if VM_TRACE
    return wave_.isOpen();
#else
    return false;
#endif
  }

  const HardwareConfig& config() const override { return config_; }

  uint32_t ReadRegister(uint32_t offset) override {
    Model& m = *model_;
    m.s_axil_arvalid_i = 1;
    m.s_axil_araddr_i = static_cast<uint16_t>(offset);
    m.s_axil_rready_i = 1;
    Cycle();
    Until([&] {
      m.s_axil_arvalid_i = !m.s_axil_arready_o;
      return m.s_axil_arready_o != 0;
    });
    uint32_t value = 0;
    Until([&] {
      value = m.s_axil_rdata_o;
      m.s_axil_rready_i = !m.s_axil_rvalid_o;
      return m.s_axil_rvalid_o != 0;
    });
    return value;
  }

  void WriteRegister(uint32_t offset, uint32_t value) override {
    Model& m = *model_;
    m.s_axil_awvalid_i = m.s_axil_wvalid_i = 1;  // taken in any order
    m.s_axil_awaddr_i = static_cast<uint16_t>(offset);
    m.s_axil_wdata_i = value;
    m.s_axil_wstrb_i = 0xf;
    m.s_axil_bready_i = 1;
    Cycle();
    Until([&] {
      m.s_axil_awvalid_i = m.s_axil_awvalid_i && !m.s_axil_awready_o;
      m.s_axil_wvalid_i = m.s_axil_wvalid_i && !m.s_axil_wready_o;
      return !m.s_axil_awvalid_i && !m.s_axil_wvalid_i;
    });
    Until([&] {
      m.s_axil_bready_i = !m.s_axil_bvalid_o;
      return m.s_axil_bvalid_o != 0;
    });
  }

  uint64_t memory_bytes() const override { return bytes_.get_deleter().size; }

  void ReadMemory(uint64_t address, std::span<uint8_t> out) override {
    assert(address <= memory_bytes() && out.size() <= memory_bytes() - address);
    if (!out.empty()) std::memcpy(out.data(), bytes_.get() + address, out.size());
  }

  void WriteMemory(uint64_t address, std::span<const uint8_t> data) override {
    assert(address <= memory_bytes() && data.size() <= memory_bytes() - address);
    if (!data.empty()) std::memcpy(bytes_.get() + address, data.data(), data.size());
  }

  bool WaitForInterrupt(uint64_t max_cycles) override {
    const auto start = std::chrono::steady_clock::now();
    const uint64_t first = cycle_;
    if (activity_observer_) {
      while (!model_->irq_o && cycle_ - first < max_cycles) {
        NoteActivity();
        Cycle();
      }
    }
    while (!model_->irq_o && cycle_ - first < max_cycles) Cycle();
    speed_.cycles += cycle_ - first;
    speed_.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return model_->irq_o;
  }

  uint64_t Now() const override { return cycle_; }

  void SetMarkObserver(std::function<void(uint32_t layer)> observer) override {
    mark_observer_ = std::move(observer);
  }

  void PeekScratchpad(uint32_t address, std::span<uint8_t> out) override {
    assert(address + out.size() <= static_cast<uint32_t>(config_.scratchpad));
    const uint32_t word = static_cast<uint32_t>(config_.word());
    const auto count_of_banks = static_cast<uint32_t>(banks_.size());
    for (size_t done = 0; done < out.size();) {
      const uint32_t at = address + static_cast<uint32_t>(done);
      const uint32_t w = at / word;
      const size_t count = std::min<size_t>(out.size() - done, word - at % word);
      const uint8_t* bank = banks_[w % count_of_banks];
      std::memcpy(out.data() + done, bank + w / count_of_banks * word + at % word, count);
      done += count;
    }
  }

  void PeekWeights(uint32_t address, std::span<uint8_t> out) override {
    assert(address + out.size() <= static_cast<uint32_t>(config_.weight_ring));
#if WEFT_NETLIST
    const auto& ring = model_->rootp->WEFT_NAME(u_weight_ring__02eu_ram__DOT__mem);
#else
    const auto& ring = model_->rootp->WEFT_NAME(u_weight_ring__DOT__u_ram__DOT__mem);
#endif
    std::memcpy(out.data(), reinterpret_cast<const uint8_t*>(&ring[0]) + address, out.size());
  }

  void SetRetireObserver(std::function<void(Engine engine, uint32_t jobs)> observer) override {
    retire_observer_ = std::move(observer);
    retired_ = Retired();
    ended_ = model_->rootp->WEFT_NAME(ring_head);
  }

  std::string Violations() const override { return memory_.violations() + assertions_; }
  SimulationSpeed speed() const override { return speed_; }
  AxiMemory& memory() override { return memory_; }
  void HardReset() override {
    memory_.Reset();
    Reset();
  }

 private:
  static constexpr int kMaxAssertions = 10;  // then they are switched off
  static constexpr int kResetCycles = 4;
  static constexpr int kRegisterCycles = 1000;  // no access takes as long
  // Whether the model has clock gates that wait for us (a netlist does not).
  static constexpr bool kStopsClocks = requires(Model & m) {
    m.rootp->WEFT_NAME(u_clk_command__DOT__clk);
  };
  // Whether it lets us skip the low half of the clocks (waves show it).
  static constexpr bool kCanSkip = !VM_TRACE && kStopsClocks;

  static AxiMemoryOptions WithSeed(AxiMemoryOptions options, uint64_t seed) {
    options.seed = seed;
    return options;
  }

  void Reset() {
    Model& m = *model_;
    m.clk_i = 0;
    m.rst_ni = 0;
    m.s_axil_awvalid_i = m.s_axil_wvalid_i = m.s_axil_bready_i = 0;
    m.s_axil_arvalid_i = m.s_axil_rready_i = 0;
    m.m_axi_arready_i = m.m_axi_awready_i = m.m_axi_wready_i = 0;
    m.m_axi_rvalid_i = m.m_axi_bvalid_i = 0;
    context_->assertOn(false);  // registers hold anything before the first edge in reset
    Eval();
    for (int i = 0; i < kResetCycles; ++i) {
      ClockEdge();
      if (i == 1) context_->assertOn(true);
    }
    m.rst_ni = 1;
    memory_.Drive(m);
    ClockEdge();
  }

  void Eval() {
    model_->eval();
    context_->timeInc(1);
#if VM_TRACE
    if (wave_.isOpen()) wave_.dump(context_->time());
#endif
  }

  // The rising edge, of the clocks behind gates only where something is awake, and the clocks' low
  // half for waves.
  void ClockEdge() {
    auto& root = *model_->rootp;
    model_->clk_i = 1;
    if constexpr (kStopsClocks) {
      WEFT_GATES(WEFT_EDGE)
    }
    if constexpr (kCanSkip) {
      Parts::FindEdges(&root);
      root.__VnbaTriggered = root.__VactTriggered;
      Parts::FollowEdges(&root);
      context_->timeInc(2);
      // For the model the clocks were low since.
      root.__Vtrigrprev__TOP__clk_i = 0;
      WEFT_GATES(WEFT_FORGET)
    } else {
      Eval();
      model_->clk_i = 0;
      if constexpr (kStopsClocks) {
        WEFT_GATES(WEFT_FALL)
      }
      Eval();
    }
  }

  void Cycle() {
    Model& m = *model_;
    memory_.Observe(m);
    memory_.Drive(m);
    ClockEdge();
    ++cycle_;
    if (m.rootp->WEFT_NAME(mark_done) && mark_observer_) {
      mark_observer_(m.rootp->WEFT_NAME(mark_done_layer));
    }
    if (retire_observer_) ObserveRetired();
    if (context_->gotError()) NoteAssertion();
  }

  // What the engines count as retired in the job, modulo 2^16; of weights, words in the ring.
  using RetiredCounts = std::array<uint16_t, 4>;
  static constexpr std::array<Engine, 4> kRetiring = {Engine::kLoad, Engine::kWeights,
                                                      Engine::kExec, Engine::kStore};
  RetiredCounts Retired() const {
    const auto& root = *model_->rootp;
    return {root.WEFT_NAME(load_count), root.WEFT_NAME(ring_written), root.WEFT_NAME(exec_count),
            root.WEFT_NAME(store_count)};
  }

  void ObserveRetired() {
    const RetiredCounts now = Retired();
    const uint32_t jobs = model_->rootp->WEFT_NAME(ring_head);
    if (now == retired_ && jobs == ended_) return;
    const RetiredCounts before = std::exchange(retired_, now);
    for (size_t i = 0; i < now.size(); ++i) {
      // Counts go up by one, or all to zero when a job begins.
      if (now[i] == before[i] || (now[i] == 0 && before[i] != 0xffff)) continue;
      retire_observer_(kRetiring[i], jobs);
    }
    if (jobs == std::exchange(ended_, jobs) + 1) retire_observer_(Engine::kControl, jobs);
  }

  // A register access: cycles up to and with the first in which `step` is true. It looks at the
  // outputs of the present cycle and drives the inputs of the next.
  template <typename Step>
  void Until(Step step) {
    for (int i = 0; i < kRegisterCycles; ++i) {
      const bool done = step();
      Cycle();
      if (done) return;
    }
    assertions_ += fmt::format("cycle {}: no answer to a register access\n", cycle_);
  }

  // What the model does in the present cycle.
  void NoteActivity() {
    if constexpr (kHasActivity) {
      const auto& root = *model_->rootp;
      activity_observer_({.cycle = cycle_,
                          .events = root.WEFT_NAME(events),
                          .weights_busy = !root.WEFT_NAME(weights_idle),
                          .load_command = root.WEFT_NAME(load_access),
                          .weights_command = root.WEFT_NAME(weights_access),
                          .post_command = root.WEFT_NAME(post_index),
                          .store_command = root.WEFT_NAME(store_access),
                          .mark = root.WEFT_NAME(mark_done) != 0,
                          .layer = root.WEFT_NAME(mark_done_layer)});
    }
  }

  void NoteAssertion() {
    context_->gotError(false);
    context_->gotFinish(false);
    assertions_ += fmt::format("cycle {}: an assertion of the RTL failed\n", cycle_);
    if (++assertion_count_ == kMaxAssertions) context_->assertOn(false);
  }

  // The model has as many banks as the configuration says.
  std::vector<const uint8_t*> Banks() const {
    std::vector<const uint8_t*> banks;
    const auto& root = *model_->rootp;
#if WEFT_NETLIST  // flat: the way to the instance is the instance's name
#define WEFT_BANK_MEMORY(i) WEFT_NAME(u_scratchpad__02egen_bank__05b##i##__05d__02eu_ram__DOT__mem)
#else
#define WEFT_BANK_MEMORY(i) \
  WEFT_NAME(u_scratchpad__DOT__gen_bank__BRA__##i##__KET____DOT__u_ram__DOT__mem)
#endif
#define WEFT_BANK(i)                                                                 \
  if constexpr (requires { root.WEFT_BANK_MEMORY(i); }) {                            \
    banks.push_back(reinterpret_cast<const uint8_t*>(&root.WEFT_BANK_MEMORY(i)[0])); \
  }
    WEFT_BANK(0);
    WEFT_BANK(1);
    WEFT_BANK(2);
    WEFT_BANK(3);
    WEFT_BANK(4);
    WEFT_BANK(5);
    WEFT_BANK(6);
    WEFT_BANK(7);
    WEFT_BANK(8);
    WEFT_BANK(9);
    WEFT_BANK(10);
    WEFT_BANK(11);
    WEFT_BANK(12);
    WEFT_BANK(13);
    WEFT_BANK(14);
    WEFT_BANK(15);
#undef WEFT_BANK_MEMORY
#undef WEFT_BANK
    assert(banks.size() == static_cast<size_t>(config_.banks));
    return banks;
  }

  const HardwareConfig& config_;
  const MappedBytes bytes_;
  AxiMemory memory_;
  std::unique_ptr<VerilatedContext> context_ = std::make_unique<VerilatedContext>();
  std::unique_ptr<Model> model_;
#if VM_TRACE
  VerilatedFstC wave_;
#endif
  uint64_t cycle_ = 0;
  SimulationSpeed speed_;
  std::vector<const uint8_t*> banks_;  // memories of the scratchpad's banks
  std::function<void(uint32_t)> mark_observer_;
  std::function<void(Engine, uint32_t)> retire_observer_;
  RetiredCounts retired_ = {};  // after the last cycle
  uint32_t ended_ = 0;          // jobs, likewise
  const ActivityObserver activity_observer_;
  const bool all_clocks_;
  std::string assertions_;
  int assertion_count_ = 0;
};

// Options were checked.
template <typename Model, typename Parts>
Result<std::unique_ptr<VerilatedDevice>> MakeSimulation(const HardwareConfig& config,
                                                        const VerilatedOptions& options,
                                                        MappedBytes bytes) {
  auto device = std::make_unique<Simulation<Model, Parts>>(config, options, std::move(bytes));
  if (!options.wave_file.empty() && !device->has_wave()) {
    return Fail("{}: cannot write waves there", options.wave_file);
  }
  if (options.activity && !device->kHasActivity) {
    return Fail("the model of {} does not show what its engines do", config.name);
  }
  return device;
}

}  // namespace weft
