// Registration of warp_affine and its derivatives: attributes, checks and shapes. sg_keras/ops/warp_affine.py describes
// the map.

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sg_keras {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// Checks that input `index` is [N, 2, 3] and merges its N with that of the images.
absl::Status MergeMatrixBatch(InferenceContext* context, int index, DimensionHandle* batch) {
  ShapeHandle theta;
  DimensionHandle known;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(index), 3, &theta));
  TF_RETURN_IF_ERROR(context->WithValue(context->Dim(theta, 1), 2, &known));
  TF_RETURN_IF_ERROR(context->WithValue(context->Dim(theta, 2), 3, &known));
  return context->Merge(*batch, context->Dim(theta, 0), batch);
}

absl::Status WarpShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle size;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  DimensionHandle batch = context->Dim(x, 0);
  TF_RETURN_IF_ERROR(MergeMatrixBatch(context, 1, &batch));
  TF_RETURN_IF_ERROR(context->MakeShapeFromShapeTensor(2, &size));
  TF_RETURN_IF_ERROR(context->WithRank(size, 2, &size));
  context->set_output(
      0, context->MakeShape({batch, context->Dim(size, 0), context->Dim(size, 1), context->Dim(x, 3)}));
  return absl::OkStatus();
}

absl::Status MatrixGradientShape(InferenceContext* context) {
  ShapeHandle dy;
  ShapeHandle x;
  DimensionHandle batch;
  DimensionHandle channels;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &dy));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 4, &x));
  TF_RETURN_IF_ERROR(context->Merge(context->Dim(dy, 0), context->Dim(x, 0), &batch));
  TF_RETURN_IF_ERROR(context->Merge(context->Dim(dy, 3), context->Dim(x, 3), &channels));
  TF_RETURN_IF_ERROR(MergeMatrixBatch(context, 2, &batch));
  context->set_output(0, context->MakeShape({batch, context->MakeDim(2), context->MakeDim(3)}));
  return absl::OkStatus();
}

}  // namespace

// y = W(theta) x: y[n, i, j, :] is x[n] between its pixels, bilinearly, with zeros outside, where theta[n] maps the
// centre of pixel (i, j). Coordinates of theta run from -1 to 1 over the image from edge to edge. `size` is that of y.
REGISTER_OP("SgKeras>WarpAffine")
    .Input("x: T")
    .Input("theta: M")
    .Input("size: int32")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("M: {float, double}")
    .SetShapeFn(WarpShape);

// dx = W(theta)' dy, the transposed map. `size` is that of x.
REGISTER_OP("SgKeras>WarpAffineTranspose")
    .Input("dy: T")
    .Input("theta: M")
    .Input("size: int32")
    .Output("dx: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("M: {float, double}")
    .SetShapeFn(WarpShape);

// The derivative of the sum of dy * W(theta) x by theta.
REGISTER_OP("SgKeras>WarpAffineMatrixGradient")
    .Input("dy: T")
    .Input("x: T")
    .Input("theta: M")
    .Output("dtheta: M")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("M: {float, double}")
    .SetShapeFn(MatrixGradientShape);

}  // namespace sg_keras
