// SPDX-License-Identifier: Apache-2.0
//
// Shapes shared by the kernels that slide a window over an image.
#pragma once

#include <cstddef>

namespace weft::reference {

/// A dense NHWC activation.
struct ImageShape {
  int batch = 1, height = 1, width = 1, channels = 1;

  size_t Count() const { return Offset(batch, 0, 0); }
  /// Index of channel 0 of one pixel.
  size_t Offset(int n, int y, int x) const {
    return ((static_cast<size_t>(n) * height + y) * width + x) * channels;
  }
  bool Contains(int y, int x) const { return y >= 0 && y < height && x >= 0 && x < width; }
};

/// Output pixel (y, x), tap (ky, kx) reads input pixel (InputRow(y, ky), InputColumn(x, kx)).
/// Rows and columns past the end of the image follow from the output shape, so only the padding
/// ahead of it is stated.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0;

  int InputRow(int y, int ky) const { return y * stride_h - pad_top + ky * dilation_h; }
  int InputColumn(int x, int kx) const { return x * stride_w - pad_left + kx * dilation_w; }
};

}  // namespace weft::reference
