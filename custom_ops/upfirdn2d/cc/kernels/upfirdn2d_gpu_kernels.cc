// OpKernel of upfirdn2d on GPUs.

#include <algorithm>

#include "custom_ops/common/cc/kernels/gpu_stream.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cuda.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_op.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T>
class UpFirDn2dGpuOp : public UpFirDn2dOpBase {
 public:
  using UpFirDn2dOpBase::UpFirDn2dOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, Tensor* y) override {
    SgKerasUpfirdn2d call = {};
    call.type = GpuType<T>();
    call.images = x.dim_size(0);
    call.channels = x.dim_size(3);
    for (int i : {0, 1}) {
      call.size[i] = x.dim_size(1 + i);
      call.result_size[i] = y->dim_size(1 + i);
    }
    std::copy(up_.begin(), up_.end(), call.up);
    std::copy(down_.begin(), down_.end(), call.down);
    std::copy(pad_before_.begin(), pad_before_.end(), call.pad_before);
    std::copy(filter_size_.begin(), filter_size_.end(), call.filter_size);
    if (filter_.empty()) {
      call.filter_y = filter_y_.data();
      call.filter_x = filter_x_.data();
    } else {
      call.filter = filter_.data();
    }
    call.x = GpuData(x);
    call.y = GpuData(y);
    Tensor workspace;
    OP_REQUIRES_OK(context, AllocateWorkspace(context, sg_keras_cuda_upfirdn2d_workspace(&call), &workspace));
    call.workspace = GpuData(&workspace);
    OP_REQUIRES_OK(context, GpuStatus("upfirdn2d", sg_keras_cuda_upfirdn2d(&call, GpuStream(context))));
  }
};

#define REGISTER(T)                                                                                                   \
  REGISTER_KERNEL_BUILDER(                                                                                            \
      Name("SgKeras>Upfirdn2d").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T").HostMemory("size"),              \
      UpFirDn2dGpuOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(Eigen::half)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
