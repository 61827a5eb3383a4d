// OpKernels of channel_scale on GPUs.

#include "custom_ops/channel_scale/cc/kernels/channel_scale_cuda.h"
#include "custom_ops/channel_scale/cc/kernels/channel_scale_op.h"
#include "custom_ops/common/cc/kernels/gpu_stream.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T, typename Call>
Call CallOf(const Tensor& images) {
  Call call = {};
  call.type = GpuType<T>();
  call.images = images.dim_size(0);
  call.pixels = images.dim_size(1) * images.dim_size(2);
  call.channels = images.dim_size(3);
  return call;
}

template <typename T>
class ChannelScaleGpuOp : public ChannelScaleOpBase {
 public:
  using ChannelScaleOpBase::ChannelScaleOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& s, Tensor* y) override {
    auto call = CallOf<T, SgKerasChannelScale>(x);
    call.x = GpuData(x);
    call.s = GpuData(s);
    call.y = GpuData(y);
    OP_REQUIRES_OK(context, GpuStatus("channel_scale", sg_keras_cuda_channel_scale(&call, GpuStream(context))));
  }
};

template <typename T>
class ChannelDotGpuOp : public ChannelDotOpBase {
 public:
  using ChannelDotOpBase::ChannelDotOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& a, const Tensor& b, Tensor* s) override {
    auto call = CallOf<T, SgKerasChannelDot>(a);
    call.a = GpuData(a);
    call.b = GpuData(b);
    call.s = GpuData(s);
    Tensor workspace;
    OP_REQUIRES_OK(context, AllocateWorkspace(context, sg_keras_cuda_channel_dot_workspace(&call), &workspace));
    call.workspace = GpuData(&workspace);
    OP_REQUIRES_OK(context, GpuStatus("channel_dot", sg_keras_cuda_channel_dot(&call, GpuStream(context))));
  }
};

#define REGISTER(T)                                                                                             \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ChannelScale").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),    \
                          ChannelScaleGpuOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ChannelDot").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),      \
                          ChannelDotGpuOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(Eigen::half)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
