// OpKernel of upfirdn2d on CPUs.

#include <memory>
#include <vector>

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cpu.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerTap = 0.1;

absl::Status GetPair(OpKernelConstruction* context, const char* name, int64_t minimum, std::vector<int64_t>* pair) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, pair));
  if (pair->size() != 2 || (*pair)[0] < minimum || (*pair)[1] < minimum) {
    return BadInput(name, ": expected two numbers, (y, x), at least ", minimum);
  }
  return absl::OkStatus();
}

template <typename T>
class UpFirDn2dOp : public OpKernel {
 public:
  explicit UpFirDn2dOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetPair(context, "up", 1, &up_));
    OP_REQUIRES_OK(context, GetPair(context, "down", 1, &down_));
    OP_REQUIRES_OK(context, GetPair(context, "filter_size", 1, &filter_size_));
    OP_REQUIRES_OK(context, GetPair(context, "pad_before", std::numeric_limits<int64_t>::min(), &pad_before_));
    OP_REQUIRES_OK(context, GetNumbers(context, "filter", &filter_));
    OP_REQUIRES_OK(context, GetNumbers(context, "filter_y", &filter_y_));
    OP_REQUIRES_OK(context, GetNumbers(context, "filter_x", &filter_x_));
    const size_t height = filter_size_[0];
    const size_t width = filter_size_[1];
    OP_REQUIRES(context,
                (filter_.empty() && filter_y_.size() == height && filter_x_.size() == width) ||
                    (filter_.size() == height * width && filter_y_.empty() && filter_x_.empty()),
                BadInput("filter_size: found ", height, "x", width, " with ", filter_.size(), " taps in filter, ",
                                filter_y_.size(), " in filter_y and ", filter_x_.size(), " in filter_x"));
    bool flip;
    OP_REQUIRES_OK(context, context->GetAttr("flip", &flip));
    if (!flip) return;
    for (auto* taps : {&filter_, &filter_y_, &filter_x_}) std::reverse(taps->begin(), taps->end());
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& size = context->input(1);
    OP_REQUIRES(context, x.dims() == 4,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    OP_REQUIRES(context, size.dims() == 1 && size.NumElements() == 2,
                BadInput("size: found shape ", size.shape().DebugString(), ", expected (height, width)"));
    const int64_t height = size.vec<int32_t>()(0);
    const int64_t width = size.vec<int32_t>()(1);
    OP_REQUIRES(context, height >= 1 && width >= 1,
                BadInput("size: found ", height, "x", width, ", expected at least 1x1"));
    const int64_t channels = x.dim_size(3);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {x.dim_size(0), height, width, channels}, &y));
    if (y->NumElements() == 0) return;
    OP_REQUIRES(context, x.NumElements() > 0,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected images of at least 1x1"));
    const Resampling resampling = MakeResampling(x, height, width);
    const auto* input = Data<T>(x);
    auto* output = MutableData<T>(y);
    const auto run = [&](int64_t begin, int64_t end) { resampling.Rows(input, begin, end, output); };
    const double taps = static_cast<double>(filter_size_[0]) / up_[0] + static_cast<double>(filter_size_[1]) / up_[1];
    RunSharded(context, x.dim_size(0) * height, width * channels * taps * kNanosecondsPerTap, run);
  }

 private:
  using Resampling = UpFirDn2d<typename Element<T>::Type>;

  Resampling MakeResampling(const Tensor& x, int64_t height, int64_t width) const {
    const AxisGeometry vertical{up_[0], down_[0], pad_before_[0], x.dim_size(1), height};
    const AxisGeometry horizontal{up_[1], down_[1], pad_before_[1], x.dim_size(2), width};
    if (filter_.empty()) return Resampling(vertical, horizontal, filter_y_, filter_x_, x.dim_size(3));
    return Resampling(vertical, horizontal, filter_size_[0], filter_, x.dim_size(3));
  }

  std::vector<int64_t> up_, down_, filter_size_, pad_before_;  // (y, x)
  std::vector<double> filter_, filter_y_, filter_x_;           // as they are applied: flipped if asked
};

#define REGISTER(T) \
  REGISTER_KERNEL_BUILDER(Name("SgKerasUpfirdn2d").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), UpFirDn2dOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
