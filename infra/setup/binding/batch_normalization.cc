// Compiled into TensorFlow's binding: operations of ours, for processors (see batch_normalization.h). All arrays are x's.
//
//   TempehNormalize: x [P, C], scale, offset, means, variances [C] → y, mean, deviation, line, means, variances
//   TempehNormalizeAdd: x, skip, scale, offset, means, variances → the same; it always rectifies
//   TempehNormalizeGrad: dy, x, scale, mean, deviation, line → dx, dscale, doffset
//   TempehNormalizeAddGrad: dy, x, y, scale, mean, deviation, line → dx, dskip, dscale, doffset
//
// means and variances are the running ones, which a share of the batch's mean and unbiased variance goes into; deviation
// is √(v + ε), line the offset with what the mean lost by being rounded.

#include "batch_normalization.h"

#include <cmath>
#include <cstring>

#include "floats.h"
#include "operation.h"
#include "tasks.h"
#include "vectors.h"

namespace tfnodejs {
namespace normalization {
namespace {

/** So many numbers are worth a thread. */
constexpr int64_t kWorthThread = 1 << 17;

struct Settings {
  float epsilon = 0, share = 0;
  unsigned char rectify = 0;

  void ReadFrom(Attributes &attributes) {
    attributes.Read("epsilon", &epsilon);
    attributes.Read("share", &share);
    attributes.Read("rectify", &rectify);
  }
};

Sizes SizesOf(KernelRun &run, int input) {
  TF_Tensor *x = run.Input(input);
  if (TF_NumDims(x) != 2) throw std::runtime_error("expected rows of channels");
  const Sizes sizes = {TF_Dim(x, 0), TF_Dim(x, 1)};
  if (sizes.rows < 2 || sizes.channels < 1 || sizes.channels % kChannelMultiple != 0) {
    throw std::runtime_error("expected two rows or more, and a multiple of 16 channels");
  }
  return sizes;
}

/** Every block, on as many threads as it is worth. */
template <typename Part>
void ForBlocks(const Sizes &sizes, const Part &part) {
  RunTasks(sizes.Blocks(), ThreadsWorth(sizes.rows * sizes.channels, kWorthThread), part);
}

/** Mean, and squares around it, of each channel: of the blocks' own, in their order. */
void PutTogether(const Sizes &sizes, const float *moments, double *means, double *squares) {
  const int64_t channels = sizes.channels;
  for (int64_t c = 0; c < channels; c++) {
    double mean = 0, around = 0;
    for (int64_t block = 0; block < sizes.Blocks(); block++) {
      const float *own = moments + block * 3 * channels + c;
      const int64_t before = block * sizes.BlockRows();
      const double count = std::min(sizes.BlockRows(), sizes.rows - before), all = before + count;
      const double rest = own[channels], apart = own[0] + rest / count - mean;
      mean += apart * count / all;
      around += own[2 * channels] - rest * rest / count + apart * apart * before * count / all;
    }
    means[c] = mean;
    squares[c] = around;
  }
}

void NormalizeBatch(KernelRun &run, const Settings &settings, bool adds) {
  const InstructionSet &set = *ChosenInstructionSet();
  const Sizes sizes = SizesOf(run, 0);
  const auto [rows, channels] = sizes;
  const std::vector<int64_t> all = {rows, channels}, each = {channels};
  int input = 0, output = 0;
  const float *x = run.Input(input++, all), *skip = adds ? run.Input(input++, all) : nullptr;
  const float *scale = run.Input(input++, each), *offset = run.Input(input++, each);
  const float *oldMeans = run.Input(input++, each), *oldVariances = run.Input(input++, each);
  float *y = run.Output(output++, all), *mean = run.Output(output++, each), *deviation = run.Output(output++, each);
  float *shifted = run.Output(output++, each);
  float *newMeans = run.Output(output++, each), *newVariances = run.Output(output++, each);

  const Floats moments(sizes.Blocks() * 3 * channels), factor(channels);
  ForBlocks(sizes, [&](int64_t block) {
    float *own = moments + block * 3 * channels;
    set.measure(sizes, block, x, {own, own + channels, own + 2 * channels});
  });
  std::vector<double> means(channels), squares(channels);
  PutTogether(sizes, moments, means.data(), squares.data());
  for (int64_t c = 0; c < channels; c++) {
    const double root = std::sqrt(squares[c] / rows + settings.epsilon), share = settings.share;
    mean[c] = static_cast<float>(means[c]);
    deviation[c] = static_cast<float>(root);
    factor[c] = scale[c] / deviation[c];
    shifted[c] = static_cast<float>(offset[c] - (means[c] - mean[c]) * factor[c]);
    newMeans[c] = static_cast<float>((1 - share) * oldMeans[c] + share * means[c]);
    newVariances[c] = static_cast<float>((1 - share) * oldVariances[c] + share * squares[c] / (rows - 1));
  }
  const Line line = {mean, factor, shifted, adds || settings.rectify};
  ForBlocks(sizes, [&](int64_t block) { set.normalize(sizes, block, line, x, skip, y); });
}

void Differentiate(KernelRun &run, const Settings &settings, bool adds) {
  const InstructionSet &set = *ChosenInstructionSet();
  const Sizes sizes = SizesOf(run, 1);
  const auto [rows, channels] = sizes;
  const std::vector<int64_t> all = {rows, channels}, each = {channels};
  int input = 0, output = 0;
  const float *dy = run.Input(input++, all), *x = run.Input(input++, all), *y = adds ? run.Input(input++, all) : nullptr;
  const float *scale = run.Input(input++, each), *mean = run.Input(input++, each);
  const float *deviation = run.Input(input++, each), *offset = run.Input(input++, each);
  float *dx = run.Output(output++, all), *g = adds ? run.Output(output++, all) : nullptr;
  float *dScale = run.Output(output++, each), *dOffset = run.Output(output++, each);

  const Floats factor(channels), shift(channels), slope(channels), parts(sizes.Blocks() * 2 * channels);
  for (int64_t c = 0; c < channels; c++) factor[c] = scale[c] / deviation[c];
  const Line line = {mean, factor, offset, adds || settings.rectify};
  ForBlocks(sizes, [&](int64_t block) {
    float *own = parts + block * 2 * channels;
    set.sumGradients(sizes, block, line, dy, x, y, g, own, own + channels);
  });
  for (int64_t c = 0; c < channels; c++) {
    double passed = 0, along = 0;
    for (int64_t block = 0; block < sizes.Blocks(); block++) {
      const float *own = parts + block * 2 * channels + c;
      passed += own[0];
      along += own[channels];
    }
    const double root = deviation[c];
    dOffset[c] = static_cast<float>(passed);
    dScale[c] = static_cast<float>(along / root);
    shift[c] = static_cast<float>(-passed / rows);
    slope[c] = static_cast<float>(-along / (root * root * rows));
  }
  ForBlocks(sizes, [&](int64_t block) { set.differentiate(sizes, block, line, {shift, slope}, dy, x, g, dx); });
}

template <bool kAdds>
void Forward(void *settings, TF_OpKernelContext *context) {
  Guarded(context, [&](KernelRun &run) { NormalizeBatch(run, *static_cast<Settings *>(settings), kAdds); });
}

template <bool kAdds>
void Backward(void *settings, TF_OpKernelContext *context) {
  Guarded(context, [&](KernelRun &run) { Differentiate(run, *static_cast<Settings *>(settings), kAdds); });
}

/** Outputs of x's shape, then five or two of a channel's. */
template <int kArrays, int kEach>
void Shapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  for (int output = 0; output < kArrays; output++) SetShape(context, output, {{0, 0, 2}}, status);
  for (int output = kArrays; output < kArrays + kEach; output++) SetShape(context, output, {{0, 1, 2}}, status);
}

__attribute__((constructor)) void RegisterOperations() {
  if (ChosenInstructionSet() == nullptr) return;
  const std::vector<const char *> attributes = {"epsilon: float", "share: float", "rectify: bool"};
  const std::vector<const char *> outputs = {"y", "mean", "deviation", "line", "new_means", "new_variances"};
  Register({"TempehNormalize", {"x", "scale", "offset", "means", "variances"}, outputs, Shapes<1, 5>, Forward<false>,
            attributes, CreateSettings<Settings>, FreeSettings<Settings>});
  Register({"TempehNormalizeAdd", {"x", "skip", "scale", "offset", "means", "variances"}, outputs, Shapes<1, 5>,
            Forward<true>, attributes, CreateSettings<Settings>, FreeSettings<Settings>});
  Register({"TempehNormalizeGrad", {"dy", "x", "scale", "mean", "deviation", "line"}, {"dx", "dscale", "doffset"},
            Shapes<1, 2>, Backward<false>, attributes, CreateSettings<Settings>, FreeSettings<Settings>});
  Register({"TempehNormalizeAddGrad", {"dy", "x", "y", "scale", "mean", "deviation", "line"},
            {"dx", "dskip", "dscale", "doffset"}, Shapes<2, 2>, Backward<true>, attributes, CreateSettings<Settings>,
            FreeSettings<Settings>});
}

}  // namespace
}  // namespace normalization
}  // namespace tfnodejs
