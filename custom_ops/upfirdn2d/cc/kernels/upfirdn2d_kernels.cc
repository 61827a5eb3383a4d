// OpKernel of upfirdn2d on CPUs.

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cpu.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_op.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerTap = 0.1;

template <typename T>
class UpFirDn2dOp : public UpFirDn2dOpBase {
 public:
  using UpFirDn2dOpBase::UpFirDn2dOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, Tensor* y) override {
    const int64_t height = y->dim_size(1);
    const int64_t width = y->dim_size(2);
    const Resampling resampling = MakeResampling(x, height, width);
    const auto* input = Data<T>(x);
    auto* output = MutableData<T>(y);
    const Destination destination = DestinationOf(y->TotalBytes());
    const auto run = [&](int64_t begin, int64_t end) { resampling.Rows(input, begin, end, destination, output); };
    const double taps = static_cast<double>(filter_size_[0]) / up_[0] + static_cast<double>(filter_size_[1]) / up_[1];
    RunSharded(context, x.dim_size(0) * height, width * x.dim_size(3) * taps * kNanosecondsPerTap, run);
  }

 private:
  using Resampling = UpFirDn2d<typename Element<T>::Type>;

  Resampling MakeResampling(const Tensor& x, int64_t height, int64_t width) const {
    const AxisGeometry vertical{up_[0], down_[0], pad_before_[0], x.dim_size(1), height};
    const AxisGeometry horizontal{up_[1], down_[1], pad_before_[1], x.dim_size(2), width};
    if (filter_.empty()) return Resampling(vertical, horizontal, filter_y_, filter_x_, x.dim_size(3));
    return Resampling(vertical, horizontal, filter_size_[0], filter_, x.dim_size(3));
  }
};

#define REGISTER(T)                                                                                        \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>Upfirdn2d").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          UpFirDn2dOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
