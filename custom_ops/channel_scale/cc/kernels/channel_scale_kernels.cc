// OpKernels of channel_scale on CPUs.

#include <algorithm>
#include <vector>

#include "custom_ops/channel_scale/cc/kernels/channel_scale_cpu.h"
#include "custom_ops/channel_scale/cc/kernels/channel_scale_op.h"
#include "custom_ops/common/cc/kernels/kernel_helpers.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerElement = 0.4;

template <typename T>
class ChannelScaleOp : public ChannelScaleOpBase {
 public:
  using ChannelScaleOpBase::ChannelScaleOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& s, Tensor* y) override {
    const int64_t height = x.dim_size(1);
    const int64_t width = x.dim_size(2);
    const int64_t channels = x.dim_size(3);
    const auto* source = Data<T>(x);
    const auto* scale = Data<T>(s);
    auto* target = MutableData<T>(y);
    const auto run = [&](int64_t begin, int64_t end) {  // rows of all images
      while (begin < end) {
        const int64_t image = begin / height;
        const int64_t rows = std::min(end, (image + 1) * height) - begin;
        const int64_t start = begin * width * channels;
        ScalePixels(source + start, scale + image * channels, rows * width, channels, target + start);
        begin += rows;
      }
    };
    RunSharded(context, x.dim_size(0) * height, width * channels * kNanosecondsPerElement, run);
  }
};

template <typename T>
class ChannelDotOp : public ChannelDotOpBase {
 public:
  using ChannelDotOpBase::ChannelDotOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& a, const Tensor& b, Tensor* s) override {
    const int64_t pixels = a.dim_size(1) * a.dim_size(2);
    const int64_t channels = a.dim_size(3);
    const auto* left = Data<T>(a);
    const auto* right = Data<T>(b);
    auto* target = MutableData<T>(s);
    const auto run = [&](int64_t begin, int64_t end) {
      using Number = typename Computation<typename Element<T>::Type>::Type;
      std::vector<Number> block_sum(channels);
      std::vector<Number> sum(channels);
      for (int64_t image = begin; image < end; ++image) {
        const int64_t start = image * pixels * channels;
        DotPixels(left + start, right + start, pixels, channels, block_sum.data(), sum.data());
        for (int64_t c = 0; c < channels; ++c) Store(sum[c], &target[image * channels + c]);
      }
    };
    RunSharded(context, a.dim_size(0), pixels * channels * kNanosecondsPerElement, run);
  }
};

#define REGISTER(T)                                                                                             \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ChannelScale").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),    \
                          ChannelScaleOp<T>);                                                                   \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ChannelDot").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),      \
                          ChannelDotOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
