// Registration of the bias_act ops: attributes, checks and shapes. sg_keras/ops/bias_act.py describes the arithmetic.

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sg_keras {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

constexpr char kActivations[] =
    "act: {'linear', 'relu', 'lrelu', 'tanh', 'sigmoid', 'elu', 'selu', 'softplus', 'swish'}";

absl::Status BiasActShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle b;
  TF_RETURN_IF_ERROR(context->WithRankAtLeast(context->input(0), 1, &x));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 1, &b));
  const DimensionHandle size = context->Dim(b, 0);
  if (context->ValueKnown(size) && context->Value(size) != 0) {  // [0] stands for no bias
    DimensionHandle merged;
    TF_RETURN_IF_ERROR(context->Merge(context->Dim(x, -1), size, &merged));
    TF_RETURN_IF_ERROR(context->ReplaceDim(x, -1, merged, &x));
  }
  context->set_output(0, x);
  return absl::OkStatus();
}

absl::Status BiasActGradShape(InferenceContext* context) {
  ShapeHandle merged;
  TF_RETURN_IF_ERROR(context->Merge(context->input(0), context->input(1), &merged));
  TF_RETURN_IF_ERROR(context->WithRankAtLeast(merged, 1, &merged));
  bool sum_bias;
  TF_RETURN_IF_ERROR(context->GetAttr("sum_bias", &sum_bias));
  context->set_output(0, merged);
  context->set_output(1, sum_bias ? context->Vector(context->Dim(merged, -1)) : context->Vector(0));
  return absl::OkStatus();
}

absl::Status ScaleBiasActShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle other;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 2, &other));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(2), 4, &other));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(3), 1, &other));
  context->set_output(0, x);
  return absl::OkStatus();
}

absl::Status ScaleBiasActGradShape(InferenceContext* context) {
  ShapeHandle x;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(2), 4, &x));
  for (int i : {0, 1}) TF_RETURN_IF_ERROR(context->Merge(x, context->input(i), &x));
  const ShapeHandle channels = context->Matrix(context->Dim(x, 0), context->Dim(x, 3));
  context->set_output(0, x);
  context->set_output(1, channels);
  context->set_output(2, context->MakeShape({context->Dim(x, 0), context->Dim(x, 1), context->Dim(x, 2), 1}));
  context->set_output(3, channels);
  return absl::OkStatus();
}

}  // namespace

// y = clamp(gain * act(x + b)).
REGISTER_OP("SgKeras>BiasAct")
    .Input("x: T")
    .Input("b: T")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr(kActivations)
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .SetShapeFn(BiasActShape);

// y = clamp(gain * act(x * scale + noise + b)) for images, scale [N, C], noise [N or 1, H, W, 1]; piecewise linear only.
REGISTER_OP("SgKeras>ScaleBiasAct")
    .Input("x: T")
    .Input("scale: T")
    .Input("noise: T")
    .Input("b: T")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("act: {'linear', 'relu', 'lrelu'}")
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .SetShapeFn(ScaleBiasActShape);

// Gradients of SgKerasScaleBiasAct, given its result y: with du = dy times the slope, dx = du * scale; dscale = du * x
// and db_image = du summed over the pixels of each image; dnoise = du summed over channels.
REGISTER_OP("SgKeras>ScaleBiasActGrad")
    .Input("dy: T")
    .Input("y: T")
    .Input("x: T")
    .Input("scale: T")
    .Output("dx: T")
    .Output("dscale: T")
    .Output("dnoise: T")
    .Output("db_image: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("act: {'linear', 'relu', 'lrelu'}")
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .SetShapeFn(ScaleBiasActGradShape);

// dx = dy times the slope of clamp(gain * act(u)). The slope is read from `at`: from u = x + b, or (of_result, for
// piecewise linear activations with neither alpha nor gain below 0) from the op's result y. db [C] is the sum of dx over
// all other axes if sum_bias, else [0]; unlike TensorFlow's BiasAddGrad it does not depend on the number of threads.
REGISTER_OP("SgKeras>BiasActGrad")
    .Input("dy: T")
    .Input("at: T")
    .Output("dx: T")
    .Output("db: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr(kActivations)
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .Attr("of_result: bool")
    .Attr("sum_bias: bool")
    .SetShapeFn(BiasActGradShape);

}  // namespace sg_keras
