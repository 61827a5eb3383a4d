// What the OpKernels of upfirdn2d share on all devices: attributes, checks and the output. Arithmetic is left to
// subclasses.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_OP_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_OP_H_

#include <algorithm>
#include <limits>
#include <vector>

#include "custom_ops/common/cc/kernels/kernel_helpers.h"

namespace sg_keras {

// out[o] = sum over j of filter[j] * upsampled[o * down + j - pad_before] in both axes.
class UpFirDn2dOpBase : public tensorflow::OpKernel {
 public:
  explicit UpFirDn2dOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
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

  // `size` is in host memory on all devices.
  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& size = context->input(1);
    OP_REQUIRES(context, x.dims() == 4,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    OP_REQUIRES(context, size.dims() == 1 && size.NumElements() == 2,
                BadInput("size: found shape ", size.shape().DebugString(), ", expected (height, width)"));
    const int64_t height = size.vec<int32_t>()(0);
    const int64_t width = size.vec<int32_t>()(1);
    OP_REQUIRES(context, height >= 1 && width >= 1,
                BadInput("size: found ", height, "x", width, ", expected at least 1x1"));
    tensorflow::Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {x.dim_size(0), height, width, x.dim_size(3)}, &y));
    if (y->NumElements() == 0) return;
    OP_REQUIRES(context, x.NumElements() > 0,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected images of at least 1x1"));
    Run(context, x, y);
  }

 protected:
  // Neither x nor y is empty.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& x, tensorflow::Tensor* y) = 0;

  std::vector<int64_t> up_, down_, filter_size_, pad_before_;  // (y, x)
  std::vector<double> filter_, filter_y_, filter_x_;           // as they are applied: flipped if asked

 private:
  static absl::Status GetPair(tensorflow::OpKernelConstruction* context, const char* name, int64_t minimum,
                              std::vector<int64_t>* pair) {
    TF_RETURN_IF_ERROR(context->GetAttr(name, pair));
    if (pair->size() != 2 || (*pair)[0] < minimum || (*pair)[1] < minimum) {
      return BadInput(name, ": expected two numbers, (y, x), at least ", minimum);
    }
    return absl::OkStatus();
  }
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_OP_H_
