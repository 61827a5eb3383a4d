// What the OpKernels of bias_act share on all devices: attributes, checks and outputs. Arithmetic is left to
// subclasses.

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_OP_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_OP_H_

#include <string>

#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"
#include "custom_ops/common/cc/kernels/kernel_helpers.h"

namespace sg_keras {

inline absl::Status GetParameters(tensorflow::OpKernelConstruction* context, BiasActParameters* parameters) {
  std::string act;
  TF_RETURN_IF_ERROR(context->GetAttr("act", &act));
  if (!ParseActivation(act, &parameters->act)) {
    return BadInput("act: found '", act, "', expected a known activation");
  }
  TF_RETURN_IF_ERROR(GetNumber(context, "alpha", &parameters->alpha));
  TF_RETURN_IF_ERROR(GetNumber(context, "gain", &parameters->gain));
  return GetNumber(context, "clamp", &parameters->clamp);
}

inline bool IsPiecewiseLinear(Activation act) {
  return act == Activation::kLinear || act == Activation::kRelu || act == Activation::kLrelu;
}

// y = clamp(gain * act(x + b)).
class BiasActOpBase : public tensorflow::OpKernel {
 public:
  explicit BiasActOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& b = context->input(1);
    OP_REQUIRES(context, x.dims() >= 1, BadInput("x: found a scalar, expected at least one axis"));
    const int64_t channels = x.dim_size(x.dims() - 1);
    OP_REQUIRES(context, b.dims() == 1 && (b.NumElements() == 0 || b.NumElements() == channels),
                BadInput("b: found shape ", b.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [C] or [0]"));
    tensorflow::Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    if (x.NumElements() > 0) Run(context, x, b, y);
  }

 protected:
  // x is not empty; b may be; y may be x.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& x, const tensorflow::Tensor& b,
                   tensorflow::Tensor* y) = 0;

  BiasActParameters parameters_;
};

// dx = dy times the slope of bias_act, and its sum over all axes but the last.
class BiasActGradOpBase : public tensorflow::OpKernel {
 public:
  explicit BiasActGradOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES_OK(context, context->GetAttr("of_result", &of_result_));
    OP_REQUIRES_OK(context, context->GetAttr("sum_bias", &sum_bias_));
    const bool piecewise = IsPiecewiseLinear(parameters_.act);
    OP_REQUIRES(context, !of_result_ || (piecewise && parameters_.alpha >= 0 && parameters_.gain >= 0),
                BadInput("of_result: expected a piecewise linear activation with neither alpha nor gain below 0"));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& dy = context->input(0);
    const tensorflow::Tensor& at = context->input(1);
    OP_REQUIRES(context, dy.dims() >= 1 && dy.shape() == at.shape(),
                BadInput("dy: found shape ", dy.shape().DebugString(), ", expected ", at.shape().DebugString()));
    const int64_t channels = dy.dim_size(dy.dims() - 1);
    tensorflow::Tensor* dx = nullptr;
    tensorflow::Tensor* db = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, dy.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, {sum_bias_ ? channels : 0}, &db));
    if (channels > 0) Run(context, dy, at, channels, dx, db);
  }

 protected:
  // dy may be empty, db is then 0; dx may be dy.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& dy, const tensorflow::Tensor& at,
                   int64_t channels, tensorflow::Tensor* dx, tensorflow::Tensor* db) = 0;

  BiasActParameters parameters_;
  bool of_result_;
  bool sum_bias_;
};

