// Compiled into TensorFlow's binding: the blocks of narrow convolutions (see narrow_convolution.h).

#include "narrow_convolution.h"

#include <cstring>
#include <memory>

#include "floats.h"

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2,fma")))

namespace tfnodejs {
namespace narrow {
namespace {

/** Numbers of a run that the filter's gradient sums at once. */
constexpr int kRun = 12;

/** Taps along an axis that meet the volume at a place: from `first` to before `last`. */
struct Met {
  int64_t first, last;

  Met(int64_t place, int64_t length, int64_t side)
      : first(std::max<int64_t>(0, (side - 1) / 2 - place)),
        last(std::min(side, length + (side - 1) / 2 - place)) {}
};

/** A block, with the planes that its taps reach, each row framed by zeros. */
class Block {
 public:
  Block(const Sizes &sizes, int64_t index, const float *x)
      : sizes(sizes),
        firstSample(index / sizes.BlocksOfDepth() * sizes.BlockSamples()),
        samples(std::min(sizes.BlockSamples(), sizes.samples - firstSample)),
        firstPlane(index % sizes.BlocksOfDepth() * sizes.BlockPlanes()),
        lastPlane(std::min(sizes.depth, firstPlane + sizes.BlockPlanes())),
        firstMet_(std::max<int64_t>(0, firstPlane - sizes.Reach())),
        lastMet_(std::min(sizes.depth, lastPlane + sizes.Reach())),
        row(sizes.RowVoxels() * sizes.in),
        plane(sizes.PlaneFloats()),
        sample((lastMet_ - firstMet_) * plane),
        // Samples that a tile takes beyond the last are zeros.
        framed_(RoundUp(samples, sizes.TileSamples()) * sample) {
    const size_t bytes = sizeof(float) * sizes.width * sizes.in;
    memset(framed_, 0, sizeof(float) * RoundUp(samples, sizes.TileSamples()) * sample);
    for (int64_t n = 0; n < samples; n++) {
      for (int64_t d = firstMet_; d < lastMet_; d++) {
        for (int64_t h = 0; h < sizes.height; h++) {
          const int64_t voxel = ((firstSample + n) * sizes.depth + d) * sizes.height + h;
          memcpy(framed_ + n * sample + (d - firstMet_) * plane + h * row + sizes.Reach() * sizes.in,
                 x + voxel * sizes.width * sizes.in, bytes);
        }
      }
    }
  }

  /** Where the run of a tap begins that meets the first voxel of a row. */
  const float *Run(int64_t n, int64_t d, int64_t h, int64_t a, int64_t b) const {
    return framed_ + n * sample + (d + a - sizes.Reach() - firstMet_) * plane + (h + b - sizes.Reach()) * row;
  }

  /** The first voxel of a row. */
  int64_t Voxel(int64_t n, int64_t d, int64_t h) const {
    return (((firstSample + n) * sizes.depth + d) * sizes.height + h) * sizes.width;
  }

  const Sizes &sizes;
  const int64_t firstSample, samples, firstPlane, lastPlane;

 private:
  const int64_t firstMet_, lastMet_;

 public:
  /** Floats from one to the next. */
  const int64_t row, plane, sample;

 private:
  const Floats framed_;
};

/** The first `count` numbers of a vector. */
KERNEL inline void StoreLanes(float *to, __m256 vector, int64_t count) {
  if (count == kLanes) {
    _mm256_storeu_ps(to, vector);
    return;
  }
  float numbers[kLanes];
  _mm256_storeu_ps(numbers, vector);
  memcpy(to, numbers, sizeof(float) * count);
}

/** Rows of kSamples samples, kWidth voxels of each at a time, for a vector of output channels. */
template <int kSamples, int kWidth>
KERNEL void ConvolveRows(const Block &block, int64_t n, int64_t d, int64_t h, const float *filter, int64_t channel, float *y) {
  const Sizes &sizes = block.sizes;
  const Met planes(d, sizes.depth, sizes.side), rows(h, sizes.height, sizes.side);
  const int64_t run = sizes.side * sizes.in, lanes = std::min(kLanes, sizes.out - channel);
  for (int64_t w = 0; w < sizes.width; w += kWidth) {
    __m256 sum[kSamples][kWidth];
#pragma GCC unroll 8
    for (int s = 0; s < kSamples; s++) {
#pragma GCC unroll 8
      for (int t = 0; t < kWidth; t++) sum[s][t] = _mm256_setzero_ps();
    }
    for (int64_t a = planes.first; a < planes.last; a++) {
      for (int64_t b = rows.first; b < rows.last; b++) {
        const float *from = block.Run(n, d, h, a, b) + w * sizes.in;
        const float *taps = filter + (a * sizes.side + b) * run * kLanes;
        for (int64_t q = 0; q < run; q++, from++, taps += kLanes) {
          const __m256 weights = _mm256_loadu_ps(taps);
#pragma GCC unroll 8
          for (int s = 0; s < kSamples; s++) {
#pragma GCC unroll 8
            for (int t = 0; t < kWidth; t++) {
              const __m256 number = _mm256_broadcast_ss(from + s * block.sample + t * sizes.in);
              sum[s][t] = _mm256_fmadd_ps(number, weights, sum[s][t]);
            }
          }
        }
      }
    }
#pragma GCC unroll 8
    for (int s = 0; s < kSamples; s++) {
      float *to = y + (block.Voxel(n + s, d, h) + w) * sizes.out + channel;
#pragma GCC unroll 8
      for (int t = 0; t < kWidth; t++) {
        if (n + s < block.samples && w + t < sizes.width) StoreLanes(to + t * sizes.out, sum[s][t], lanes);
      }
    }
  }
}

using Rows = void (*)(const Block &, int64_t n, int64_t d, int64_t h, const float *filter, int64_t channel, float *y);

Rows RowsOf(const Sizes &sizes) {
  switch (sizes.TileWidth()) {
    case 8: return ConvolveRows<1, 8>;
    case 4: return ConvolveRows<2, 4>;
    case 2: return ConvolveRows<4, 2>;
    default: return ConvolveRows<8, 1>;
  }
}

/** Vectors of dy from `channel` on: its own where they are whole, else a copy with zeros. */
class Vectors {
 public:
  Vectors(const Block &block, const float *dy, int64_t channel) : block_(block), dy_(dy + channel) {
    const Sizes &sizes = block.sizes;
    const int64_t lanes = sizes.out - channel;
    isCopied_ = lanes < kLanes;
    stride = isCopied_ ? kLanes : sizes.out;
    if (!isCopied_) return;
    const int64_t voxels = block.samples * Planes() * sizes.height * sizes.width;
    copy_ = std::make_unique<Floats>(voxels * kLanes);
    float *to = *copy_;
    memset(to, 0, sizeof(float) * voxels * kLanes);
    for (int64_t n = 0; n < block.samples; n++) {
      const float *from = dy_ + block.Voxel(n, block.firstPlane, 0) * sizes.out;
      for (int64_t i = Planes() * sizes.height * sizes.width; i > 0; i--, from += sizes.out, to += kLanes) {
        memcpy(to, from, sizeof(float) * lanes);
      }
    }
  }

