// Compiled into TensorFlow's binding: bilinear sampling of images at points, for processors with AVX2
// (tensor/kernels/pointSampling.ts):
//
//   TempehSample: images [M, H, W, C], y [M, P], x [M, P] → [M, P, C]
//   TempehSampleImageGrad: dsampled, y, x; height, width → dimages [M, H, W, C]
//   TempehSamplePointGrad: dsampled, images, y, x → dy, dx
//
// Coordinates are fractions of the way from the first pixel's centre (0) to the last one's (1); a point beyond samples zeros.
// TensorFlow's CropAndResize does the same with a box for each point, in three times the time. Each image's gradient is summed
// by one thread, in the order of its points: no bit depends on the number of threads.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "operation.h"
#include "tasks.h"
#include "vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2,fma")))

namespace tfnodejs {
namespace sampling {
namespace {

/** Points of a task. */
constexpr int64_t kPoints = 4096;
/** So many numbers are worth a thread. */
constexpr int64_t kWorthThread = 1 << 17;
constexpr int64_t kLanes = 8;

struct Sizes {
  int64_t images, height, width, channels, points;

  int64_t ImageFloats() const { return height * width * channels; }
  int64_t Threads() const { return ThreadsWorth(images * points * channels, kWorthThread); }
};

/** Where a point lies: the first of its four pixels, floats to the others, and how far it is from the first. */
struct Place {
  bool isInside;
  int64_t first, right, below;
  float across, down;

  Place(const Sizes &sizes, float y, float x) {
    if (!std::isfinite(y) || !std::isfinite(x)) {
      throw std::runtime_error("a coordinate of a point to sample is not finite");
    }
    const float row = y * (sizes.height - 1), column = x * (sizes.width - 1);
    isInside = row >= 0 && row <= sizes.height - 1 && column >= 0 && column <= sizes.width - 1;
    if (!isInside) return;
    const int64_t top = static_cast<int64_t>(row), left = static_cast<int64_t>(column);
    first = (top * sizes.width + left) * sizes.channels;
    right = left + 1 < sizes.width ? sizes.channels : 0;
    below = top + 1 < sizes.height ? sizes.width * sizes.channels : 0;
    down = row - top;
    across = column - left;
  }
};

KERNEL inline __m256 Blend(__m256 from, __m256 to, float share) {
  return _mm256_fmadd_ps(_mm256_sub_ps(to, from), _mm256_set1_ps(share), from);
}

inline float Blend(float from, float to, float share) { return from + (to - from) * share; }

KERNEL void SamplePoint(const Sizes &sizes, const Place &place, const float *image, float *to) {
  if (!place.isInside) {
    memset(to, 0, sizeof(float) * sizes.channels);
    return;
  }
  const float *at = image + place.first;
  const int64_t right = place.right, below = place.below;
  int64_t c = 0;
  for (; c + kLanes <= sizes.channels; c += kLanes, at += kLanes) {
    const __m256 top = Blend(_mm256_loadu_ps(at), _mm256_loadu_ps(at + right), place.across);
    const __m256 bottom = Blend(_mm256_loadu_ps(at + below), _mm256_loadu_ps(at + below + right), place.across);
    _mm256_storeu_ps(to + c, Blend(top, bottom, place.down));
  }
  for (; c < sizes.channels; c++, at++) {
    const float top = Blend(at[0], at[right], place.across);
    to[c] = Blend(top, Blend(at[below], at[below + right], place.across), place.down);
  }
}

KERNEL inline void AddTo(float *to, __m256 numbers, float share) {
  _mm256_storeu_ps(to, _mm256_fmadd_ps(numbers, _mm256_set1_ps(share), _mm256_loadu_ps(to)));
}

KERNEL void AddPoint(const Sizes &sizes, const Place &place, const float *gradient, float *image) {
  if (!place.isInside) return;
  float *at = image + place.first;
  const int64_t right = place.right, below = place.below;
  const float bottomRight = place.down * place.across, bottomLeft = place.down - bottomRight;
  const float topRight = place.across - bottomRight, topLeft = 1 - place.across - bottomLeft;
  int64_t c = 0;
  // One after the other: at the border pixels are the same.
  for (; c + kLanes <= sizes.channels; c += kLanes, at += kLanes) {
    const __m256 numbers = _mm256_loadu_ps(gradient + c);
    AddTo(at, numbers, topLeft);
    AddTo(at + right, numbers, topRight);
    AddTo(at + below, numbers, bottomLeft);
    AddTo(at + below + right, numbers, bottomRight);
  }
  for (; c < sizes.channels; c++, at++) {
    at[0] += gradient[c] * topLeft;
    at[right] += gradient[c] * topRight;
    at[below] += gradient[c] * bottomLeft;
    at[below + right] += gradient[c] * bottomRight;
  }
}

/** What a point's coordinates change: Σ gradient ∘ the differences of its pixels, by channel. */
void DifferentiatePoint(const Sizes &sizes, const Place &place, const float *gradient, const float *image, float *dy,
                        float *dx) {
  *dy = *dx = 0;
  if (!place.isInside) return;
  const float *at = image + place.first;
  const int64_t right = place.right, below = place.below;
  float down = 0, across = 0;
  for (int64_t c = 0; c < sizes.channels; c++, at++) {
    const float topLeft = at[0], topRight = at[right], bottomLeft = at[below], bottomRight = at[below + right];
    down += gradient[c] * Blend(bottomLeft - topLeft, bottomRight - topRight, place.across);
    across += gradient[c] * Blend(topRight - topLeft, bottomRight - bottomLeft, place.down);
  }
  *dy = down * (sizes.height - 1);
  *dx = across * (sizes.width - 1);
}

/** @param image, y index of the inputs; the x coordinates come after the y. */
Sizes SizesOf(KernelRun &run, int image, int y) {
  TF_Tensor *images = run.Input(image), *points = run.Input(y);
  if (TF_NumDims(images) != 4 || TF_NumDims(points) != 2) {
    throw std::runtime_error("expected images [M, H, W, C] and coordinates [M, P]");
  }
  return {TF_Dim(images, 0), TF_Dim(images, 1), TF_Dim(images, 2), TF_Dim(images, 3), TF_Dim(points, 1)};
}

struct Coordinates {
  const float *y, *x;

