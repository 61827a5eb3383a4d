// Registration of channel_scale and its gradient: attributes, checks and shapes.

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sg_keras {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status ChannelScaleShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle s;
  DimensionHandle merged;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 2, &s));
  TF_RETURN_IF_ERROR(context->Merge(context->Dim(x, 0), context->Dim(s, 0), &merged));
  TF_RETURN_IF_ERROR(context->Merge(context->Dim(x, 3), context->Dim(s, 1), &merged));
  context->set_output(0, x);
  return absl::OkStatus();
}

absl::Status ChannelDotShape(InferenceContext* context) {
  ShapeHandle merged;
  TF_RETURN_IF_ERROR(context->Merge(context->input(0), context->input(1), &merged));
  TF_RETURN_IF_ERROR(context->WithRank(merged, 4, &merged));
  context->set_output(0, context->Matrix(context->Dim(merged, 0), context->Dim(merged, 3)));
  return absl::OkStatus();
}

}  // namespace

// y[n, h, w, c] = x[n, h, w, c] * s[n, c].
REGISTER_OP("SgKeras>ChannelScale")
    .Input("x: T")
    .Input("s: T")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16, half}")
    .SetShapeFn(ChannelScaleShape);

// s[n, c] = sum over h, w of a[n, h, w, c] * b[n, h, w, c]. With the op above, closed under differentiation.
REGISTER_OP("SgKeras>ChannelDot")
    .Input("a: T")
    .Input("b: T")
    .Output("s: T")
    .Attr("T: {float, double, bfloat16, half}")
    .SetShapeFn(ChannelDotShape);

}  // namespace sg_keras
