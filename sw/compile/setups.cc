// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/setups.h"

namespace weft::compile {
namespace {

SetupInputCmd InputOf(const Patch& patch) {
  const Layer& layer = patch.layer();
  const Surface& in = patch.in;
  const bool dense = layer.kind == LayerKind::kDense;
  return {.mode = dense                               ? 0
                  : layer.kind == LayerKind::kMaximum ? 2
                  : layer.pixel_pairs()               ? 3
                                                      : 1,
          .in_addr = in.address,
          .in_pitch = in.pitch,
          .in_rows = in.rows,
          .in_row_bytes = in.row_bytes,
          .pixel_bytes = in.pixel,
          .step_bytes = layer.stride_w * in.pixel,
          .stride_rows = layer.stride_h / in.row_step,
          .kernel_rows = layer.kernel_h,
          .kernel_span = dense ? int64_t{layer.kernel_w} * layer.in.extent.c : layer.kernel_w,
          .pad_value = layer.pad_value};
}

SetupOutputCmd OutputOf(const Patch& patch, const Multiplier& multiplier) {
  const Layer& layer = patch.layer();
  const bool per_tensor = layer.per_tensor();
  return {.out_pitch = patch.result.pitch,
          .out_pixel = patch.result.pixel,
          .rounding = layer.rounding,
          .per_tensor = per_tensor,
          .has_params = layer.has_params(),
          .add = layer.has_add && layer.IsRun(),
          .multiplier = per_tensor ? multiplier.m : 0,
          .shift = per_tensor ? multiplier.shift : 0,
          .zero_point = layer.zero_point,
          .clamp_low = layer.clamp.low,
          .clamp_high = layer.clamp.high};
}

SetupAddCmd AddOf(const Patch& patch) {
  const Layer& layer = patch.layer();
  SetupAddCmd setup;
  if (!layer.IsRun()) setup.a_pitch = patch.in.pitch;
  if (!layer.has_add) {
    setup.a_zero_point = layer.in_zero_point;
    return setup;
  }
  const Addition& add = layer.add;
  setup.b_pitch = patch.residual.pitch;
  setup.left_shift = Addition::kLeftShift;
  setup.a_zero_point = add.a_zero_point;
  setup.a_multiplier = add.a.m;
  setup.a_shift = add.a.shift;
  setup.b_zero_point = add.b_zero_point;
  setup.b_multiplier = add.b.m;
  setup.b_shift = add.b.shift;
  setup.sum_multiplier = add.sum.m;
  setup.sum_shift = add.sum.shift;
  setup.sum_zero_point = add.sum_zero_point;
  setup.sum_clamp_low = add.clamp.low;
  setup.sum_clamp_high = add.clamp.high;
  return setup;
}

}  // namespace

void Setups::Put(const Patch& patch, const Multiplier& multiplier) {
  const Layer& layer = patch.layer();
  if (layer.kind == LayerKind::kSoftmax) return;  // its command says all
  PutChanged(OutputOf(patch, multiplier), output_, layer);
  if (layer.has_add || layer.kind == LayerKind::kRequantize) PutChanged(AddOf(patch), add_, layer);
  if (layer.IsRun()) PutChanged(InputOf(patch), input_, layer);
}

}  // namespace weft::compile
