#include "custom_ops/bias_act/cc/kernels/activation_cuda.h"
#include "custom_ops/bias_act/cc/kernels/bias_act_cuda.h"
#include "custom_ops/common/cc/kernels/cuda_rows.h"

namespace sg_keras {
namespace cuda {
namespace {

// ------------------------------------------------------------------------------------------ kernels

template <typename T, int kPack>
SG_KERAS_ROW_KERNEL ScaleBiasActKernel(RowWalk walk, Activation<Number<T>> activation, int64_t noise_images,
                                       const T* x, const T* scales, const T* noise, const T* b, T* y) {
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    if (place.channel >= walk.channels) continue;
    Number<T> scale[kPack];
    Number<T> bias[kPack];
    LoadPack<kPack>(scales + place.segment * walk.channels + place.channel, scale);
    LoadPack<kPack>(b + place.channel, bias);
    const T* image_noise = noise + (noise_images == 1 ? 0 : place.segment * walk.rows);
    for (int64_t row = place.begin + threadIdx.y; row < place.end; row += kRowsInFlight * walk.rows_at_once) {
      RowBatch<T, kPack> batch;
      batch.Load(x, walk, place, row);
      batch.ForEach(walk, place, row, [&](int k, int64_t offset, Number<T>* values) {
        const Number<T> pixel = noise_images == 0 ? Number<T>(0) : Load(image_noise[row + k * walk.rows_at_once]);
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) {
          values[i] = activation.template Forward<true>(values[i] * scale[i] + pixel + bias[i]);
        }
        StorePack<kPack>(values, y + offset);
      });
    }
  }
}

constexpr int kGradRows = 2;  // in flight: three tensors at once take many registers

// Sums over a pixel's channels, of those that the block has: [row of the batch][lane], then over the lanes. They go to
// dnoise where the block has all channels, else to group_sums [groups, all pixels].
template <typename T>
__device__ __forceinline__ void WritePixelSums(const RowWalk& walk, const RowPlace& place, int64_t first_row,
                                               const Number<T>* sums, Number<T>* shared, Number<T>* group_sums,
                                               T* dnoise) {
  const int stride = walk.lanes + 1;  // the next bank
  SG_KERAS_UNROLL
  for (int k = 0; k < kGradRows; ++k) {
    shared[(k * walk.rows_at_once + threadIdx.y) * stride + threadIdx.x] = sums[k];
  }
  __syncthreads();
  const int rows = kGradRows * walk.rows_at_once;
  for (int i = threadIdx.y * walk.lanes + threadIdx.x; i < rows; i += walk.lanes * walk.rows_at_once) {
    if (first_row + i >= place.end) continue;
    Number<T> sum = 0;
    for (int lane = 0; lane < walk.lanes; ++lane) sum += shared[i * stride + lane];
    const int64_t pixel = place.segment * walk.rows + first_row + i;
    if (walk.groups == 1) {
      Store(sum, &dnoise[pixel]);
    } else {
      group_sums[place.group * walk.segments * walk.rows + pixel] = sum;
    }
  }
  __syncthreads();
}

template <typename T, int kPack>
SG_KERAS_ROW_KERNEL ScaleBiasActGradKernel(RowWalk walk, Activation<Number<T>> activation, const T* dy, const T* y,
                                           const T* x, const T* scales, T* dx, Number<T>* scale_sums,
                                           Number<T>* bias_sums, Number<T>* group_sums, T* dnoise) {
  // For a pack a thread; and for kGradRows rows a thread, with up to twice as many numbers where there is one lane.
  __shared__ Number<T> shared[kRowThreads * (kPack > 2 * kGradRows ? kPack : 2 * kGradRows)];
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    Number<T> scale[kPack] = {};
    if (place.channel < walk.channels) LoadPack<kPack>(scales + place.segment * walk.channels + place.channel, scale);
    Number<T> scale_sum[kPack] = {};
    Number<T> bias_sum[kPack] = {};
    for (int64_t first = place.begin; first < place.end; first += kGradRows * walk.rows_at_once) {
      const int64_t row = first + threadIdx.y;
      RowBatch<T, kPack, kGradRows> cotangents;
      RowBatch<T, kPack, kGradRows> results;
      RowBatch<T, kPack, kGradRows> images;
      cotangents.Load(dy, walk, place, row);
      results.Load(y, walk, place, row);
      images.Load(x, walk, place, row);
      Number<T> pixel_sums[kGradRows] = {};
      cotangents.ForEach(walk, place, row, [&](int k, int64_t offset, Number<T>* values) {
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) {
          const Number<T> du = activation.BackwardOfResult(values[i], Load(results.packs[k].values[i]));
          values[i] = du * scale[i];
          scale_sum[i] += du * Load(images.packs[k].values[i]);
          bias_sum[i] += du;
          pixel_sums[k] += du;
        }
        StorePack<kPack>(values, dx + offset);
      });
      WritePixelSums(walk, place, first, pixel_sums, shared, group_sums, dnoise);
    }
    WriteChunkSums<kPack>(walk, place, scale_sum, shared, scale_sums);
    WriteChunkSums<kPack>(walk, place, bias_sum, shared, bias_sums);
  }
}

