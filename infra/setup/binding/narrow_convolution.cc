// Compiled into TensorFlow's binding: operations of ours, for processors with AVX2 (see narrow_convolution.h).
//
//   TempehNarrowConvolution: x [N, D, H, W, I], filter [3, 3, 3, I, O] → y [N, D, H, W, O]
//   TempehNarrowConvolutionInputGrad: dy, filter → dx
//   TempehNarrowConvolutionFilterGrad: x, dy, filter (its shape alone) → dfilter

#include "narrow_convolution.h"

#include "floats.h"
#include "operation.h"
#include "tasks.h"
#include "vectors.h"

namespace tfnodejs {
namespace narrow {
namespace {

/** So many multiplications and additions are worth a thread. */
constexpr double kWorthThread = 1 << 23;

int64_t Threads(const Sizes &sizes) {
  const double voxels = 1.0 * sizes.samples * sizes.depth * sizes.height * sizes.width;
  const double work = voxels * sizes.in * sizes.out * kTaps;
  return ThreadsWorth(work, kWorthThread);
}

/** @param in the axis of the filter with the channels of the volume. */
Sizes SizesOf(TF_Tensor *volume, TF_Tensor *filter, int in, int out) {
  if (TF_NumDims(volume) != 5 || TF_NumDims(filter) != 5) {
    throw std::runtime_error("expected volumes [N, D, H, W, C] and a filter of five axes");
  }
  const Sizes sizes = {TF_Dim(volume, 0), TF_Dim(volume, 1),  TF_Dim(volume, 2), TF_Dim(volume, 3),
                       TF_Dim(filter, in), TF_Dim(filter, out)};
  for (int axis : {0, 1, 2}) {
    if (TF_Dim(filter, axis) != kSide) throw std::runtime_error("expected a filter of 3 × 3 × 3 taps");
  }
  if (TF_Dim(volume, 4) != sizes.in) throw std::runtime_error("expected as many channels in the filter as in the volume");
  for (int64_t size : {sizes.samples, sizes.depth, sizes.height, sizes.width, sizes.in, sizes.out}) {
    if (size < 1) throw std::runtime_error("expected samples, voxels and channels");
  }
  return sizes;
}

/** A filter in vectors of its output channels. @param weight of a tap, channel in and channel out */
template <typename Weight>
void LayOut(const Sizes &sizes, const Weight &weight, float *vectors) {
  for (int64_t first = 0; first < sizes.out; first += kLanes) {
    for (int64_t row = 0; row < kTaps; row += kSide) {
      for (int64_t i = 0; i < sizes.in; i++) {
        for (int64_t c = 0; c < kSide; c++, vectors += kLanes) {
          for (int64_t o = 0; o < kLanes; o++) vectors[o] = first + o < sizes.out ? weight(row + c, i, first + o) : 0;
        }
      }
    }
  }
}

template <typename Weight>
void Run(KernelRun &run, const Sizes &sizes, const Weight &weight) {
  const float *x = run.Input(0, {sizes.samples, sizes.depth, sizes.height, sizes.width, sizes.in});
  float *y = run.Output(0, {sizes.samples, sizes.depth, sizes.height, sizes.width, sizes.out});
  const Floats vectors(sizes.FilterFloats());
  LayOut(sizes, weight, vectors);
  RunTasks(sizes.Blocks(), Threads(sizes), [&](int64_t block) { Convolve(sizes, block, x, vectors, y); });
}

void Forward(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const Sizes sizes = SizesOf(run.Input(0), run.Input(1), 3, 4);
    const float *filter = run.Input(1, {kSide, kSide, kSide, sizes.in, sizes.out});
    Run(run, sizes, [&](int64_t tap, int64_t i, int64_t o) { return filter[(tap * sizes.in + i) * sizes.out + o]; });
  });
}

void InputGradient(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const Sizes sizes = SizesOf(run.Input(0), run.Input(1), 4, 3);
    const float *filter = run.Input(1, {kSide, kSide, kSide, sizes.out, sizes.in});
    Run(run, sizes, [&](int64_t tap, int64_t i, int64_t o) {
      return filter[((kTaps - 1 - tap) * sizes.out + o) * sizes.in + i];
    });
  });
}

void FilterGradient(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const Sizes sizes = SizesOf(run.Input(0), run.Input(2), 3, 4);
    const auto &[samples, depth, height, width, in, out] = sizes;
    const float *x = run.Input(0, {samples, depth, height, width, in});
    const float *dy = run.Input(1, {samples, depth, height, width, out});
    float *filter = run.Output(0, {kSide, kSide, kSide, in, out});
    const int64_t size = sizes.GradientFloats();
    const Floats sums(sizes.Blocks() * size);
    RunTasks(sizes.Blocks(), Threads(sizes), [&](int64_t block) { SumFilter(sizes, block, x, dy, sums + block * size); });
    for (int64_t tap = 0; tap < kTaps; tap++) {
      for (int64_t i = 0; i < in; i++) {
        for (int64_t o = 0; o < out; o++) {
          const int64_t row = i / kLanes * kTaps / kSide + tap / kSide;
          const float *from = sums + ((row * out + o) * kSide + tap % kSide) * kLanes + i % kLanes;
          double sum = 0;
          for (int64_t block = 0; block < sizes.Blocks(); block++) sum += from[block * size];
          *filter++ = static_cast<float>(sum);
        }
      }
    }
  });
}

void ForwardShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{0, 0, 4}, {1, 4, 5}}, status);
}

void InputGradientShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{0, 0, 4}, {1, 3, 4}}, status);
}

void FilterGradientShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{2, 0, 5}}, status);
}

#ifdef __x86_64__
__attribute__((constructor)) void RegisterOperations() {
  if (ChosenVectors() == Vectors::kNone) return;
  Register({"TempehNarrowConvolution", {"x", "filter"}, {"y"}, ForwardShape, Forward});
  Register({"TempehNarrowConvolutionInputGrad", {"dy", "filter"}, {"dx"}, InputGradientShape, InputGradient});
  Register({"TempehNarrowConvolutionFilterGrad",
            {"x", "dy", "filter"},
            {"dfilter"},
            FilterGradientShape,
            FilterGradient});
}
#endif

}  // namespace
}  // namespace narrow
}  // namespace tfnodejs
