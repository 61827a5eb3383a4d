// OpKernels of warp_affine and its derivatives on CPUs.

#include <vector>

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_op.h"

namespace sg_keras {
namespace warp_affine {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerPixel = 1.5;
constexpr double kNanosecondsPerElement = 0.4;

double PixelCost(int64_t channels) { return kNanosecondsPerPixel + channels * kNanosecondsPerElement; }

// The warp of images x to images y.
template <typename T, typename M>
WarpAffine<typename Element<T>::Type> WarpOf(const Tensor& x, const Tensor& y, const Tensor& theta) {
  const WarpGeometry geometry{x.dim_size(1), x.dim_size(2), y.dim_size(1), y.dim_size(2), x.dim_size(3)};
  const auto numbers = theta.flat<M>();
  std::vector<AffineMap> maps;
  maps.reserve(theta.dim_size(0));
  for (int64_t image = 0; image < theta.dim_size(0); ++image) {
    double matrix[6];
    for (int64_t k = 0; k < 6; ++k) matrix[k] = static_cast<double>(numbers(image * 6 + k));
    maps.push_back(MakeAffineMap(matrix, geometry));
  }
  return WarpAffine<typename Element<T>::Type>(geometry, maps);
}

template <typename T, typename M>
class WarpAffineOp : public WarpAffineOpBase {
 public:
  explicit WarpAffineOp(OpKernelConstruction* context) : WarpAffineOpBase(context, "x") {}

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& theta, Tensor* y) override {
    const auto warp = WarpOf<T, M>(x, *y, theta);
    const auto* source = Data<T>(x);
    auto* target = MutableData<T>(y);
    const auto run = [&](int64_t begin, int64_t end) { warp.Rows(source, begin, end, target); };
    RunSharded(context, y->dim_size(0) * y->dim_size(1), y->dim_size(2) * PixelCost(y->dim_size(3)), run);
  }
};

template <typename T, typename M>
class WarpAffineTransposeOp : public WarpAffineOpBase {
 public:
  explicit WarpAffineTransposeOp(OpKernelConstruction* context) : WarpAffineOpBase(context, "dy") {}

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& theta, Tensor* dx) override {
    const auto warp = WarpOf<T, M>(*dx, dy, theta);
    const auto* source = Data<T>(dy);
    auto* target = MutableData<T>(dx);
    const auto run = [&](int64_t begin, int64_t end) { warp.TransposedBands(source, begin, end, target); };
    const int64_t channels = dy.dim_size(3);
    const double pixels = static_cast<double>(dy.NumElements() + dx->NumElements()) / channels;
    RunSharded(context, warp.BandCount(), pixels * PixelCost(channels) / warp.BandCount(), run);
  }
};

template <typename T, typename M>
class WarpAffineMatrixGradientOp : public WarpAffineMatrixGradientOpBase {
 public:
  using WarpAffineMatrixGradientOpBase::WarpAffineMatrixGradientOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& x, const Tensor& theta, Tensor* dtheta) override {
    auto gradient = dtheta->flat<M>();
    gradient.setZero();
    if (dy.NumElements() == 0 || x.NumElements() == 0) return;
    const auto warp = WarpOf<T, M>(x, dy, theta);
    const auto* cotangent = Data<T>(dy);
    const auto* images = Data<T>(x);
    const int64_t rows = dy.dim_size(0) * dy.dim_size(1);
    std::vector<double> row_sums(rows * warp.kSumsPerRow);
    const auto run = [&](int64_t begin, int64_t end) {
      warp.MatrixGradientRows(cotangent, images, begin, end, row_sums.data());
    };
    RunSharded(context, rows, 2 * dy.dim_size(2) * PixelCost(dy.dim_size(3)), run);
    for (int64_t image = 0; image < theta.dim_size(0); ++image) {
      double matrix[6];
      warp.MatrixGradient(row_sums.data(), image, matrix);
      for (int64_t k = 0; k < 6; ++k) gradient(image * 6 + k) = static_cast<M>(matrix[k]);
    }
  }
};

#define REGISTER_OP_OF(name, kernel, Images, Matrices)                   \
  REGISTER_KERNEL_BUILDER(Name(name)                                     \
                              .Device(tensorflow::DEVICE_CPU)            \
                              .TypeConstraint<Images>("T")               \
                              .TypeConstraint<Matrices>("M"),            \
                          kernel<Images, Matrices>);
#define REGISTER(Images, Matrices)                                                                 \
  REGISTER_OP_OF("SgKeras>WarpAffine", WarpAffineOp, Images, Matrices)                              \
  REGISTER_OP_OF("SgKeras>WarpAffineTranspose", WarpAffineTransposeOp, Images, Matrices)            \
  REGISTER_OP_OF("SgKeras>WarpAffineMatrixGradient", WarpAffineMatrixGradientOp, Images, Matrices)
REGISTER(float, float)
REGISTER(double, double)
REGISTER(tensorflow::bfloat16, float)
#undef REGISTER
#undef REGISTER_OP_OF

}  // namespace
}  // namespace warp_affine
}  // namespace sg_keras
