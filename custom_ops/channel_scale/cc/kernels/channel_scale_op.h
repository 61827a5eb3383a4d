// What the OpKernels of channel_scale share on all devices: checks and outputs. Arithmetic is left to subclasses.

#ifndef CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_OP_H_
#define CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_OP_H_

#include "custom_ops/common/cc/kernels/kernel_helpers.h"

namespace sg_keras {

// y[n, h, w, c] = x[n, h, w, c] * s[n, c].
class ChannelScaleOpBase : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& s = context->input(1);
    OP_REQUIRES(context,
                x.dims() == 4 && s.dims() == 2 && s.dim_size(0) == x.dim_size(0) && s.dim_size(1) == x.dim_size(3),
                BadInput("s: found shape ", s.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [N, C] and [N, H, W, C]"));
    tensorflow::Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    if (x.NumElements() > 0) Run(context, x, s, y);
  }

 protected:
  // x is not empty; y may be x.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& x, const tensorflow::Tensor& s,
                   tensorflow::Tensor* y) = 0;
};

// s[n, c] = sum over pixels of a * b.
class ChannelDotOpBase : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& a = context->input(0);
    const tensorflow::Tensor& b = context->input(1);
    OP_REQUIRES(context, a.dims() == 4 && a.shape() == b.shape(),
                BadInput("b: found shape ", b.shape().DebugString(), " for a of shape ", a.shape().DebugString(),
                         ", expected the same [N, H, W, C]"));
    tensorflow::Tensor* s = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {a.dim_size(0), a.dim_size(3)}, &s));
    if (s->NumElements() > 0) Run(context, a, b, s);
  }

 protected:
  // Pixels may be none, s is then 0.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& a, const tensorflow::Tensor& b,
                   tensorflow::Tensor* s) = 0;
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_OP_H_
