#include "custom_ops/channel_scale/cc/kernels/channel_scale_cuda.h"

#include "custom_ops/common/cc/kernels/cuda_rows.h"

namespace sg_keras {
namespace cuda {
namespace {

template <typename T, int kPack>
SG_KERAS_ROW_KERNEL ChannelScaleKernel(RowWalk walk, const T* x, const T* s, T* y) {
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    if (place.channel >= walk.channels) continue;
    Number<T> scale[kPack];
    LoadPack<kPack>(s + place.segment * walk.channels + place.channel, scale);
    for (int64_t row = place.begin + threadIdx.y; row < place.end; row += kRowsInFlight * walk.rows_at_once) {
      RowBatch<T, kPack> batch;
      batch.Load(x, walk, place, row);
      batch.ForEach(walk, place, row, [&](int, int64_t offset, Number<T>* values) {
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) values[i] *= scale[i];
        StorePack<kPack>(values, y + offset);
      });
    }
  }
}

template <typename T, int kPack>
SG_KERAS_ROW_KERNEL ChannelDotKernel(RowWalk walk, const T* a, const T* b, Number<T>* chunk_sums) {
  __shared__ Number<T> shared[kRowThreads * kPack];
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    Number<T> sums[kPack] = {};
    for (int64_t row = place.begin + threadIdx.y; row < place.end; row += kRowsInFlight * walk.rows_at_once) {
      RowBatch<T, kPack> left;
      RowBatch<T, kPack> right;
      left.Load(a, walk, place, row);
      right.Load(b, walk, place, row);
      left.ForEach(walk, place, row, [&](int k, int64_t, const Number<T>* values) {
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) sums[i] += values[i] * Load(right.packs[k].values[i]);
      });
    }
    WriteChunkSums<kPack>(walk, place, sums, shared, chunk_sums);
  }
}

RowWalk DotWalk(const SgKerasChannelDot& call, int pack) {
  return PlanRows(call.images, call.pixels, call.channels, pack, kRowsOfSums);
}

template <typename T, int kPack>
void LaunchScale(const SgKerasChannelScale& call, void* stream) {
  const RowWalk walk = PlanRows(call.images, call.pixels, call.channels, kPack, kRowsInFlight);
  SG_KERAS_LAUNCH((ChannelScaleKernel<T, kPack>), walk.Grid(), walk.Block(), 0, stream, walk,
                  static_cast<const T*>(call.x), static_cast<const T*>(call.s), static_cast<T*>(call.y));
}

template <typename T, int kPack>
void LaunchDot(const SgKerasChannelDot& call, void* stream) {
  const RowWalk walk = DotWalk(call, kPack);
  Number<T>* chunk_sums = static_cast<Number<T>*>(call.workspace);
  if (walk.Blocks() > 0) {
    SG_KERAS_LAUNCH((ChannelDotKernel<T, kPack>), walk.Grid(), walk.Block(), 0, stream, walk,
                    static_cast<const T*>(call.a), static_cast<const T*>(call.b), chunk_sums);
  }
  SumParts(chunk_sums, call.images, walk.chunks, call.channels, static_cast<T*>(call.s), stream);
}

}  // namespace
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras::cuda;  // NOLINT: the launchers are C

int sg_keras_cuda_channel_scale(const SgKerasChannelScale* call, void* stream) {
  if (call->images * call->pixels * call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    WithPack<T>(FitsWords<T>(call->channels, call->x, call->s, call->y),
                [&](auto pack) { LaunchScale<T, pack.value>(*call, stream); });
    return sg_keras::LastError();
  });
}

int sg_keras_cuda_channel_dot(const SgKerasChannelDot* call, void* stream) {
  if (call->images * call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    WithPack<T>(FitsWords<T>(call->channels, call->a, call->b),
                [&](auto pack) { LaunchDot<T, pack.value>(*call, stream); });
    return sg_keras::LastError();
  });
}

int64_t sg_keras_cuda_channel_dot_workspace(const SgKerasChannelDot* call) {
  if (call->images * call->pixels * call->channels == 0) return 0;
  int64_t bytes = 0;
  WithType(call->type, [&](auto element) {
    using T = decltype(element);
    for (bool words : {false, call->channels % kWordPack<T> == 0}) {  // which of them, the pointers will say
      const int64_t chunks = DotWalk(*call, words ? kWordPack<T> : 1).chunks;
      bytes = std::max<int64_t>(bytes, call->images * chunks * call->channels * sizeof(Number<T>));
    }
    return 0;
  });
  return bytes;
}