  const float *Row(int64_t n, int64_t d, int64_t h) const {
    if (!isCopied_) return dy_ + block_.Voxel(n, d, h) * stride;
    return *copy_ + ((n * Planes() + d - block_.firstPlane) * block_.sizes.height + h) * block_.sizes.width * kLanes;
  }

  /** Floats from a voxel to the next. */
  int64_t stride;

 private:
  int64_t Planes() const { return block_.lastPlane - block_.firstPlane; }

  const Block &block_;
  const float *const dy_;
  bool isCopied_;
  std::unique_ptr<Floats> copy_;
};

/** sums[q] = Σ run[q] · dy over the block's voxels, for kCount numbers of a tap's run from q on. */
template <int kCount>
KERNEL void SumRun(const Block &block, const Vectors &dy, int64_t a, int64_t b, int64_t q, float *sums) {
  const Sizes &sizes = block.sizes;
  const int64_t reach = sizes.Reach();
  __m256 sum[kCount];
#pragma GCC unroll 12
  for (int j = 0; j < kCount; j++) sum[j] = _mm256_setzero_ps();
  const int64_t firstRow = std::max<int64_t>(0, reach - b), lastRow = std::min(sizes.height, sizes.height + reach - b);
  const int64_t firstPlane = std::max(block.firstPlane, reach - a);
  const int64_t lastPlane = std::min(block.lastPlane, sizes.depth + reach - a);
  for (int64_t n = 0; n < block.samples; n++) {
    for (int64_t d = firstPlane; d < lastPlane; d++) {
      for (int64_t h = firstRow; h < lastRow; h++) {
        const float *from = block.Run(n, d, h, a, b) + q, *vectors = dy.Row(n, d, h);
        for (int64_t w = 0; w < sizes.width; w++, from += sizes.in, vectors += dy.stride) {
          const __m256 vector = _mm256_loadu_ps(vectors);
#pragma GCC unroll 12
          for (int j = 0; j < kCount; j++) {
            sum[j] = _mm256_fmadd_ps(_mm256_broadcast_ss(from + j), vector, sum[j]);
          }
        }
      }
    }
  }
#pragma GCC unroll 12
  for (int j = 0; j < kCount; j++) _mm256_storeu_ps(sums + j * kLanes, sum[j]);
}

using Run = void (*)(const Block &, const Vectors &dy, int64_t a, int64_t b, int64_t q, float *sums);

/** By how many numbers they take. */
constexpr Run kRuns[] = {nullptr,   SumRun<1>, SumRun<2>, SumRun<3>,  SumRun<4>,  SumRun<5>, SumRun<6>,
                         SumRun<7>, SumRun<8>, SumRun<9>, SumRun<10>, SumRun<11>, SumRun<kRun>};

}  // namespace

void Convolve(const Sizes &sizes, int64_t index, const float *x, const float *filter, float *y) {
  const Block block(sizes, index, x);
  const Rows rows = RowsOf(sizes);
  for (int64_t channel = 0; channel < sizes.out; channel += kLanes) {
    for (int64_t n = 0; n < block.samples; n += sizes.TileSamples()) {
      for (int64_t d = block.firstPlane; d < block.lastPlane; d++) {
        for (int64_t h = 0; h < sizes.height; h++) rows(block, n, d, h, filter, channel, y);
      }
    }
    filter += sizes.Taps() * sizes.in * kLanes;
  }
}

void SumFilter(const Sizes &sizes, int64_t index, const float *x, const float *dy, float *sums) {
  const Block block(sizes, index, x);
  const int64_t run = sizes.side * sizes.in;
  for (int64_t channel = 0; channel < sizes.out; channel += kLanes) {
    const Vectors vectors(block, dy, channel);
    for (int64_t tap = 0; tap < sizes.side * sizes.side; tap++) {
      const int64_t a = tap / sizes.side, b = tap % sizes.side;
      for (int64_t q = 0; q < run; q += kRun) {
        const int64_t count = std::min<int64_t>(kRun, run - q);
        kRuns[count](block, vectors, a, b, q, sums);
        sums += count * kLanes;
      }
    }
  }
}

}  // namespace narrow
}  // namespace tfnodejs

#endif