// ------------------------------------------------------------------------------------------ launches

RowWalk GradWalk(const SgKerasScaleBiasActGrad& call, int pack) {
  return PlanRows(call.images, call.pixels, call.channels, pack, kRowsOfSums);
}

// Numbers of a channel sum, of which the workspace holds two; and of the sums over groups of channels, after those.
int64_t ChannelSums(const RowWalk& walk) { return walk.segments * walk.chunks * walk.channels; }
int64_t GroupSums(const RowWalk& walk) { return walk.groups > 1 ? walk.groups * walk.segments * walk.rows : 0; }

template <typename T, int kPack>
void LaunchForward(const SgKerasScaleBiasAct& call, void* stream) {
  const RowWalk walk = PlanRows(call.images, call.pixels, call.channels, kPack, kRowsInFlight);
  SG_KERAS_LAUNCH((ScaleBiasActKernel<T, kPack>), walk.Grid(), walk.Block(), 0, stream, walk,
                  Activation<Number<T>>::Of(call), call.noise_images, static_cast<const T*>(call.x),
                  static_cast<const T*>(call.scale), static_cast<const T*>(call.noise), static_cast<const T*>(call.b),
                  static_cast<T*>(call.y));
}

template <typename T, int kPack>
void LaunchGrad(const SgKerasScaleBiasActGrad& call, void* stream) {
  const RowWalk walk = GradWalk(call, kPack);
  Number<T>* scale_sums = static_cast<Number<T>*>(call.workspace);
  Number<T>* bias_sums = scale_sums + ChannelSums(walk);
  Number<T>* group_sums = bias_sums + ChannelSums(walk);
  T* dnoise = static_cast<T*>(call.dnoise);
  if (walk.Blocks() > 0) {
    SG_KERAS_LAUNCH((ScaleBiasActGradKernel<T, kPack>), walk.Grid(), walk.Block(), 0, stream, walk,
                    Activation<Number<T>>::Of(call), static_cast<const T*>(call.dy), static_cast<const T*>(call.y),
                    static_cast<const T*>(call.x), static_cast<const T*>(call.scale), static_cast<T*>(call.dx),
                    scale_sums, bias_sums, group_sums, dnoise);
  }
  SumParts(scale_sums, call.images, walk.chunks, call.channels, static_cast<T*>(call.dscale), stream);
  SumParts(bias_sums, call.images, walk.chunks, call.channels, static_cast<T*>(call.db), stream);
  if (walk.groups > 1) SumParts(group_sums, 1, walk.groups, call.images * call.pixels, dnoise, stream);
}

}  // namespace
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras::cuda;  // NOLINT: the launchers are C

int sg_keras_cuda_scale_bias_act(const SgKerasScaleBiasAct* call, void* stream) {
  const bool noise_fits = call->noise_images >= 0 && (call->noise_images <= 1 || call->noise_images == call->images);
  if (!IsPiecewiseLinear(call->act) || !noise_fits) return static_cast<int>(cudaErrorInvalidValue);
  if (call->images * call->pixels * call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    WithPack<T>(FitsWords<T>(call->channels, call->x, call->scale, call->b, call->y),
                [&](auto pack) { LaunchForward<T, pack.value>(*call, stream); });
    return sg_keras::LastError();
  });
}

int sg_keras_cuda_scale_bias_act_grad(const SgKerasScaleBiasActGrad* call, void* stream) {
  if (!IsPiecewiseLinear(call->act)) return static_cast<int>(cudaErrorInvalidValue);
  if (call->images * call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    WithPack<T>(FitsWords<T>(call->channels, call->dy, call->y, call->x, call->scale, call->dx),
                [&](auto pack) { LaunchGrad<T, pack.value>(*call, stream); });
    return sg_keras::LastError();
  });
}

int64_t sg_keras_cuda_scale_bias_act_grad_workspace(const SgKerasScaleBiasActGrad* call) {
  if (call->images * call->pixels * call->channels == 0) return 0;
  int64_t bytes = 0;
  WithType(call->type, [&](auto element) {
    using T = decltype(element);
    for (bool words : {false, call->channels % kWordPack<T> == 0}) {  // which of them, the pointers will say
      const RowWalk walk = GradWalk(*call, words ? kWordPack<T> : 1);
      bytes = std::max<int64_t>(bytes, (2 * ChannelSums(walk) + GroupSums(walk)) * sizeof(Number<T>));
    }
    return 0;
  });
  return bytes;
}
