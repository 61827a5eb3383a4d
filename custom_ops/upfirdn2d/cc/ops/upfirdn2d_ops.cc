// Registration of upfirdn2d: attributes, checks and shapes. sg_keras/ops/upfirdn2d.py describes the map.

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sg_keras {
namespace {

using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status UpFirDn2dShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle size;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  TF_RETURN_IF_ERROR(context->MakeShapeFromShapeTensor(1, &size));
  TF_RETURN_IF_ERROR(context->WithRank(size, 2, &size));
  context->set_output(
      0, context->MakeShape({context->Dim(x, 0), context->Dim(size, 0), context->Dim(size, 1), context->Dim(x, 3)}));
  return absl::OkStatus();
}

}  // namespace

// out[n, o, :] = sum over j of filter[j] * upsampled[n, o * down + j - pad_before, :] in both axes, where `upsampled` is
// x with up-1 zeros after each pixel and zeros outside. Pairs are (y, x). The filter is filter_y times filter_x, or the
// matrix `filter` (row by row); `flip` reverses it. The map with up and down exchanged, flip toggled, and pad_before
// taps - 1 - pad_before is the adjoint. The size of the result is an input, so that it may depend on the batch.
REGISTER_OP("SgKeras>Upfirdn2d")
    .Input("x: T")
    .Input("size: int32")
    .Output("y: T")
    .Attr("T: {float, double, bfloat16, half}")
    .Attr("filter_size: list(int) >= 2")
    .Attr("filter: string")
    .Attr("filter_y: string")
    .Attr("filter_x: string")
    .Attr("flip: bool")
    .Attr("up: list(int) >= 2")
    .Attr("down: list(int) >= 2")
    .Attr("pad_before: list(int) >= 2")
    .SetShapeFn(UpFirDn2dShape);

}  // namespace sg_keras
