// OpKernels of warp_affine and its derivatives on GPUs.

#include "custom_ops/common/cc/kernels/gpu_stream.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cuda.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_op.h"

namespace sg_keras {
namespace warp_affine {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// A call for the warp of images x to images y.
template <typename T, typename M, typename Call>
Call CallOf(const Tensor& x, const Tensor& y, const Tensor& theta) {
  Call call = {};
  call.type = GpuType<T>();
  call.matrix_type = GpuType<M>();
  call.images = theta.dim_size(0);
  call.channels = x.dim_size(3);
  call.input_height = x.dim_size(1);
  call.input_width = x.dim_size(2);
  call.output_height = y.dim_size(1);
  call.output_width = y.dim_size(2);
  call.theta = GpuData(theta);
  return call;
}

template <typename T, typename M>
class WarpAffineGpuOp : public WarpAffineOpBase {
 public:
  explicit WarpAffineGpuOp(OpKernelConstruction* context) : WarpAffineOpBase(context, "x") {}

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& theta, Tensor* y) override {
    auto call = CallOf<T, M, SgKerasWarpAffine>(x, *y, theta);
    call.source = GpuData(x);
    call.target = GpuData(y);
    OP_REQUIRES_OK(context, GpuStatus("warp_affine", sg_keras_cuda_warp_affine(&call, GpuStream(context))));
  }
};

template <typename T, typename M>
class WarpAffineTransposeGpuOp : public WarpAffineOpBase {
 public:
  explicit WarpAffineTransposeGpuOp(OpKernelConstruction* context) : WarpAffineOpBase(context, "dy") {}

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& theta, Tensor* dx) override {
    auto call = CallOf<T, M, SgKerasWarpAffine>(*dx, dy, theta);
    call.source = GpuData(dy);
    call.target = GpuData(dx);
    OP_REQUIRES_OK(context, GpuStatus("warp_affine_transpose",
                                      sg_keras_cuda_warp_affine_transpose(&call, GpuStream(context))));
  }
};

template <typename T, typename M>
class WarpAffineMatrixGradientGpuOp : public WarpAffineMatrixGradientOpBase {
 public:
  using WarpAffineMatrixGradientOpBase::WarpAffineMatrixGradientOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& x, const Tensor& theta, Tensor* dtheta) override {
    auto call = CallOf<T, M, SgKerasWarpAffineMatrixGradient>(x, dy, theta);
    call.dy = GpuData(dy);
    call.x = GpuData(x);
    call.dtheta = GpuData(dtheta);
    Tensor workspace;
    OP_REQUIRES_OK(context, AllocateWorkspace(context, sg_keras_cuda_warp_affine_matrix_gradient_workspace(&call),
                                              &workspace));
    call.workspace = GpuData(&workspace);
    OP_REQUIRES_OK(context, GpuStatus("warp_affine_matrix_gradient",
                                      sg_keras_cuda_warp_affine_matrix_gradient(&call, GpuStream(context))));
  }
};

#define TYPED(name, Images, Matrices) \
  Name(name).Device(tensorflow::DEVICE_GPU).TypeConstraint<Images>("T").TypeConstraint<Matrices>("M")
#define REGISTER(Images, Matrices)                                                                \
  REGISTER_KERNEL_BUILDER(TYPED("SgKeras>WarpAffine", Images, Matrices).HostMemory("size"),        \
                          WarpAffineGpuOp<Images, Matrices>);                                     \
  REGISTER_KERNEL_BUILDER(TYPED("SgKeras>WarpAffineTranspose", Images, Matrices).HostMemory("size"), \
                          WarpAffineTransposeGpuOp<Images, Matrices>);                            \
  REGISTER_KERNEL_BUILDER(TYPED("SgKeras>WarpAffineMatrixGradient", Images, Matrices),             \
                          WarpAffineMatrixGradientGpuOp<Images, Matrices>);
REGISTER(float, float)
REGISTER(double, double)
REGISTER(Eigen::half, float)
REGISTER(tensorflow::bfloat16, float)
#undef REGISTER
#undef TYPED

}  // namespace
}  // namespace warp_affine
}  // namespace sg_keras
