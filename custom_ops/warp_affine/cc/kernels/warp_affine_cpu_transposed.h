// dx = W' dy: bands of the gradient of images.
//
// What the pixels of dy contribute is added to sums beside dx, in the order of dy. The sums have a margin for what
// falls beside the band, so that nothing need be asked neighbour by neighbour. Gray images have a pixel's four
// contributions side by side in one vector, to be added to its neighbours at the end.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_TRANSPOSED_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_TRANSPOSED_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu_pixels.h"

namespace sg_keras {
namespace warp_affine {

// Rows begin..end-1 and channels first_channel.. of a gradient dx.
struct Band {
  int64_t begin;
  int64_t end;
  int64_t first_channel;
  int64_t channels;
};

// Numbers that a pixel of the sums has.
SG_KERAS_INLINE int64_t LanesOf(const WarpGeometry& g, const Band& band) {
  return g.channels == 1 || g.channels == 3 ? 4 : band.channels;
}

// The sums' pixels: every top left neighbour that contributes to the band; and, but for gray, their neighbours.
SG_KERAS_INLINE Window BandWindow(const WarpGeometry& g, const Band& band) {
  return {band.begin - 1, band.end, -1, g.input_width, g.input_width + 1 + (g.channels > 1)};
}

inline int64_t SumsOf(const WarpGeometry& g, const Band& band) {
  return (band.end - band.begin + 1 + (g.channels > 1)) * BandWindow(g, band).pitch * LanesOf(g, band);
}

// The columns of a row of the result whose positions on an axis may lie in low..high: [first, second), too many rather
// than too few.
inline std::pair<int64_t, int64_t> ColumnsBetween(const AffinePosition& axis, double v, double low, double high,
                                                  int64_t size) {
  const double start = axis.row_step * v + axis.offset + axis.column_step * FromCentre(0, size);
  const double a = (low - start) / axis.column_step;
  const double b = (high - start) / axis.column_step;
  const double first = std::min(a, b) - 2;
  const double last = std::max(a, b) + 2;
  if (axis.column_step == 0 || !(first <= last)) return {0, size};
  const auto clamp = [size](double column) {
    return static_cast<int64_t>(std::max(0.0, std::min(column, static_cast<double>(size))));
  };
  return {clamp(first), clamp(last + 1)};
}

template <typename Vector, typename A>
SG_KERAS_INLINE void AddVector(const Vector& value, A* sum) {
  Vector total;
  std::memcpy(&total, sum, sizeof(total));
  total += value;
  std::memcpy(sum, &total, sizeof(total));
}

template <typename T, typename A>
SG_KERAS_INLINE void AddGray(const T* dy, const Neighbours<A>& n, int64_t count, A* sums) {
  for (int64_t p = 0; p < count; ++p) {
    if (n.offset[p] < 0) continue;
    FourOf<A> weights;
    LoadFour(n.weights + p * 4, &weights);
    AddVector(weights * Load(dy[p]), sums + int64_t{n.offset[p]} * 4);
  }
}

template <typename A>
SG_KERAS_INLINE void AddRgbPixel(const FourOf<A>& value, int64_t pitch, const Neighbours<A>& n, int64_t p, A* sums) {
  if (n.offset[p] < 0) return;
  A* top = sums + int64_t{n.offset[p]} * 4;
  A* bottom = top + pitch * 4;
  const A* w = n.weights + p * 4;
  AddVector(w[0] * value, top);
  AddVector(w[1] * value, top + 4);
  AddVector(w[2] * value, bottom);
  AddVector(w[3] * value, bottom + 4);
}

template <typename T, typename A>
SG_KERAS_INLINE void AddRgb(const T* dy, int64_t pitch, const Neighbours<A>& n, int64_t count, A* sums) {
  FourOf<A> value;
  for (int64_t p = 0; p < count - 1; ++p) {  // the last pixel may have no number after it that could be read
    LoadFour(dy + p * 3, &value);
    AddRgbPixel(value, pitch, n, p, sums);
  }
  const T* last = dy + (count - 1) * 3;
  value = FourOf<A>{Load(last[0]), Load(last[1]), Load(last[2]), A(0)};
  AddRgbPixel(value, pitch, n, count - 1, sums);
}

template <typename T, typename A>
SG_KERAS_INLINE void AddChannels(const T* dy, int64_t dy_channels, int64_t channels, int64_t pitch,
                                 const Neighbours<A>& n, int64_t count, A* sums) {
  for (int64_t p = 0; p < count; ++p) {
    if (n.offset[p] < 0) continue;
    A* top = sums + n.offset[p] * channels;
    A values[kChannelBlock];
    for (int64_t c = 0; c < channels; ++c) values[c] = Load(dy[p * dy_channels + c]);
    for (int k = 0; k < 4; ++k) {
      A* __restrict__ sum = top + (k / 2 * pitch + k % 2) * channels;
      const A weight = n.weights[p * 4 + k];
      for (int64_t c = 0; c < channels; ++c) sum[c] += weight * values[c];
    }
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void AddTransposedRow(const T* dy, const WarpGeometry& g, const AffineMap& map, const Band& band,
                                      int64_t row, A* sums) {
  const double v = FromCentre(row, g.output_height);
  const auto by_row = ColumnsBetween(map.y, v, band.begin - 1, band.end, g.output_width);
  const auto by_column = ColumnsBetween(map.x, v, -1, g.input_width, g.output_width);
  const int64_t end = std::min(by_row.second, by_column.second);
  const Window window = BandWindow(g, band);
  Neighbours<A> n;
  for (int64_t first = std::max(by_row.first, by_column.first), next; first < end; first = next) {
    next = (first / kPixelBlock + 1) * kPixelBlock;
    const PixelRun run{row, first, std::min(next, end) - first};
    Locate(map, g, run, window, &n);
    Weigh(run.count, &n);
    const T* source = dy + (row * g.output_width + first) * g.channels + band.first_channel;
    if (g.channels == 1) {
      AddGray(source, n, run.count, sums);
    } else if (g.channels == 3) {
      AddRgb(source, window.pitch, n, run.count, sums);
    } else {
      AddChannels(source, g.channels, band.channels, window.pitch, n, run.count, sums);
    }
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void StoreGray(const A* sums, const WarpGeometry& g, const Band& band, T* dx) {
  const int64_t pitch = BandWindow(g, band).pitch * 4;
  for (int64_t row = band.begin; row < band.end; ++row) {
    const A* __restrict__ above = sums + (row - band.begin) * pitch;
    const A* __restrict__ below = above + pitch;
    for (int64_t column = 0; column < g.input_width; ++column) {
      Store((below[column * 4 + 4] + below[column * 4 + 1]) + (above[column * 4 + 6] + above[column * 4 + 3]),
            &dx[row * g.input_width + column]);
    }
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void StoreRgb(const A* sums, const WarpGeometry& g, const Band& band, T* dx) {
  const int64_t pitch = BandWindow(g, band).pitch * 4;
  for (int64_t row = band.begin; row < band.end; ++row) {
    const A* source = sums + (row - band.begin + 1) * pitch + 4;
    T* target = dx + row * g.input_width * 3;
    FourOf<A> sum;
    for (int64_t column = 0; column < g.input_width - 1; ++column) {
      LoadFour(source + column * 4, &sum);
      StoreFour(sum, target + column * 3);
    }
    const int64_t last = g.input_width - 1;
    for (int64_t c = 0; c < 3; ++c) Store(source[last * 4 + c], &target[last * 3 + c]);
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void StoreChannels(const A* sums, const WarpGeometry& g, const Band& band, T* dx) {
  const int64_t lanes = band.channels;
  const int64_t pitch = BandWindow(g, band).pitch * lanes;
  for (int64_t row = band.begin; row < band.end; ++row) {
    const A* __restrict__ source = sums + (row - band.begin + 1) * pitch + lanes;
    T* __restrict__ target = dx + row * g.input_width * g.channels + band.first_channel;
    for (int64_t column = 0; column < g.input_width; ++column) {
      for (int64_t c = 0; c < band.channels; ++c) Store(source[column * lanes + c], &target[column * g.channels + c]);
    }
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void TransposeBand(const T* dy, const WarpGeometry& g, const AffineMap& map, const Band& band, A* sums,
                                   T* dx) {
  for (int64_t row = 0; row < g.output_height; ++row) AddTransposedRow(dy, g, map, band, row, sums);
  if (g.channels == 1) {
    StoreGray(sums, g, band, dx);
  } else if (g.channels == 3) {
    StoreRgb(sums, g, band, dx);
  } else {
    StoreChannels(sums, g, band, dx);
  }
}

}  // namespace warp_affine
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_TRANSPOSED_H_
