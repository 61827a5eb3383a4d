#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu.h"

#include <algorithm>
#include <utility>

#include "custom_ops/common/cc/kernels/processor.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu_forward.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu_pixels.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu_transposed.h"

namespace sg_keras {
namespace warp_affine {
namespace {

constexpr int64_t kBandElements = 1 << 16;  // sums of a band of the transposed map, about: they stay in the cache
constexpr int64_t kMinBandRows = 8;

// ------------------------------------------------------------------------------------------ derivative by the matrix

// The sum over channels of dy times each neighbour, 0 for those outside.
template <int kChannels, typename T, typename A>
SG_KERAS_INLINE void DotNeighbours(const T* dy, const T* image, const WarpGeometry& g, int64_t row, int64_t column,
                                   A* dots) {
  const int64_t channels = kChannels > 0 ? kChannels : g.channels;
  for (int k = 0; k < 4; ++k) {
    A dot = 0;
    if (IsIndex(row + k / 2, g.input_height) && IsIndex(column + k % 2, g.input_width)) {
      const T* neighbour = image + ((row + k / 2) * g.input_width + column + k % 2) * channels;
#pragma omp simd reduction(+ : dot)
      for (int64_t c = 0; c < channels; ++c) dot += Load(dy[c]) * Load(neighbour[c]);
    }
    dots[k] = dot;
  }
}

// sums = the derivative by the position in x summed over the row, the same times u, and both of y.
template <int kChannels, typename T, typename A>
SG_KERAS_INLINE void MatrixGradientRow(const T* dy, const T* image, const WarpGeometry& g, const AffineMap& map,
                                       int64_t row, double* sums) {
  std::fill(sums, sums + 4, 0.0);
  Neighbours<A> n;
  for (int64_t first = 0; first < g.output_width; first += kPixelBlock) {
    const PixelRun run{row, first, std::min(kPixelBlock, g.output_width - first)};
    Locate(map, g, run, {-1, g.input_height, -1, g.input_width, g.input_width + 1}, &n);
    for (int64_t p = 0; p < run.count; ++p) {
      if (n.offset[p] < 0) continue;
      A dots[4];
      DotNeighbours<kChannels>(dy + (first + p) * g.channels, image, g, n.row[p], n.column[p], dots);
      const double by_x = (1 - n.lower[p]) * (dots[1] - dots[0]) + n.lower[p] * (dots[3] - dots[2]);
      const double by_y = (1 - n.right[p]) * (dots[2] - dots[0]) + n.right[p] * (dots[3] - dots[1]);
      const double u = FromCentre(first + p, g.output_width);
      sums[0] += by_x;
      sums[1] += by_x * u;
      sums[2] += by_y;
      sums[3] += by_y * u;
    }
  }
}

// The same for any number of channels.
template <typename T, typename A>
SG_KERAS_INLINE void MatrixGradientRowAny(const T* dy, const T* image, const WarpGeometry& g, const AffineMap& map,
                                          int64_t row, double* sums) {
  if (g.channels == 1) {
    MatrixGradientRow<1, T, A>(dy, image, g, map, row, sums);
  } else if (g.channels == 3) {
    MatrixGradientRow<3, T, A>(dy, image, g, map, row, sums);
  } else {
    MatrixGradientRow<0, T, A>(dy, image, g, map, row, sums);
  }
}

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

AffinePosition MakePosition(const double* theta, int64_t input_size, const WarpGeometry& g) {
  const double size = static_cast<double>(input_size);
  return {theta[0] * (size / g.output_width), theta[1] * (size / g.output_height), (theta[2] + 1) * (size / 2) - 0.5};
}

}  // namespace

AffineMap MakeAffineMap(const double* theta, const WarpGeometry& geometry) {
  return {MakePosition(theta, geometry.input_width, geometry),
          MakePosition(theta + 3, geometry.input_height, geometry)};
}

template <typename T>
WarpAffine<T>::WarpAffine(const WarpGeometry& geometry, std::vector<AffineMap> maps)
    : geometry_(geometry), maps_(std::move(maps)) {
  channel_blocks_ = DivideUp(geometry.channels, kChannelBlock);
  channel_block_ = DivideUp(geometry.channels, channel_blocks_);
  const Band row{0, 1, 0, channel_block_};
  const int64_t row_sums = BandWindow(geometry, row).pitch * LanesOf(geometry, row);
  bands_ = DivideUp(geometry.input_height, std::max(kMinBandRows, kBandElements / row_sums));
  band_rows_ = DivideUp(geometry.input_height, bands_);
}

template <typename T>
void WarpAffine<T>::Rows(const T* x, int64_t begin, int64_t end, T* y) const {
  const WarpGeometry& g = geometry_;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t image = row / g.output_height;
    OnProcessors<WarpRow<T, Sum>>::Run(x + image * (g.input_height * g.input_width * g.channels), g, maps_[image],
                                       row % g.output_height, y + row * (g.output_width * g.channels));
  }
}

template <typename T>
void WarpAffine<T>::TransposedBands(const T* dy, int64_t begin, int64_t end, T* dx) const {
  const WarpGeometry& g = geometry_;
  std::vector<Sum> sums;
  for (int64_t item = begin; item < end; ++item) {
    const int64_t image = item / (bands_ * channel_blocks_);
    const int64_t row = item / channel_blocks_ % bands_ * band_rows_;
    const int64_t channel = item % channel_blocks_ * channel_block_;
    const Band band{row, std::min(row + band_rows_, g.input_height), channel,
                    std::min(channel_block_, g.channels - channel)};
    if (band.begin >= band.end || band.channels <= 0) continue;  // sizes that the numbers of bands do not divide
    sums.assign(SumsOf(g, band), 0);
    OnProcessors<TransposeBand<T, Sum>>::Run(dy + image * (g.output_height * g.output_width * g.channels), g,
                                             maps_[image], band, sums.data(),
                                             dx + image * (g.input_height * g.input_width * g.channels));
  }
}

template <typename T>
void WarpAffine<T>::MatrixGradientRows(const T* dy, const T* x, int64_t begin, int64_t end, double* row_sums) const {
  const WarpGeometry& g = geometry_;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t image = row / g.output_height;
    OnProcessors<MatrixGradientRowAny<T, Sum>>::Run(dy + row * (g.output_width * g.channels),
                                                    x + image * (g.input_height * g.input_width * g.channels), g,
                                                    maps_[image], row % g.output_height, row_sums + row * kSumsPerRow);
  }
}

template <typename T>
void WarpAffine<T>::MatrixGradient(const double* row_sums, int64_t image, double* gradient) const {
  const WarpGeometry& g = geometry_;
  const double sizes[2] = {static_cast<double>(g.input_width), static_cast<double>(g.input_height)};
  std::fill(gradient, gradient + 6, 0.0);
  for (int64_t row = 0; row < g.output_height; ++row) {
    const double* sums = row_sums + (image * g.output_height + row) * kSumsPerRow;
    for (int axis = 0; axis < 2; ++axis) {
      gradient[axis * 3] += sums[axis * 2 + 1];
      gradient[axis * 3 + 1] += sums[axis * 2] * FromCentre(row, g.output_height);
      gradient[axis * 3 + 2] += sums[axis * 2];
    }
  }
  for (int axis = 0; axis < 2; ++axis) {
    gradient[axis * 3] *= sizes[axis] / g.output_width;
    gradient[axis * 3 + 1] *= sizes[axis] / g.output_height;
    gradient[axis * 3 + 2] *= sizes[axis] / 2;
  }
}

template class WarpAffine<float>;
template class WarpAffine<double>;
template class WarpAffine<BFloat16Bits>;

}  // namespace warp_affine
}  // namespace sg_keras
