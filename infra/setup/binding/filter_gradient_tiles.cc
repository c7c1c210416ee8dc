// Compiled into TensorFlow's binding: the tiles of filter gradients (see filter_gradient.h).

#include "filter_gradient.h"

#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2,fma")))

namespace tfnodejs {
namespace filters {
namespace {

/** How to go through the pixels that a tap meets: their number along each axis, and steps in the panels of x and dy. */
struct Walk {
  int64_t planes, rows, pixels;
  int64_t xPlane, xRow, xPixel;
  int64_t yPlane, yRow;
};

/** sums[i, o] += Σ x[i] · y[o] over the pixels of a walk. */
KERNEL void Multiply(const float *x, const float *y, const Walk &walk, float *sums) {
  __m256 sum[kRows][2] = {};
  for (int64_t plane = 0; plane < walk.planes; plane++) {
    for (int64_t row = 0; row < walk.rows; row++) {
      const float *a = x + plane * walk.xPlane + row * walk.xRow;
      const float *b = y + plane * walk.yPlane + row * walk.yRow;
      for (int64_t pixel = 0; pixel < walk.pixels; pixel++, a += walk.xPixel, b += kColumns) {
        const __m256 left = _mm256_load_ps(b), right = _mm256_load_ps(b + 8);
#pragma GCC unroll 4
        for (int i = 0; i < kRows; i++) {
          const __m256 factor = _mm256_broadcast_ss(a + i);
          sum[i][0] = _mm256_fmadd_ps(factor, left, sum[i][0]);
          sum[i][1] = _mm256_fmadd_ps(factor, right, sum[i][1]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++, sums += kColumns) {
    _mm256_store_ps(sums, _mm256_add_ps(_mm256_load_ps(sums), sum[i][0]));
    _mm256_store_ps(sums + 8, _mm256_add_ps(_mm256_load_ps(sums + 8), sum[i][1]));
  }
}

/** Pixels of channels kWide at once: a panel after the other. @param stride from a pixel to the next @param pitch of panels */
template <int64_t kWide>
void LayOut(const float *pixels, int64_t count, int64_t stride, int64_t channels, float *to, int64_t pitch) {
  for (int64_t first = 0; first < channels; first += kWide, to += pitch) {
    const int64_t wide = std::min(kWide, channels - first);
    for (int64_t pixel = 0; pixel < count; pixel++) {
      const float *from = pixels + pixel * stride + first;
      float *panel = to + pixel * kWide;
      if (wide == kWide) {
        memcpy(panel, from, sizeof(float) * kWide);
      } else {
        for (int64_t c = 0; c < kWide; c++) panel[c] = c < wide ? from[c] : 0;
      }
    }
  }
}

/** A group's blocks, one after the other, laid out for the products. */
class Group {
 public:
  Group(const Problem &problem, int64_t task, float *sums)
      : problem_(problem),
        tile_(task / problem.Groups()),
        in_(problem.InOf(tile_)),
        out_(problem.OutOf(tile_)),
        mostRows_(std::min(problem.height.x, (problem.BlockRows() - 1) * problem.height.stride + problem.height.taps)),
        xPanel_(problem.BlockPlanes() * mostRows_ * problem.width.x * kRows),
        yPanel_(problem.BlockPlanes() * problem.BlockRows() * problem.width.y * kColumns),
        x_(RoundUp(in_.count, kRows) / kRows * xPanel_),
        y_(RoundUp(out_.count, kColumns) / kColumns * yPanel_),
        sums_(sums) {}

  void Add(int64_t block) {
    const Axis &depth = problem_.depth, &height = problem_.height, &width = problem_.width;
    const int64_t a = problem_.DepthOf(tile_), parts = problem_.BlocksOfPlane();
    firstPlane_ = block / parts * problem_.BlockPlanes();
    planes_ = std::min(problem_.BlockPlanes(), problem_.Planes(a) - firstPlane_);
    firstRow_ = block % parts * problem_.BlockRows();
    rows_ = std::min(problem_.BlockRows(), height.y - firstRow_);
    firstMet_ = std::max<int64_t>(0, height.Met(firstRow_, 0));
    met_ = std::min(height.x, height.Met(firstRow_ + rows_ - 1, height.taps - 1) + 1) - firstMet_;
    const int64_t meeting = depth.Last(a) - depth.First(a);
    for (int64_t plane = 0; plane < planes_; plane++) {
      const int64_t sample = (firstPlane_ + plane) / meeting, at = depth.First(a) + (firstPlane_ + plane) % meeting;
      const int64_t xPixel = ((sample * depth.x + depth.Met(at, a)) * height.x + firstMet_) * width.x;
      const int64_t yPixel = ((sample * depth.y + at) * height.y + firstRow_) * width.y;
      LayOut<kRows>(problem_.x + xPixel * problem_.in + in_.first, met_ * width.x, problem_.in, in_.count,
                    x_ + plane * met_ * width.x * kRows, xPanel_);
      LayOut<kColumns>(problem_.dy + yPixel * problem_.out + out_.first, rows_ * width.y, problem_.out, out_.count,
                       y_ + plane * rows_ * width.y * kColumns, yPanel_);
    }
    MultiplyBlock();
  }

 private:
  void MultiplyBlock() {
    const Axis &height = problem_.height, &width = problem_.width;
    float *sums = sums_;
    for (int64_t o = 0; o < out_.count; o += kColumns) {
      for (int64_t i = 0; i < in_.count; i += kRows) {
        for (int64_t b = 0; b < height.taps; b++) {
          const int64_t row = std::max(firstRow_, height.First(b));
          const int64_t rows = std::min(firstRow_ + rows_, height.Last(b)) - row;
          for (int64_t c = 0; c < width.taps; c++, sums += kPanelSums) {
            const int64_t first = width.First(c), pixels = width.Last(c) - first;
            if (rows <= 0 || pixels <= 0) continue;
            const float *x = x_ + i / kRows * xPanel_;
            const float *y = y_ + o / kColumns * yPanel_;
            const Walk walk = {planes_,
                               rows,
                               pixels,
                               met_ * width.x * kRows,
                               height.stride * width.x * kRows,
                               width.stride * kRows,
                               rows_ * width.y * kColumns,
                               width.y * kColumns};
            Multiply(x + ((height.Met(row, b) - firstMet_) * width.x + width.Met(first, c)) * kRows,
                     y + ((row - firstRow_) * width.y + first) * kColumns, walk, sums);
          }
        }
      }
    }
  }

  const Problem &problem_;
  const int64_t tile_;
  const Channels in_, out_;
  /** Rows of x that a block meets, at most. */
  const int64_t mostRows_;
  /** Floats of a panel. */
  const int64_t xPanel_, yPanel_;
  const Floats x_, y_;
  float *const sums_;
  int64_t firstPlane_ = 0, planes_ = 0, firstRow_ = 0, rows_ = 0, firstMet_ = 0, met_ = 0;
};

}  // namespace

void SumGroup(const Problem &problem, int64_t task, float *sums) {
  memset(sums, 0, sizeof(float) * problem.TaskSums());
  const int64_t groups = problem.Groups(), group = task % groups;
  const int64_t blocks = problem.Blocks(problem.DepthOf(task / groups));
  Group own(problem, task, sums);
  for (int64_t block = blocks * group / groups; block < blocks * (group + 1) / groups; block++) own.Add(block);
}

void AddGroups(const Problem &problem, int64_t tile, const float *sums, float *filter) {
  const Channels in = problem.InOf(tile), out = problem.OutOf(tile);
  const int64_t size = problem.TaskSums(), taps = problem.Taps(), panels = Parts(in.count, kRows);
  const float *const first = sums + tile * problem.Groups() * size;
  float *const last = filter + problem.DepthOf(tile) * taps * problem.in * problem.out;
  for (int64_t o = 0; o < out.count; o += kColumns) {
    const size_t bytes = sizeof(float) * std::min(kColumns, out.count - o);
    for (int64_t i = 0; i < in.count; i++) {
      for (int64_t tap = 0; tap < taps; tap++) {
        const float *row = first + ((o / kColumns * panels + i / kRows) * taps + tap) * kPanelSums + i % kRows * kColumns;
        float sum[kColumns];
        memcpy(sum, row, sizeof sum);
        for (int64_t group = 1; group < problem.Groups(); group++) {
          row += size;
          for (int64_t j = 0; j < kColumns; j++) sum[j] += row[j];
        }
        memcpy(last + (tap * problem.in + in.first + i) * problem.out + out.first + o, sum, bytes);
      }
    }
  }
}

}  // namespace filters
}  // namespace tfnodejs

#endif
