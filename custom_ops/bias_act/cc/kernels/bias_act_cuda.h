/* bias_act, scale_bias_act and their gradients on GPUs: plain C launchers. bias_act_ops.cc describes the arithmetic.

Arrays are on the device, channels-last and dense; `type` is an SgKerasType; `act` is 0 linear, 1 relu, 2 lrelu, 3 tanh,
4 sigmoid, 5 elu, 6 selu, 7 softplus, 8 swish; clamp is infinity for none. Launchers return a cudaError_t, 0 where the
kernels were launched on the stream. Empty arrays are welcome. */

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CUDA_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CUDA_H_

#include "custom_ops/common/cc/kernels/cuda_api.h"

/* y = clamp(gain * act(x + b)) for [rows, channels]; y may be x. */
struct SgKerasBiasAct {
  int32_t type;
  int32_t act;
  double alpha;
  double gain;
  double clamp;
  int64_t rows;
  int64_t channels;
  const void* x;
  const void* b; /* [channels], or null */
  void* y;
};

/* dx = dy times the slope at u = x + b, or (of_result) read off the result; db = dx summed over rows; dx may be dy. */
struct SgKerasBiasActGrad {
  int32_t type;
  int32_t act;
  int32_t of_result;
  double alpha;
  double gain;
  double clamp;
  int64_t rows;
  int64_t channels;
  const void* dy;
  const void* at;
  void* dx;
  void* db;        /* [channels], or null */
  void* workspace; /* so many bytes as sg_keras_cuda_bias_act_grad_workspace says; none without db */
};

/* y = clamp(gain * act(x * scale + noise + b)); act 0 to 2; y may be x. */
struct SgKerasScaleBiasAct {
  int32_t type;
  int32_t act;
  double alpha;
  double gain;
  double clamp;
  int64_t images;
  int64_t pixels;
  int64_t channels;
  int64_t noise_images; /* images or 1; 0: no noise */
  const void* x;
  const void* scale; /* [images, channels] */
  const void* noise; /* [noise_images, pixels] */
  const void* b;     /* [channels] */
  void* y;
};

/* With du = dy times the slope read off y: dx = du * scale; dscale = du * x and db = du summed over the pixels of each
 * image; dnoise = du summed over channels. dx may be dy. */
struct SgKerasScaleBiasActGrad {
  int32_t type;
  int32_t act;
  double alpha;
  double gain;
  double clamp;
  int64_t images;
  int64_t pixels;
  int64_t channels;
  const void* dy;
  const void* y;
  const void* x;
  const void* scale;
  void* dx;
  void* dscale;    /* [images, channels] */
  void* dnoise;    /* [images, pixels] */
  void* db;        /* [images, channels] */
  void* workspace; /* so many bytes as sg_keras_cuda_scale_bias_act_grad_workspace says */
};

SG_KERAS_CUDA_API int sg_keras_cuda_bias_act(const struct SgKerasBiasAct* call, void* stream);
SG_KERAS_CUDA_API int sg_keras_cuda_bias_act_grad(const struct SgKerasBiasActGrad* call, void* stream);
SG_KERAS_CUDA_API int64_t sg_keras_cuda_bias_act_grad_workspace(const struct SgKerasBiasActGrad* call);
SG_KERAS_CUDA_API int sg_keras_cuda_scale_bias_act(const struct SgKerasScaleBiasAct* call, void* stream);
SG_KERAS_CUDA_API int sg_keras_cuda_scale_bias_act_grad(const struct SgKerasScaleBiasActGrad* call, void* stream);
SG_KERAS_CUDA_API int64_t sg_keras_cuda_scale_bias_act_grad_workspace(const struct SgKerasScaleBiasActGrad* call);

#endif /* CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CUDA_H_ */