  Coordinates(KernelRun &run, const Sizes &sizes, int index)
      : y(run.Input(index, {sizes.images, sizes.points})), x(run.Input(index + 1, {sizes.images, sizes.points})) {}
};

/** Runs visit(image, point of all) for all points, on as many threads as they are worth. */
template <typename Visit>
void ForPoints(const Sizes &sizes, const Visit &visit) {
  const int64_t parts = (sizes.points + kPoints - 1) / kPoints;
  RunTasks(sizes.images * parts, sizes.Threads(), [&](int64_t task) {
    const int64_t image = task / parts, first = task % parts * kPoints;
    for (int64_t p = first; p < std::min(sizes.points, first + kPoints); p++) visit(image, image * sizes.points + p);
  });
}

void Sample(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const Sizes sizes = SizesOf(run, 0, 1);
    const float *images = run.Input(0, {sizes.images, sizes.height, sizes.width, sizes.channels});
    const Coordinates at(run, sizes, 1);
    float *sampled = run.Output(0, {sizes.images, sizes.points, sizes.channels});
    ForPoints(sizes, [&](int64_t image, int64_t point) {
      const Place place(sizes, at.y[point], at.x[point]);
      SamplePoint(sizes, place, images + image * sizes.ImageFloats(), sampled + point * sizes.channels);
    });
  });
}

struct ImageSize {
  int64_t height = 0, width = 0;

  void ReadFrom(Attributes &attributes) {
    attributes.Read("height", &height);
    attributes.Read("width", &width);
  }
};

void ImageGradient(void *kernel, TF_OpKernelContext *context) {
  Guarded(context, [kernel](KernelRun &run) {
    const ImageSize &size = *static_cast<ImageSize *>(kernel);
    TF_Tensor *given = run.Input(0);
    if (TF_NumDims(given) != 3) throw std::runtime_error("expected gradients [M, P, C]");
    const Sizes sizes = {TF_Dim(given, 0), size.height, size.width, TF_Dim(given, 2), TF_Dim(given, 1)};
    const float *gradients = run.Input(0, {sizes.images, sizes.points, sizes.channels});
    const Coordinates at(run, sizes, 1);
    float *images = run.Output(0, {sizes.images, sizes.height, sizes.width, sizes.channels});
    RunTasks(sizes.images, sizes.Threads(), [&](int64_t image) {
      float *to = images + image * sizes.ImageFloats();
      memset(to, 0, sizeof(float) * sizes.ImageFloats());
      for (int64_t point = image * sizes.points; point < (image + 1) * sizes.points; point++) {
        AddPoint(sizes, Place(sizes, at.y[point], at.x[point]), gradients + point * sizes.channels, to);
      }
    });
  });
}

void PointGradient(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const Sizes sizes = SizesOf(run, 1, 2);
    const float *gradients = run.Input(0, {sizes.images, sizes.points, sizes.channels});
    const float *images = run.Input(1, {sizes.images, sizes.height, sizes.width, sizes.channels});
    const Coordinates at(run, sizes, 2);
    float *dy = run.Output(0, {sizes.images, sizes.points}), *dx = run.Output(1, {sizes.images, sizes.points});
    ForPoints(sizes, [&](int64_t image, int64_t point) {
      const Place place(sizes, at.y[point], at.x[point]);
      DifferentiatePoint(sizes, place, gradients + point * sizes.channels, images + image * sizes.ImageFloats(), dy + point,
                         dx + point);
    });
  });
}

void SampledShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{1, 0, 2}, {0, 3, 4}}, status);
}

void UnknownShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void CoordinateShapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  for (int output : {0, 1}) SetShape(context, output, {{2, 0, 2}}, status);
}

__attribute__((constructor)) void RegisterOperations() {
  if (ChosenVectors() == Vectors::kNone) return;
  Register({"TempehSample", {"images", "y", "x"}, {"sampled"}, SampledShape, Sample});
  Register({"TempehSampleImageGrad",
            {"dsampled", "y", "x"},
            {"dimages"},
            UnknownShape,
            ImageGradient,
            {"height: int", "width: int"},
            CreateSettings<ImageSize>,
            FreeSettings<ImageSize>});
  Register({"TempehSamplePointGrad", {"dsampled", "images", "y", "x"}, {"dy", "dx"}, CoordinateShapes, PointGradient});
}

}  // namespace
}  // namespace sampling
}  // namespace tfnodejs

#endif
