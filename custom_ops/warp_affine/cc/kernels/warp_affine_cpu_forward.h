// y = W x: rows of warped images.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_FORWARD_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_FORWARD_H_

#include <algorithm>
#include <cstdint>

#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu_pixels.h"

namespace sg_keras {
namespace warp_affine {

// out[c] = pixel p of the run, where some of its neighbours may be outside.
template <typename T, typename A>
SG_KERAS_INLINE void WarpAtBorder(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t p,
                                  int64_t first_channel, int64_t count, A* __restrict__ out) {
  std::fill(out, out + count, A(0));
  for (int k = 0; k < 4; ++k) {
    const int64_t row = n.row[p] + k / 2;
    const int64_t column = n.column[p] + k % 2;
    if (!IsIndex(row, g.input_height) || !IsIndex(column, g.input_width)) continue;
    const T* neighbour = image + (row * g.input_width + column) * g.channels + first_channel;
    for (int64_t c = 0; c < count; ++c) out[c] += n.weights[p * 4 + k] * Load(neighbour[c]);
  }
}

// Gray pixels of a run that lies inside: nothing is asked pixel by pixel, so that the loop is vectorised.
template <typename T, typename A>
SG_KERAS_INLINE void WarpGrayInside(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t count,
                                    T* __restrict__ out) {
  const T* bottom = image + g.input_width;
  for (int64_t p = 0; p < count; ++p) {
    const int32_t offset = n.offset[p];
    const A right = n.right[p];
    const A lower = n.lower[p];
    const A upper_sum = (1 - right) * Load(image[offset]) + right * Load(image[offset + 1]);
    const A lower_sum = (1 - right) * Load(bottom[offset]) + right * Load(bottom[offset + 1]);
    Store((1 - lower) * upper_sum + lower * lower_sum, &out[p]);
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void WarpGray(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t count, T* out) {
  for (int64_t p = 0; p < count; ++p) {
    A sum;
    WarpAtBorder(image, g, n, p, 0, 1, &sum);
    Store(sum, &out[p]);
  }
}

// sum = pixel p of the run, and a fourth number that means nothing.
template <typename T, typename A>
SG_KERAS_INLINE void WarpRgbPixel(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t p,
                                  FourOf<A>* sum) {
  if (n.offset[p] < 0) {
    A values[4] = {};
    WarpAtBorder(image, g, n, p, 0, 3, values);
    LoadFour(values, sum);
    return;
  }
  const T* top = image + int64_t{n.offset[p]} * 3;
  const T* bottom = top + g.input_width * 3;
  const A* w = n.weights + p * 4;
  FourOf<A> top_left, top_right, bottom_left, bottom_right;
  LoadFour(top, &top_left);
  LoadFour(top + 3, &top_right);
  LoadFour(bottom, &bottom_left);
  LoadFour(bottom + 3, &bottom_right);
  *sum = w[0] * top_left + w[1] * top_right + w[2] * bottom_left + w[3] * bottom_right;
}

// Pixels are written as four numbers, the next one's first being overwritten in its turn.
template <typename T, typename A>
SG_KERAS_INLINE void WarpRgb(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t count, A* out) {
  FourOf<A> sum;
  for (int64_t p = 0; p < count - 1; ++p) {
    WarpRgbPixel(image, g, n, p, &sum);
    StoreFour(sum, out + p * 3);
  }
  WarpRgbPixel(image, g, n, count - 1, &sum);
  for (int64_t c = 0; c < 3; ++c) out[(count - 1) * 3 + c] = sum[c];
}

SG_KERAS_INLINE void WarpRgb(const BFloat16Bits* image, const WarpGeometry& g, const Neighbours<float>& n,
                             int64_t count, BFloat16Bits* out) {
  float line[kPixelBlock * 3];
  WarpRgb(image, g, n, count, line);
  for (int64_t i = 0; i < count * 3; ++i) Store(line[i], &out[i]);
}

template <typename T, typename A>
SG_KERAS_INLINE void WarpManyChannels(const T* image, const WarpGeometry& g, const Neighbours<A>& n, int64_t count,
                                      T* out) {
  const int64_t channels = g.channels;
  const int64_t row_elements = g.input_width * channels;
  for (int64_t p = 0; p < count; ++p) {
    T* __restrict__ target = out + p * channels;
    if (n.offset[p] < 0) {
      A sum[kChannelBlock];
      for (int64_t first = 0; first < channels; first += kChannelBlock) {
        const int64_t block = std::min(kChannelBlock, channels - first);
        WarpAtBorder(image, g, n, p, first, block, sum);
        for (int64_t c = 0; c < block; ++c) Store(sum[c], &target[first + c]);
      }
      continue;
    }
    const T* top = image + n.offset[p] * channels;
    const T* bottom = top + row_elements;
    const A* w = n.weights + p * 4;
    const A w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
    for (int64_t c = 0; c < channels; ++c) {
      Store(w0 * Load(top[c]) + w1 * Load(top[channels + c]) + w2 * Load(bottom[c]) + w3 * Load(bottom[channels + c]),
            &target[c]);
    }
  }
}

// Where all four neighbours are in the image, and the vectors that hold RGB pixels too.
SG_KERAS_INLINE Window InnerWindow(const WarpGeometry& g) {
  return {0, g.input_height - 1, 0, g.input_width - 1 - (g.channels == 3), g.input_width};
}

template <typename T, typename A>
SG_KERAS_INLINE void WarpRow(const T* image, const WarpGeometry& g, const AffineMap& map, int64_t row, T* out) {
  Neighbours<A> n;
  for (int64_t first = 0; first < g.output_width; first += kPixelBlock) {
    const PixelRun run{row, first, std::min(kPixelBlock, g.output_width - first)};
    Locate(map, g, run, InnerWindow(g), &n);
    T* target = out + first * g.channels;
    if (g.channels == 1 && n.all_inside) {
      WarpGrayInside(image, g, n, run.count, target);
      continue;
    }
    Weigh(run.count, &n);
    if (g.channels == 1) {
      WarpGray(image, g, n, run.count, target);
    } else if (g.channels == 3) {
      WarpRgb(image, g, n, run.count, target);
    } else {
      WarpManyChannels(image, g, n, run.count, target);
    }
  }
}

}  // namespace warp_affine
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_FORWARD_H_