// y = clamp(gain * act(x * scale + noise + b)).
class ScaleBiasActOpBase : public tensorflow::OpKernel {
 public:
  explicit ScaleBiasActOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    OP_REQUIRES(context, x.dims() == 4,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    const tensorflow::TensorShape channels({x.dim_size(0), x.dim_size(3)});
    CheckShape(context, "scale", 1, context->input(1).shape() == channels, "[N, C]");
    const tensorflow::Tensor& noise = context->input(2);
    CheckShape(context, "noise", 2,
               noise.NumElements() == 0 || IsNoise(noise, x, x.dim_size(0)) || IsNoise(noise, x, 1),
               "[N, H, W, 1], [1, H, W, 1] or nothing");
    CheckShape(context, "b", 3, context->input(3).shape() == tensorflow::TensorShape({x.dim_size(3)}), "[C]");
    if (!context->status().ok()) return;
    tensorflow::Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    if (x.NumElements() > 0) Run(context, x, context->input(1), noise, context->input(3), y);
  }

 protected:
  // x is not empty; noise may be; y may be x.
  virtual void Run(tensorflow::OpKernelContext* context, const tensorflow::Tensor& x, const tensorflow::Tensor& scale,
                   const tensorflow::Tensor& noise, const tensorflow::Tensor& b, tensorflow::Tensor* y) = 0;

  BiasActParameters parameters_;

 private:
  static bool IsNoise(const tensorflow::Tensor& noise, const tensorflow::Tensor& x, int64_t images) {
    return noise.shape() == tensorflow::TensorShape({images, x.dim_size(1), x.dim_size(2), 1});
  }

  static void CheckShape(tensorflow::OpKernelContext* context, const char* name, int input, bool fits,
                         const char* expected) {
    OP_REQUIRES(context, fits,
                BadInput(name, ": found shape ", context->input(input).shape().DebugString(), " for x of shape ",
                         context->input(0).shape().DebugString(), ", expected ", expected));
  }
};

// The gradients of ScaleBiasAct.
class ScaleBiasActGradOpBase : public tensorflow::OpKernel {
 public:
  // Images as they are read and written; dx may be dy. Pixels may be none, the sums are then 0.
  struct Tensors {
    const tensorflow::Tensor& dy;
    const tensorflow::Tensor& y;
    const tensorflow::Tensor& x;
    const tensorflow::Tensor& scale;
    tensorflow::Tensor* dx = nullptr;
    tensorflow::Tensor* dscale = nullptr;
    tensorflow::Tensor* dnoise = nullptr;
    tensorflow::Tensor* db = nullptr;
  };

  explicit ScaleBiasActGradOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES(context, parameters_.alpha >= 0 && parameters_.gain >= 0,
                BadInput("alpha, gain: found ", parameters_.alpha, " and ", parameters_.gain,
                         ", expected neither below 0: the slope is read from the result"));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    Tensors tensors{context->input(0), context->input(1), context->input(2), context->input(3)};
    const tensorflow::TensorShape& shape = tensors.x.shape();
    OP_REQUIRES(context, shape.dims() == 4 && tensors.dy.shape() == shape && tensors.y.shape() == shape,
                BadInput("dy, y, x: found shapes ", tensors.dy.shape().DebugString(), ", ",
                         tensors.y.shape().DebugString(), ", ", shape.DebugString(),
                         ", expected the same [N, H, W, C]"));
    const tensorflow::TensorShape channels({shape.dim_size(0), shape.dim_size(3)});
    OP_REQUIRES(context, tensors.scale.shape() == channels,
                BadInput("scale: found shape ", tensors.scale.shape().DebugString(), " for x of shape ",
                         shape.DebugString(), ", expected [N, C]"));
    const tensorflow::TensorShape pixels({shape.dim_size(0), shape.dim_size(1), shape.dim_size(2), 1});
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, shape, &tensors.dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, channels, &tensors.dscale));
    OP_REQUIRES_OK(context, context->allocate_output(2, pixels, &tensors.dnoise));
    OP_REQUIRES_OK(context, context->allocate_output(3, channels, &tensors.db));
    if (channels.num_elements() > 0) Run(context, tensors);
  }

 protected:
  virtual void Run(tensorflow::OpKernelContext* context, const Tensors& tensors) = 0;

  BiasActParameters parameters_;
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_OP_H_
