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
  context->set_output(0, merged);
  return absl::OkStatus();
}

}  // namespace

// y = clamp(gain * act(x + b)).
REGISTER_OP("SgKerasBiasAct")
    .Input("x: T")
    .Input("b: T")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16}")
    .Attr(kActivations)
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .SetShapeFn(BiasActShape);

// dx = dy times the slope of clamp(gain * act(u)). The slope is read from `at`: from u = x + b, or (of_result, for
// piecewise linear activations with neither alpha nor gain below 0) from the op's result y.
REGISTER_OP("SgKerasBiasActGrad")
    .Input("dy: T")
    .Input("at: T")
    .Output("dx: T")
    .Attr("T: {float, double, bfloat16}")
    .Attr(kActivations)
    .Attr("alpha: string")
    .Attr("gain: string")
    .Attr("clamp: string")
    .Attr("of_result: bool")
    .SetShapeFn(BiasActGradShape);

}  // namespace sg_keras
