/* How the plain C launchers of CUDA kernels are declared, and the codes of element types in their parameters. */

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_API_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_API_H_

#include <stdint.h>

/* The library hides its symbols but for these, which ctypes finds by name. */
#ifdef __cplusplus
#define SG_KERAS_CUDA_API extern "C" __attribute__((visibility("default")))
#else
#define SG_KERAS_CUDA_API __attribute__((visibility("default")))
#endif

enum SgKerasType {
  SG_KERAS_FLOAT32 = 0,
  SG_KERAS_FLOAT64 = 1,
  SG_KERAS_FLOAT16 = 2,
  SG_KERAS_BFLOAT16 = 3
};

/* One line on an error code of a launcher. */
SG_KERAS_CUDA_API const char* sg_keras_cuda_error_text(int error);

#endif /* CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_API_H_ */
