// The arithmetic of warp_affine on channels-last images, free of TensorFlow.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_H_

#include <cstdint>
#include <vector>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

namespace sg_keras {
namespace warp_affine {

// Sizes of the images and of the result; each side at most kMaxWarpSide.
struct WarpGeometry {
  int64_t input_height;
  int64_t input_width;
  int64_t output_height;
  int64_t output_width;
  int64_t channels;
};

constexpr int64_t kMaxWarpSide = 1 << 15;  // positions of pixels are 32 bit numbers

// Where pixel (i, j) of the result lies in the image: position = column_step * u + row_step * v + offset on each axis,
// in pixels, u and v being j and i counted from the centre of the result. Whole numbers are centres of pixels. Counting
// from the centre makes the identity, flips and quarter turns exact.
struct AffinePosition {
  double column_step;
  double row_step;
  double offset;
};

struct AffineMap {
  AffinePosition x;
  AffinePosition y;
};

// The map of a matrix [2, 3] in coordinates from -1 to 1.
AffineMap MakeAffineMap(const double* theta, const WarpGeometry& geometry);

// Bilinear warps of a batch of images, one map each. Sums are taken in an order that depends on nothing but the sizes.
template <typename T>
class WarpAffine {
 public:
  WarpAffine(const WarpGeometry& geometry, std::vector<AffineMap> maps);

  // y = W x: computes rows begin..end-1 of the result, counted over all images.
  void Rows(const T* x, int64_t begin, int64_t end, T* y) const;

  // dx = W' dy: computes bands begin..end-1. A band is some rows and some channels of dx.
  int64_t BandCount() const { return static_cast<int64_t>(maps_.size()) * bands_ * channel_blocks_; }
  void TransposedBands(const T* dy, int64_t begin, int64_t end, T* dx) const;

  // The derivative of <dy, W x> by the matrices: first sums over rows begin..end-1 of dy, kSumsPerRow numbers each,
  // then the derivative [2, 3] of an image from all of its rows' sums.
  static constexpr int64_t kSumsPerRow = 4;
  void MatrixGradientRows(const T* dy, const T* x, int64_t begin, int64_t end, double* row_sums) const;
  void MatrixGradient(const double* row_sums, int64_t image, double* gradient) const;

 private:
  using Sum = typename Computation<T>::Type;

  WarpGeometry geometry_;
  std::vector<AffineMap> maps_;
  // How the transposed map is cut up: so that the sums of a band stay in the cache.
  int64_t bands_;
  int64_t band_rows_;
  int64_t channel_blocks_;
  int64_t channel_block_;
};

}  // namespace warp_affine
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_H_
