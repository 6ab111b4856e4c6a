// SPDX-License-Identifier: Apache-2.0
#include "tb/unit/host/host_bench.h"

namespace weft {
namespace {

using testing::HostBench;
using testing::Rng;

template <typename T>
class RegistersTest : public ::testing::Test {};
TYPED_TEST_SUITE(RegistersTest, testing::Hosts);

// What a register keeps of a value written to it.
struct Setting {
  uint32_t offset;
  uint32_t mask;
  uint32_t reset;
};

std::vector<Setting> Settings() {
  std::vector<Setting> settings = {
      {WEFT_REG_IRQ_MASK, 3, 0},        {WEFT_REG_RING_BASE_LO, 0xffffffc0, 0},
      {WEFT_REG_RING_BASE_HI, 0xff, 0}, {WEFT_REG_WATCHDOG, 0xffffffff, 0x100000},
      {WEFT_REG_AXI_ATTR, 0x7f7f, 0},
  };
  for (uint32_t i = 0; i < 8; ++i) {
    settings.push_back({WEFT_REG_REGION_BASE_LO(i), 0xffffffc0, 0});
    settings.push_back({WEFT_REG_REGION_BASE_HI(i), 0xff, 0});
    settings.push_back({WEFT_REG_WINDOW_FIRST(i), 0xffffffff, 0});
    settings.push_back({WEFT_REG_WINDOW_LAST(i), 0xffffffff, 0});
    settings.push_back({WEFT_REG_WINDOW_CONTROL(i), 0xf, 0});
  }
  return settings;
}

TYPED_TEST(RegistersTest, ConstantsAndResetValues) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  HostBench<TypeParam> host(rng);
  EXPECT_EQ(host.Read(WEFT_REG_ID), WEFT_ID_VALUE);
  EXPECT_EQ(host.Read(WEFT_REG_VERSION), 1u);
  EXPECT_EQ(host.Read(WEFT_REG_CONFIG_HASH), config.hash);
  EXPECT_EQ(host.Read(WEFT_REG_COMMAND_VERSION), WEFT_COMMAND_VERSION_VALUE);
  EXPECT_EQ(host.Read(WEFT_REG_SIZES),
            static_cast<uint32_t>(config.k | config.n << 8 | config.post_lanes << 16 |
                                  config.axi_bytes << 24));
  EXPECT_EQ(host.Read(WEFT_REG_SCRATCHPAD_BYTES), static_cast<uint32_t>(config.scratchpad));
  EXPECT_EQ(host.Read(WEFT_REG_WEIGHT_BYTES), static_cast<uint32_t>(config.weight_ring));
  for (const Setting& setting : Settings()) EXPECT_EQ(host.Read(setting.offset), setting.reset);
  for (const uint32_t offset :
       {WEFT_REG_FEATURES, WEFT_REG_CONTROL, WEFT_REG_STATUS, WEFT_REG_IRQ_STATUS,
        WEFT_REG_IRQ_TEST, WEFT_REG_RING_LOG2, WEFT_REG_RING_TAIL, WEFT_REG_RING_HEAD,
        WEFT_REG_JOB_DONE_ID, WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND,
        WEFT_REG_ERROR_ADDR_LO, WEFT_REG_ERROR_ADDR_HI}) {
    EXPECT_EQ(host.Read(offset), 0u) << std::hex << offset;
  }
  for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(host.Read(WEFT_REG_COUNTER(i)), 0u);
}

// Every setting keeps its own bits, whatever is written anywhere else.
TYPED_TEST(RegistersTest, EveryOffset) {
  Rng rng;
  HostBench<TypeParam> host(rng);
  std::map<uint32_t, uint32_t> values, masks;
  for (const Setting& setting : Settings()) {
    values[setting.offset] = setting.reset;
    masks[setting.offset] = setting.mask;
  }
  // Constants, and what the host cannot change.
  for (uint32_t offset :
       {WEFT_REG_ID, WEFT_REG_VERSION, WEFT_REG_CONFIG_HASH, WEFT_REG_COMMAND_VERSION,
        WEFT_REG_SIZES, WEFT_REG_SCRATCHPAD_BYTES, WEFT_REG_WEIGHT_BYTES})
    values[offset] = host.Read(offset);
  for (int i = 0; i < 3000; ++i) {
    const uint32_t offset = rng.Chance(0.5) ? rng.Int(0, 0x3ff) * 4 : rng.Int(0, 0x30) * 4;
    if (rng.Chance(0.5)) {
      // These do something, and have tests of their own.
      if (offset == WEFT_REG_CONTROL || offset == WEFT_REG_IRQ_STATUS ||
          offset == WEFT_REG_IRQ_TEST || offset == WEFT_REG_RING_LOG2 ||
          offset == WEFT_REG_RING_TAIL) {
        continue;
      }
      // A locked window has a test of its own.
      const bool window = offset >= WEFT_REG_WINDOW_FIRST(0) && offset < WEFT_REG_WINDOW_FIRST(8);
      const uint32_t value = static_cast<uint32_t>(rng.Bits()) & (window ? ~8u : ~0u);
      const int strobes = rng.Chance(0.9) ? 15 : static_cast<int>(rng.Int(0, 14));
      host.Write(offset, value, strobes);
      if (strobes == 15 && masks.count(offset)) values[offset] = value & masks[offset];
    } else {
      const uint32_t want = values.count(offset) ? values[offset] : 0;
      ASSERT_EQ(host.Read(offset), want) << "offset 0x" << std::hex << offset;
    }
    ASSERT_EQ(host->arcache_o, values[WEFT_REG_AXI_ATTR] & 15);
    ASSERT_EQ(host->arprot_o, values[WEFT_REG_AXI_ATTR] >> 4 & 7);
    ASSERT_EQ(host->awcache_o, values[WEFT_REG_AXI_ATTR] >> 8 & 15);
    ASSERT_EQ(host->awprot_o, values[WEFT_REG_AXI_ATTR] >> 12 & 7);
  }
}

TYPED_TEST(RegistersTest, Interrupts) {
  Rng rng;
  HostBench<TypeParam> host(rng);
  uint32_t status = 0, mask = 0;
  for (int i = 0; i < 300; ++i) {
    const uint32_t value = static_cast<uint32_t>(rng.Bits());
    switch (rng.Int(0, 2)) {
      case 0:
        host.Write(WEFT_REG_IRQ_TEST, value);
        status |= value & 3;
        break;
      case 1:
        host.Write(WEFT_REG_IRQ_STATUS, value);
        status &= ~value;
        break;
      default:
        host.Write(WEFT_REG_IRQ_MASK, value);
        mask = value & 3;
    }
    ASSERT_EQ(host->irq_o, (status & mask) != 0);
    ASSERT_EQ(host.Read(WEFT_REG_IRQ_STATUS), status);
    ASSERT_EQ(host.Read(WEFT_REG_IRQ_TEST), 0u);
  }
}

TYPED_TEST(RegistersTest, RingLog2IsLimited) {
  Rng rng;
  HostBench<TypeParam> host(rng);
  for (const uint32_t value : {0u, 1u, 12u, 13u, 15u, 16u, 0x80000000u, 5u}) {
    host.Write(WEFT_REG_RING_LOG2, value);
    EXPECT_EQ(host.Read(WEFT_REG_RING_LOG2), std::min(value, 12u));
  }
}

// The windows against a model: locks, writes while the device is busy, and what the hard reset and
// CONTROL.RESET leave.
TYPED_TEST(RegistersTest, Windows) {
  struct Window {
    uint32_t first = 0, last = 0, control = 0;
  };
  Rng rng;
  HostBench<TypeParam> host(rng);
  host.stall = 0;
  std::array<Window, 8> windows = {};
  bool busy = false, locks = false;
  int refused = 0;
  for (int i = 0; i < 8000; ++i) {
    const int64_t what = rng.Int(0, 99);
    Window& window = windows[static_cast<size_t>(rng.Int(0, 7))];
    const uint32_t index = static_cast<uint32_t>(&window - windows.data());
    if (what < 1) {
      host.mute = false;
      host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
      host.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY | WEFT_STATUS_HALTED, 0);
      busy = false;
    } else if (what < 2 && locks) {
      host.bench().Reset();
      windows = {};
      busy = locks = host.mute = false;
    } else if (what < 3 && !busy) {
      host.mute = true;  // the job stays where it is
      host.Write(WEFT_REG_RING_TAIL, 1);
      busy = true;
    } else if (what < 40) {
      uint32_t value = static_cast<uint32_t>(rng.Bits());
      if (!rng.Chance(0.3)) value &= ~WEFT_WINDOW_CONTROL_LOCK;
      const bool taken = !busy && (window.control & WEFT_WINDOW_CONTROL_LOCK) == 0;
      refused += !taken;
      switch (rng.Int(0, 3)) {
        case 0:
          host.Write(WEFT_REG_WINDOW_FIRST(index), value);
          if (taken) window.first = value;
          break;
        case 1:
          host.Write(WEFT_REG_WINDOW_LAST(index), value);
          if (taken) window.last = value;
          break;
        case 2:
          host.Write(WEFT_REG_WINDOW_CONTROL(index), value);
          if (taken) window.control = value & 15;
          if (taken && (value & WEFT_WINDOW_CONTROL_LOCK) != 0) locks = true;
          break;
        default:
          host.Write(WEFT_REG_WINDOW_CONTROL(index) + 4, value);  // nothing is there
      }
    } else {
      ASSERT_EQ(host.Read(WEFT_REG_WINDOW_FIRST(index)), window.first);
      ASSERT_EQ(host.Read(WEFT_REG_WINDOW_LAST(index)), window.last);
      ASSERT_EQ(host.Read(WEFT_REG_WINDOW_CONTROL(index)), window.control);
      ASSERT_EQ(host.Read(WEFT_REG_WINDOW_CONTROL(index) + 4), 0u);
    }
    for (size_t w = 0; w < windows.size(); ++w) {
      ASSERT_EQ(host->window_first_o[w], windows[w].first);
      ASSERT_EQ(host->window_last_o[w], windows[w].last);
      ASSERT_EQ(host->window_enable_o >> w & 1, windows[w].control & WEFT_WINDOW_CONTROL_ENABLE);
      ASSERT_EQ(host->window_read_o >> w & 1, windows[w].control >> 1 & 1);
      ASSERT_EQ(host->window_write_o >> w & 1, windows[w].control >> 2 & 1);
    }
  }
  EXPECT_GT(refused, 100);
}

// A halted device whose bursts have not ended is busy: its windows stay as they are.
TYPED_TEST(RegistersTest, WindowsWaitForTheBus) {
  Rng rng;
  HostBench<TypeParam> host(rng);
  host.mute = true;
  host.Write(WEFT_REG_WATCHDOG, 100);
  host.Write(WEFT_REG_RING_TAIL, 1);
  host.Await(WEFT_REG_STATUS, WEFT_STATUS_HALTED, WEFT_STATUS_HALTED);
  EXPECT_TRUE(host.busy_memory());
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_HALTED | WEFT_STATUS_BUSY);
  host.Write(WEFT_REG_WINDOW_LAST(3), 5);
  EXPECT_EQ(host.Read(WEFT_REG_WINDOW_LAST(3)), 0u);
  host.mute = false;
  host.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0);
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_HALTED);
  EXPECT_FALSE(host.busy_memory());
  host.Write(WEFT_REG_WINDOW_LAST(3), 5);
  EXPECT_EQ(host.Read(WEFT_REG_WINDOW_LAST(3)), 5u);
}

}  // namespace
}  // namespace weft
