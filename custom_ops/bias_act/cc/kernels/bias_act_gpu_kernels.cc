// OpKernels of bias_act on GPUs.

#include "custom_ops/bias_act/cc/kernels/bias_act_cuda.h"
#include "custom_ops/bias_act/cc/kernels/bias_act_op.h"
#include "custom_ops/common/cc/kernels/gpu_stream.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// Fills in what all launchers take: the element type and the function.
template <typename T, typename Call>
Call CallOf(const BiasActParameters& parameters) {
  Call call = {};
  call.type = GpuType<T>();
  call.act = static_cast<int32_t>(parameters.act);
  call.alpha = parameters.alpha;
  call.gain = parameters.gain;
  call.clamp = parameters.clamp;
  return call;
}

template <typename T>
class BiasActGpuOp : public BiasActOpBase {
 public:
  using BiasActOpBase::BiasActOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& b, Tensor* y) override {
    auto call = CallOf<T, SgKerasBiasAct>(parameters_);
    call.channels = x.dim_size(x.dims() - 1);
    call.rows = x.NumElements() / call.channels;
    call.x = GpuData(x);
    call.b = b.NumElements() > 0 ? GpuData(b) : nullptr;
    call.y = GpuData(y);
    OP_REQUIRES_OK(context, GpuStatus("bias_act", sg_keras_cuda_bias_act(&call, GpuStream(context))));
  }
};

template <typename T>
class BiasActGradGpuOp : public BiasActGradOpBase {
 public:
  using BiasActGradOpBase::BiasActGradOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& at, int64_t channels, Tensor* dx,
           Tensor* db) override {
    auto call = CallOf<T, SgKerasBiasActGrad>(parameters_);
    call.of_result = of_result_;
    call.channels = channels;
    call.rows = dy.NumElements() / channels;
    call.dy = GpuData(dy);
    call.at = GpuData(at);
    call.dx = GpuData(dx);
    call.db = sum_bias_ ? GpuData(db) : nullptr;
    Tensor workspace;
    OP_REQUIRES_OK(context, AllocateWorkspace(context, sg_keras_cuda_bias_act_grad_workspace(&call), &workspace));
    call.workspace = GpuData(&workspace);
    OP_REQUIRES_OK(context, GpuStatus("bias_act_grad", sg_keras_cuda_bias_act_grad(&call, GpuStream(context))));
  }
};

template <typename T>
class ScaleBiasActGpuOp : public ScaleBiasActOpBase {
 public:
  using ScaleBiasActOpBase::ScaleBiasActOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& scale, const Tensor& noise, const Tensor& b,
           Tensor* y) override {
    auto call = CallOf<T, SgKerasScaleBiasAct>(parameters_);
    call.images = x.dim_size(0);
    call.pixels = x.dim_size(1) * x.dim_size(2);
    call.channels = x.dim_size(3);
    call.noise_images = noise.NumElements() > 0 ? noise.dim_size(0) : 0;
    call.x = GpuData(x);
    call.scale = GpuData(scale);
    call.noise = GpuData(noise);
    call.b = GpuData(b);
    call.y = GpuData(y);
    OP_REQUIRES_OK(context, GpuStatus("scale_bias_act", sg_keras_cuda_scale_bias_act(&call, GpuStream(context))));
  }
};

template <typename T>
class ScaleBiasActGradGpuOp : public ScaleBiasActGradOpBase {
 public:
  using ScaleBiasActGradOpBase::ScaleBiasActGradOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensors& tensors) override {
    auto call = CallOf<T, SgKerasScaleBiasActGrad>(parameters_);
    call.images = tensors.x.dim_size(0);
    call.pixels = tensors.x.dim_size(1) * tensors.x.dim_size(2);
    call.channels = tensors.x.dim_size(3);
    call.dy = GpuData(tensors.dy);
    call.y = GpuData(tensors.y);
    call.x = GpuData(tensors.x);
    call.scale = GpuData(tensors.scale);
    call.dx = GpuData(tensors.dx);
    call.dscale = GpuData(tensors.dscale);
    call.dnoise = GpuData(tensors.dnoise);
    call.db = GpuData(tensors.db);
    Tensor workspace;
    OP_REQUIRES_OK(context,
                   AllocateWorkspace(context, sg_keras_cuda_scale_bias_act_grad_workspace(&call), &workspace));
    call.workspace = GpuData(&workspace);
    OP_REQUIRES_OK(context,
                   GpuStatus("scale_bias_act_grad", sg_keras_cuda_scale_bias_act_grad(&call, GpuStream(context))));
  }
};

#define REGISTER(T)                                                                                                  \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>BiasAct").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),              \
                          BiasActGpuOp<T>);                                                                          \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>BiasActGrad").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),          \
                          BiasActGradGpuOp<T>);                                                                      \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ScaleBiasAct").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),         \
                          ScaleBiasActGpuOp<T>);                                                                     \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ScaleBiasActGrad").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),     \
                          ScaleBiasActGradGpuOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(Eigen::half)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
