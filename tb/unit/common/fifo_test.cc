// SPDX-License-Identifier: Apache-2.0
#include "Vweft_fifo1.h"
#include "Vweft_fifo2.h"
#include "Vweft_fifo5.h"
#include "tb/lib/bench.h"

namespace weft {
namespace {

using testing::Bench;
using testing::Rng;
using testing::Sink;
using testing::Source;

template <typename M, int kFifoDepth>
struct Fifo {
  using Model = M;
  static constexpr int kDepth = kFifoDepth;
};

template <typename T>
class FifoTest : public ::testing::Test {};
using Fifos = ::testing::Types<Fifo<Vweft_fifo1, 1>, Fifo<Vweft_fifo2, 2>, Fifo<Vweft_fifo5, 5>>;
TYPED_TEST_SUITE(FifoTest, Fifos);

TYPED_TEST(FifoTest, KeepsOrderUnderRandomStalls) {
  Rng rng;
  Bench<typename TypeParam::Model> bench;
  const double stalls[][2] = {{0.0, 0.0}, {0.0, 0.7}, {0.7, 0.0}, {0.4, 0.4}};
  for (const auto& [in_stall, out_stall] : stalls) {
    Source<uint32_t> in(rng, in_stall);
    Sink out(rng, out_stall);
    std::deque<uint32_t> sent;
    for (int i = 0; i < 2000; ++i) {
      sent.push_back(static_cast<uint32_t>(rng.Bits()) & 0x1fffff);
      in.Push(sent.back());
    }
    int held = 0;
    while (!sent.empty()) {
      bench->valid_i = in.valid();
      bench->data_i = in.valid() ? in.data() : rng.Bits() & 0x1fffff;
      bench->ready_i = out.ready();
      bench.Settle();
      // Full and empty are exact: every place is used, and data is there the cycle after.
      ASSERT_EQ(bench->ready_o, held < TypeParam::kDepth);
      ASSERT_EQ(bench->valid_o, held > 0);
      held += bench->valid_i && bench->ready_o;
      if (out.Takes(bench->valid_o)) {
        ASSERT_EQ(bench->data_o, sent.front());
        sent.pop_front();
        --held;
      }
      in.Step(bench->ready_o);
      out.Step();
      bench.Tick();
    }
  }
}

TYPED_TEST(FifoTest, ResetEmpties) {
  Bench<typename TypeParam::Model> bench;
  bench->ready_i = 0;
  bench->valid_i = 1;
  bench->data_i = 7;
  bench.Tick();
  EXPECT_EQ(bench->valid_o, 1);
  bench->valid_i = 0;
  bench.Reset();
  EXPECT_EQ(bench->valid_o, 0);
  EXPECT_EQ(bench->ready_o, 1);
}

}  // namespace
}  // namespace weft
