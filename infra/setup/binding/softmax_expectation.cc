// Compiled into TensorFlow's binding: operations of ours, for processors (see softmax_expectation.h).
//
//   TempehSoftmaxExpectation: keys [B, N, C], queries [C, L], values [N, K] → y [B, L, K], shifts [B, L], sums [B, L]
//   TempehSoftmaxExpectationGrad: keys, queries, values, y, shifts, sums, dy [B, L, K] → dkeys, dqueries
//
// and two that keep the logits in between: their names begin with TempehKept, and there is one more output, and input
// before dy: logits [B, N, L].

#include "softmax_expectation.h"

#include <cfloat>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "operation.h"
#include "tasks.h"

namespace tfnodejs {
namespace softmax {
namespace {

/** So many multiplications and additions are worth a thread. */
constexpr int64_t kWorthThreads = 1 << 24;

Sizes SizesOf(KernelRun &run) {
  TF_Tensor *keys = run.Input(0), *queries = run.Input(1), *values = run.Input(2);
  if (TF_NumDims(keys) != 3 || TF_NumDims(queries) != 2 || TF_NumDims(values) != 2) {
    throw std::runtime_error("expected keys [B, N, C], queries [C, L] and values [N, K]");
  }
  const Sizes sizes = {TF_Dim(keys, 0), TF_Dim(keys, 1), TF_Dim(keys, 2), TF_Dim(queries, 1), TF_Dim(values, 1)};
  if (sizes.samples < 1 || sizes.voxels < 1 || sizes.components >= kComponents) {
    throw std::runtime_error("expected samples, voxels, and values of at most three components");
  }
  return sizes;
}

int64_t ThreadsFor(const Sizes &sizes) {
  const double work = 1.0 * sizes.samples * sizes.voxels * sizes.channels * sizes.queries;
  return work < kWorthThreads ? 1 : ThreadsOfOperation();
}

/** y, s and z of a sample's queries, from what its groups have come to, in their order. */
void Merge(const Sizes &sizes, int64_t sample, const float *partials, float *y, float *shifts, float *sums) {
  const int64_t padded = sizes.PaddedQueries(), groups = sizes.Groups();
  for (int64_t l = 0; l < sizes.queries; l++) {
    const auto partial = [&](int64_t group, int64_t of) {
      return partials[((sample * groups + group) * kPartials + of) * padded + l];
    };
    float shift = -FLT_MAX;
    for (int64_t group = 0; group < groups; group++) shift = std::fmax(shift, partial(group, 0));
    float total[kComponents] = {};
    for (int64_t group = 0; group < groups; group++) {
      const float scale = std::exp(partial(group, 0) - shift);
      for (int64_t k = 0; k < kComponents; k++) total[k] += scale * partial(group, 1 + k);
    }
    const int64_t row = sample * sizes.queries + l;
    shifts[row] = shift;
    sums[row] = total[kComponents - 1];
    for (int64_t k = 0; k < sizes.components; k++) y[row * sizes.components + k] = total[k] / total[kComponents - 1];
  }
}

template <bool kKeeps>
void Expectation(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const InstructionSet &set = *ChosenInstructionSet();
    const Sizes sizes = SizesOf(run);
    const auto [samples, voxels, channels, queries, components] = sizes;
    const Floats panels(sizes.PaddedQueries() * sizes.PaddedChannels());
    const Problem problem = {sizes,
                             run.Input(0, {samples, voxels, channels}),
                             run.Input(1, {channels, queries}),
                             run.Input(2, {voxels, components}),
                             panels,
                             nullptr,
                             kKeeps ? run.Output(3, {samples, voxels, queries}) : nullptr};
    float *y = run.Output(0, {samples, queries, components});
    float *shifts = run.Output(1, {samples, queries}), *sums = run.Output(2, {samples, queries});
    const int64_t threads = ThreadsFor(sizes), partialSize = kPartials * sizes.PaddedQueries();
    const Floats partials(sizes.Tasks() * partialSize);
    RunTasks(sizes.Tiles(), threads, [&](int64_t tile) { set.layOut(problem, tile); });
    RunTasks(sizes.Tasks(), threads, [&](int64_t task) { set.forward(problem, task, partials + task * partialSize); });
    for (int64_t sample = 0; sample < samples; sample++) Merge(sizes, sample, partials, y, shifts, sums);
  });
}

/** Shifts, and slopes dy / z, −dy · y / z: of padded queries 0. */
void PrepareSlopes(const Sizes &sizes, const float *y, const float *givenShifts, const float *sums, const float *dy,
                   float *shifts, float *slopes) {
  const int64_t padded = sizes.PaddedQueries();
  memset(shifts, 0, sizeof(float) * sizes.samples * padded);
  memset(slopes, 0, sizeof(float) * sizes.samples * padded * kComponents);
  for (int64_t row = 0; row < sizes.samples * sizes.queries; row++) {
    const int64_t sample = row / sizes.queries, l = row % sizes.queries;
    float *slope = slopes + sample * kComponents * padded + l;
    float along = 0;
    for (int64_t k = 0; k < sizes.components; k++) {
      const int64_t at = row * sizes.components + k;
      slope[k * padded] = dy[at] / sums[row];
      along += dy[at] * y[at];
    }
    slope[(kComponents - 1) * padded] = -along / sums[row];
    shifts[sample * padded + l] = givenShifts[row];
  }
}

template <bool kKeeps>
void Gradient(void *, TF_OpKernelContext *context) {
  Guarded(context, [](KernelRun &run) {
    const InstructionSet &set = *ChosenInstructionSet();
    const Sizes sizes = SizesOf(run);
    const auto [samples, voxels, channels, queries, components] = sizes;
    const int64_t laidOut = sizes.PaddedQueries() * sizes.PaddedChannels();
    const Floats panels(laidOut), rows(laidOut), parts(sizes.Tasks() * laidOut);
    const Floats shifts(samples * sizes.PaddedQueries()), slopes(samples * sizes.PaddedQueries() * kComponents);
    const Problem problem = {sizes,
                             run.Input(0, {samples, voxels, channels}),
                             run.Input(1, {channels, queries}),
                             run.Input(2, {voxels, components}),
                             panels,
                             rows,
                             kKeeps ? const_cast<float *>(run.Input(6, {samples, voxels, queries})) : nullptr};
    const std::vector<int64_t> each = {samples, queries}, vectors = {samples, queries, components};
    PrepareSlopes(sizes, run.Input(3, vectors), run.Input(4, each), run.Input(5, each),
                  run.Input(kKeeps ? 7 : 6, vectors), shifts, slopes);
    float *dKeys = run.Output(0, {samples, voxels, channels}), *dQueries = run.Output(1, {channels, queries});
    const int64_t threads = ThreadsFor(sizes);
    RunTasks(sizes.Tiles(), threads, [&](int64_t tile) { set.layOut(problem, tile); });
    const Slopes prepared = {shifts, slopes};
    RunTasks(sizes.Tasks(), threads,
             [&](int64_t task) { set.backward(problem, prepared, task, parts + task * laidOut, dKeys); });
    RunTasks(sizes.Tiles(), threads, [&](int64_t tile) { set.addUp(problem, tile, parts, dQueries); });
  });
}

template <bool kKeeps>
void ExpectationShapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{0, 0, 1}, {1, 1, 2}, {2, 1, 2}}, status);
  for (int output : {1, 2}) SetShape(context, output, {{0, 0, 1}, {1, 1, 2}}, status);
  if (kKeeps) SetShape(context, 3, {{0, 0, 2}, {1, 1, 2}}, status);
}

void GradientShapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  SetShape(context, 0, {{0, 0, 3}}, status);
  SetShape(context, 1, {{1, 0, 2}}, status);
}

__attribute__((constructor)) void RegisterOperations() {
  if (ChosenInstructionSet() == nullptr) return;
  Register({"TempehSoftmaxExpectation",
            {"keys", "queries", "values"},
            {"y", "shifts", "sums"},
            ExpectationShapes<false>,
            Expectation<false>});
  Register({"TempehSoftmaxExpectationGrad",
            {"keys", "queries", "values", "y", "shifts", "sums", "dy"},
            {"dkeys", "dqueries"},
            GradientShapes,
            Gradient<false>});
  Register({"TempehKeptSoftmaxExpectation",
            {"keys", "queries", "values"},
            {"y", "shifts", "sums", "logits"},
            ExpectationShapes<true>,
            Expectation<true>});
  Register({"TempehKeptSoftmaxExpectationGrad",
            {"keys", "queries", "values", "y", "shifts", "sums", "logits", "dy"},
            {"dkeys", "dqueries"},
            GradientShapes,
            Gradient<true>});
}

}  // namespace
}  // namespace softmax
}  // namespace tfnodejs
