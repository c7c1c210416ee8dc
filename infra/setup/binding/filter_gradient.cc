// Compiled into TensorFlow's binding: an operation of ours, for processors with AVX2 (see filter_gradient.h).
//
//   TempehFilterGradient: x [N, D, H, W, I], filter [K, K', K'', I, O] (its shape alone), dy [N, D', H', W', O] → dfilter
//
// Padded means that a stride of 1 keeps the size; otherwise nothing is padded.

#include "filter_gradient.h"

#include <tuple>

#include "operation.h"
#include "tasks.h"
#include "vectors.h"

namespace tfnodejs {
namespace filters {
namespace {

/** So many multiplications and additions are worth a thread. */
constexpr double kWorthThread = 1 << 23;

struct Geometry {
  int64_t stride = 0;
  unsigned char padded = 0;

  void ReadFrom(Attributes &attributes) {
    attributes.Read("stride", &stride);
    attributes.Read("padded", &padded);
  }
};

Problem ProblemOf(KernelRun &run, const Geometry &geometry) {
  TF_Tensor *x = run.Input(0), *filter = run.Input(1), *dy = run.Input(2);
  for (TF_Tensor *tensor : {x, filter, dy}) {
    if (TF_NumDims(tensor) != 5) throw std::runtime_error("expected volumes [N, D, H, W, C] and a filter of five axes");
  }
  const auto axis = [&](int index) -> Axis {
    const int64_t taps = TF_Dim(filter, index - 1);
    const int64_t padding = geometry.padded ? (taps - 1) / 2 : 0;
    return {TF_Dim(x, index), TF_Dim(dy, index), taps, geometry.stride, padding};
  };
  Problem problem = {nullptr,         nullptr, TF_Dim(x, 0), TF_Dim(x, 4), TF_Dim(dy, 4),
                     axis(1), axis(2), axis(3)};
  for (const Axis &each : {problem.depth, problem.height, problem.width}) {
    const int64_t fitting = each.x + 2 * each.padding - each.taps;
    if (each.stride < 1 || fitting < 0 || each.y != fitting / each.stride + 1) {
      throw std::runtime_error("a filter, a stride and sides that do not fit each other");
    }
  }
  const auto &[n, in, out] = std::tie(problem.samples, problem.in, problem.out);
  if (n < 1 || in < 1 || out < 1) throw std::runtime_error("expected samples and channels");
  problem.x = run.Input(0, {n, problem.depth.x, problem.height.x, problem.width.x, in});
  problem.dy = run.Input(2, {n, problem.depth.y, problem.height.y, problem.width.y, out});
  return problem;
}

void FilterGradient(void *kernel, TF_OpKernelContext *context) {
  Guarded(context, [kernel](KernelRun &run) {
    const Problem problem = ProblemOf(run, *static_cast<Geometry *>(kernel));
    const auto &[depth, height, width] = std::tie(problem.depth, problem.height, problem.width);
    float *filter = run.Output(0, {depth.taps, height.taps, width.taps, problem.in, problem.out});
    const double work = 1.0 * problem.samples * depth.y * height.y * width.y * problem.in * problem.out * depth.taps *
                        problem.Taps();
    const int64_t threads = ThreadsWorth(work, kWorthThread);
    const int64_t size = problem.TaskSums();
    const Floats sums(problem.Tasks() * size);
    RunTasks(problem.Tasks(), threads, [&](int64_t task) { SumGroup(problem, task, sums + task * size); });
    RunTasks(problem.Tiles(), threads, [&](int64_t tile) { AddGroups(problem, tile, sums, filter); });
  });
}

void Shape(TF_ShapeInferenceContext *context, TF_Status *status) { SetShape(context, 0, {{1, 0, 5}}, status); }

#ifdef __x86_64__
__attribute__((constructor)) void RegisterOperation() {
  if (ChosenVectors() == Vectors::kNone) return;
  Register({"TempehFilterGradient",
            {"x", "filter", "dy"},
            {"dfilter"},
            Shape,
            FilterGradient,
            {"stride: int", "padded: bool"},
            CreateSettings<Geometry>,
            FreeSettings<Geometry>});
}
#endif

}  // namespace
}  // namespace filters
}  // namespace tfnodejs
