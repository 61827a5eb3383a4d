// What the OpKernels of warp_affine share on all devices: checks and outputs. Arithmetic is left to subclasses.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_OP_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_OP_H_

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu.h"

namespace sg_keras {
namespace warp_affine {

inline absl::Status CheckImages(const char* name, const tensorflow::Tensor& images, const tensorflow::Tensor& theta) {
  if (images.dims() != 4 || images.dim_size(1) > kMaxWarpSide || images.dim_size(2) > kMaxWarpSide) {
    return BadInput(name, ": found shape ", images.shape().DebugString(), ", expected [N, H, W, C] of at most ",
                    kMaxWarpSide, " pixels a side");
  }
  if (theta.shape() != tensorflow::TensorShape({images.dim_size(0), 2, 3})) {
    return BadInput("theta: found shape ", theta.shape().DebugString(), " for ", name, " of shape ",
                    images.shape().DebugString(), ", expected [N, 2, 3]");
  }
  return absl::OkStatus();
}

// Reads `size`, (height, width), which is in host memory on all devices.
inline absl::Status GetSize(const tensorflow::Tensor& size, int64_t* height, int64_t* width) {
  if (size.dims() != 1 || size.NumElements() != 2) {
    return BadInput("size: found shape ", size.shape().DebugString(), ", expected (height, width)");
  }
  *height = size.vec<int32_t>()(0);
  *width = size.vec<int32_t>()(1);
  if (*height < 1 || *width < 1 || *height > kMaxWarpSide || *width > kMaxWarpSide) {
    return BadInput("size: found ", *height, "x", *width, ", expected 1 to ", kMaxWarpSide, " pixels a side");
  }
  return absl::OkStatus();
}

// y = W(theta) x, or the transposed map of dy to dx.
class WarpAffineOpBase : public tensorflow::OpKernel {
 public:
  WarpAffineOpBase(tensorflow::OpKernelConstruction* context, const char* source_name)
      : OpKernel(context), source_name_(source_name) {}

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& source = context->input(0);
    const tensorflow::Tensor& theta = context->input(1);
    int64_t height = 0;
    int64_t width = 0;
    OP_REQUIRES_OK(context, CheckImages(source_name_, source, theta));
    OP_REQUIRES_OK(context, GetSize(context->input(2), &height, &width));
    tensorflow::Tensor* target = nullptr;
    const tensorflow::TensorShape shape({source.dim_size(0), height, width, source.dim_size(3)});
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &target));
    if (target->NumElements() == 0) return;
    OP_REQUIRES(context, source.NumElements() > 0,
                BadInput(source_name_, ": found shape ", source.shape().DebugString(),
                         ", expected images of at least 1x1"));
    Run(context, source, theta, target);
  }

 protected:
  // Neither images are empty.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& source,
                   const tensorflow::Tensor& theta, tensorflow::Tensor* target) = 0;

 private:
  const char* source_name_;
};

// dtheta = the derivative of the sum of dy * W(theta) x by theta.
class WarpAffineMatrixGradientOpBase : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& dy = context->input(0);
    const tensorflow::Tensor& x = context->input(1);
    const tensorflow::Tensor& theta = context->input(2);
    OP_REQUIRES_OK(context, CheckImages("dy", dy, theta));
    OP_REQUIRES_OK(context, CheckImages("x", x, theta));
    OP_REQUIRES(context, dy.dim_size(3) == x.dim_size(3),
                BadInput("dy: found shape ", dy.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected as many channels"));
    tensorflow::Tensor* dtheta = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, theta.shape(), &dtheta));
    if (theta.NumElements() > 0) Run(context, dy, x, theta, dtheta);
  }

 protected:
  // dy or x may be without pixels or channels, dtheta is then 0.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& dy, const tensorflow::Tensor& x,
                   const tensorflow::Tensor& theta, tensorflow::Tensor* dtheta) = 0;
};

}  // namespace warp_affine
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_OP_H_
