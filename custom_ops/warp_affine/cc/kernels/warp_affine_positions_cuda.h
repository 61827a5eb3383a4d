// Where warp_affine's CUDA kernels sample: positions of pixels, and the pixels whose positions lie near a given one.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_POSITIONS_CUDA_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_POSITIONS_CUDA_H_

#include <cfloat>

#include "custom_ops/common/cc/kernels/cuda_elements.h"

namespace sg_keras {
namespace cuda {
namespace warp_affine {

struct WarpSizes {
  int64_t images;
  int64_t channels;
  int64_t input_height;
  int64_t input_width;
  int64_t output_height;
  int64_t output_width;
};

// ------------------------------------------------------------------------------------------ positions

// position = column_step * u + row_step * v + offset; see AffinePosition in warp_affine_cpu.h.
struct WarpAxis {
  double column_step;
  double row_step;
  double offset;
};

struct WarpMap {
  WarpAxis x;
  WarpAxis y;
};

template <typename M>
__device__ __forceinline__ WarpAxis AxisOf(const M* theta, int64_t input_size, const WarpSizes& g) {
  const double size = static_cast<double>(input_size);
  return {theta[0] * (size / g.output_width), theta[1] * (size / g.output_height),
          (static_cast<double>(theta[2]) + 1) * (size / 2) - 0.5};
}

template <typename M>
__device__ __forceinline__ WarpMap MapOf(const M* theta, int64_t image, const WarpSizes& g) {
  return {AxisOf(theta + image * 6, g.input_width, g), AxisOf(theta + image * 6 + 3, g.input_height, g)};
}

// Counts from the centre of `size` pixels.
__device__ __forceinline__ double FromCentre(int64_t index, int64_t size) { return index + 0.5 * (1 - size); }

// The neighbours on an axis between which a position lies. Positions further outside than a pixel, or not finite, are
// moved to where no neighbour is in the image.
template <typename A>
struct Neighbours {
  int64_t first;
  A weights[2];
};

template <typename A>
__device__ __forceinline__ Neighbours<A> Locate(const WarpAxis& axis, double u, double v, int64_t size) {
  const double beyond = static_cast<double>(size + 1);
  double position = axis.row_step * v + axis.offset + axis.column_step * u;
  position = position > -2.0 ? position : -2.0;  // NaN too
  position = position < beyond ? position : beyond;
  int64_t whole = static_cast<int64_t>(position);
  whole -= position < whole;
  const A fraction = static_cast<A>(position - whole);
  return {whole, {1 - fraction, fraction}};
}

// ------------------------------------------------------------------------------------------ pixels near a position

struct Range {
  int64_t begin;
  int64_t end;
};

// Indices from `low` to `high`, which count from the centre of `size` pixels; all if the bounds are no numbers.
__device__ __forceinline__ Range IndicesBetween(double low, double high, int64_t size) {
  if (!(low <= high)) return {0, size};
  const double shift = 0.5 * (size - 1);
  const double begin = ceil(low + shift);
  const double last = floor(high + shift);
  return {begin > 0 ? (begin < size ? static_cast<int64_t>(begin) : size) : 0,
          last < size - 1 ? (last >= 0 ? static_cast<int64_t>(last) + 1 : 0) : size};
}

constexpr double kSlack = 1e-6;  // of bounds, beside their rounding errors: too many pixels do no harm, too few would

// Columns of row v whose position on the axis may be within one pixel of `centre`.
__device__ __forceinline__ Range ColumnsNear(const WarpAxis& axis, double v, double centre, int64_t size) {
  const double start = axis.row_step * v + axis.offset;
  if (axis.column_step == 0) return fabs(start - centre) <= 1 + kSlack ? Range{0, size} : Range{0, 0};
  const double middle = (centre - start) / axis.column_step;
  const double terms = fabs(axis.row_step * v) + fabs(axis.offset) + fabs(centre);
  const double reach = (1 + 16 * DBL_EPSILON * terms) / fabs(axis.column_step) + kSlack + 1e-12 * fabs(middle);
  return IndicesBetween(middle - reach, middle + reach, size);
}

// Rows with pixels whose position may be within one pixel of (x, y) on both axes; all rows where the map is singular.
__device__ __forceinline__ Range RowsNear(const WarpMap& map, double x, double y, int64_t size) {
  const double product = map.x.column_step * map.y.row_step;
  const double other = map.x.row_step * map.y.column_step;
  const double determinant = product - other;
  if (!(fabs(determinant) > 1e-6 * (fabs(product) + fabs(other)))) return {0, size};
  const double middle =
      (map.x.column_step * (y - map.y.offset) - map.y.column_step * (x - map.x.offset)) / determinant;
  const double across = fabs(map.x.column_step);
  const double down = fabs(map.y.column_step);
  const double terms = across * (fabs(y) + fabs(map.y.offset)) + down * (fabs(x) + fabs(map.x.offset));
  const double reach = (across + down + 1e-9 * terms) / fabs(determinant) * (1 + 1e-9) + kSlack;
  return IndicesBetween(middle - reach, middle + reach, size);
}

__device__ __forceinline__ bool IsFinite(const WarpAxis& axis) {
  const double sum = fabs(axis.column_step) + fabs(axis.row_step) + fabs(axis.offset);
  return sum <= DBL_MAX;
}

// The weight with which a position enters the pixel `index`.
template <typename A>
__device__ __forceinline__ A WeightAt(const Neighbours<A>& n, int64_t index) {
  if (n.first == index) return n.weights[0];
  return n.first + 1 == index ? n.weights[1] : A(0);
}

}  // namespace warp_affine
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_POSITIONS_CUDA_H_
