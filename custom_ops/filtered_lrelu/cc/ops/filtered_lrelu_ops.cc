// Registration of the filtered_lrelu ops: attributes, checks and shapes. sg_keras/ops/filtered_lrelu.py describes the
// arithmetic.

#include <vector>

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sg_keras {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

constexpr int64_t kMaskBlock = 16;  // channels in a word of the mask

// [blocks of 16 channels] of images [N, H, W, C].
DimensionHandle MaskBlocks(InferenceContext* context, ShapeHandle images) {
  const DimensionHandle channels = context->Dim(images, 3);
  if (!context->ValueKnown(channels)) return context->UnknownDim();
  return context->MakeDim((context->Value(channels) + kMaskBlock - 1) / kMaskBlock);
}

absl::Status FilteredLreluShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle b;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 1, &b));
  int64_t up;
  int64_t down;
  std::vector<int64_t> padding, up_size, down_size;
  TF_RETURN_IF_ERROR(context->GetAttr("up", &up));
  TF_RETURN_IF_ERROR(context->GetAttr("down", &down));
  TF_RETURN_IF_ERROR(context->GetAttr("padding", &padding));
  TF_RETURN_IF_ERROR(context->GetAttr("up_size", &up_size));
  TF_RETURN_IF_ERROR(context->GetAttr("down_size", &down_size));
  if (up < 1 || down < 1 || padding.size() != 4 || up_size.size() != 2 || down_size.size() != 2) {
    return absl::InvalidArgumentError("up, down, padding, up_size, down_size: found an attribute out of its range");
  }
  DimensionHandle size[2];
  DimensionHandle internal[2];
  for (int axis : {0, 1}) {
    const DimensionHandle input = context->Dim(x, 1 + axis);
    size[axis] = internal[axis] = context->UnknownDim();
    if (!context->ValueKnown(input)) continue;
    const int64_t margins = padding[2 * axis] + padding[2 * axis + 1];
    const int64_t upsampled = context->Value(input) * up + margins - up_size[axis] + 1;
    if (upsampled < down_size[axis]) {
      return absl::InvalidArgumentError(absl::StrCat("x: found shape ", context->DebugString(x),
                                                     ", of which padding and filters leave no pixel"));
    }
    const int64_t output = (upsampled - down_size[axis]) / down + 1;
    size[axis] = context->MakeDim(output);
    internal[axis] = context->MakeDim((output - 1) * down + down_size[axis]);
  }
  context->set_output(0, context->MakeShape({context->Dim(x, 0), size[0], size[1], context->Dim(x, 3)}));
  context->set_output(1, context->MakeShape({context->Dim(x, 0), MaskBlocks(context, x), internal[0], internal[1]}));
  return absl::OkStatus();
}

absl::Status FilteredLreluMaskedShape(InferenceContext* context) {
  ShapeHandle x;
  ShapeHandle mask;
  ShapeHandle size;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &x));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 4, &mask));
  TF_RETURN_IF_ERROR(context->MakeShapeFromShapeTensor(2, &size));
  TF_RETURN_IF_ERROR(context->WithRank(size, 2, &size));
  bool sum_channels;
  TF_RETURN_IF_ERROR(context->GetAttr("sum_channels", &sum_channels));
  context->set_output(
      0, context->MakeShape({context->Dim(x, 0), context->Dim(size, 0), context->Dim(size, 1), context->Dim(x, 3)}));
  context->set_output(1, sum_channels ? context->Vector(context->Dim(x, 3)) : context->Vector(0));
  return absl::OkStatus();
}

}  // namespace

// internal[u] = sum over j of up_filter[j] * upsampled[u + j - pad_before], where `upsampled` is x + b (b: [C], or [0]
// for none) with up-1 zeros after each pixel and zeros outside; the result is the sum over j of
// down_filter[j] * clamp(gain * leaky_relu(internal[o * down + j])). Pairs are (y, x), padding is (y0, y1, x0, x1). A
// filter is its rows times its columns, or a matrix (row by row). Sizes follow from the padding, as of upfirdn2d.
// The mask has a word for each internal pixel that is used, [N, blocks of 16 channels, height, width]: bit c says that
// channel c of the block is not above 0, bit 16 + c that it was clamped. Unsigned, since TensorFlow keeps int32 on the host.
REGISTER_OP("SgKeras>FilteredLrelu")
    .Input("x: T")
    .Input("b: T")
    .Output("y: T")
    .Output("mask: uint32")
    .Attr("T: {half, float, double, bfloat16}")
    .Attr("up: int")
    .Attr("down: int")
    .Attr("padding: list(int) >= 4")
    .Attr("up_size: list(int) >= 2")
    .Attr("up_rows: string")
    .Attr("up_columns: string")
    .Attr("up_matrix: string")
    .Attr("down_size: list(int) >= 2")
    .Attr("down_rows: string")
    .Attr("down_columns: string")
    .Attr("down_matrix: string")
    .Attr("gain: string")
    .Attr("slope: string")
    .Attr("clamp: string")
    .SetShapeFn(FilteredLreluShape);

// The same without bias and with slopes from the mask: gain, gain * slope or 0. Linear in x. The padding is that before
// the upsampled and before the internal image, pairs (y, x); the size of the result is an input. The adjoint is this op
// with factors and filters exchanged, filters reversed, pad_up = height of down_filter - 1 - pad_down, and the other
// padding likewise. channel_sums: the sums of the result over all other axes if sum_channels, else [0].
REGISTER_OP("SgKeras>FilteredLreluMasked")
    .Input("x: T")
    .Input("mask: uint32")
    .Input("size: int32")
    .Output("y: T")
    .Output("channel_sums: T")
    .Attr("T: {half, float, double, bfloat16}")
    .Attr("up: int")
    .Attr("down: int")
    .Attr("pad_up: list(int) >= 2")
    .Attr("pad_down: list(int) >= 2")
    .Attr("up_size: list(int) >= 2")
    .Attr("up_rows: string")
    .Attr("up_columns: string")
    .Attr("up_matrix: string")
    .Attr("down_size: list(int) >= 2")
    .Attr("down_rows: string")
    .Attr("down_columns: string")
    .Attr("down_matrix: string")
    .Attr("gain: string")
    .Attr("slope: string")
    .Attr("sum_channels: bool")
    .SetShapeFn(FilteredLreluMaskedShape);

}  // namespace sg_keras
