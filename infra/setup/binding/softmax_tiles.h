// Part of softmax_instructions.cc, which includes it for each instruction set (see softmax_expectation.h). Defined before:
// INLINE and KERNEL (how functions are declared), Vector, kLanes, and what is done with vectors; kRows by kVectors, what of
// a product registers hold where queries are side by side, and kKeyRows by kKeyVectors where channels are.

constexpr int64_t kPanel = kVectors * kLanes;
constexpr int64_t kKeyPanel = kKeyVectors * kLanes;
static_assert(kBlock % kRows == 0 && kBlock % kKeyRows == 0 && kChannelMultiple % kRows == 0, "blocks are whole");
static_assert(kQueryMultiple % kPanel == 0 && kTile % kQueryMultiple == 0, "panels are whole");
static_assert(kChannelMultiple % kKeyPanel == 0, "panels are whole");

/** sums[r, j] = (sums[r, j] +) Σ_i a[r · kRowStep + i · kInnerStep] · b[i · kStep + j], in the order of i. */
template <int kR, int kV, int64_t kRowStep, int64_t kInnerStep, int64_t kStep>
INLINE void Multiply(const float *a, const float *b, int64_t inner, float *sums, int64_t sumsStep, bool adds) {
  Vector sum[kR][kV];
#pragma GCC unroll 16
  for (int r = 0; r < kR; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) sum[r][v] = adds ? Load(sums + r * sumsStep + v * kLanes) : Every(0);
  }
  for (int64_t i = 0; i < inner; i++) {
    Vector column[kV];
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) column[v] = Load(b + i * kStep + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kR; r++) {
      const Vector factor = Every(a[r * kRowStep + i * kInnerStep]);
#pragma GCC unroll 4
      for (int v = 0; v < kV; v++) sum[r][v] = MultiplyAdd(factor, column[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kR; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) Store(sums + r * sumsStep + v * kLanes, sum[r][v]);
  }
}

/** eˣ for x ≤ 0 or not a number, to 2 units in the last place; what is below float32's normal numbers is the least of them. */
INLINE Vector Exponential(Vector x) {
  x = Larger(Every(-87.33f), x);  // In this order NaN stays NaN.
  // x = power · ln 2 + rest. Beside such a large number a fraction is rounded away; 127 is what exponents of floats begin at.
  const Vector large = Every(12582912.0f + 127);
  const Vector shifted = MultiplyAdd(x, Every(1.44269504f), large);
  const Vector power = Difference(shifted, large);
  const Vector rest = MultiplyAdd(power, Every(2.12194440e-4f), MultiplyAdd(power, Every(-0.693359375f), x));
  const Vector square = Product(rest, rest);
  Vector p = MultiplyAdd(Every(8.363246918e-03f), rest, Every(4.164592177e-02f));
  p = MultiplyAdd(Every(1.529717469e-03f), square, p);
  p = MultiplyAdd(p, square, MultiplyAdd(Every(1.666657627e-01f), rest, Every(5.000005960e-01f)));
  p = MultiplyAdd(p, square, Sum(rest, Every(1)));
  return Product(p, LowBitsAsExponent(shifted));
}

/** A block of voxels, laid out for the products. */
struct Block {
  const Problem &problem;
  int64_t sample = 0, begin = 0, count = 0;
  Floats keys;    // Voxels side by side, kRows at once, channel by channel.
  Floats values;  // [kBlock, kComponents]

  explicit Block(const Problem &problem)
      : problem(problem), keys(kBlock * problem.sizes.PaddedChannels()), values(kBlock * kComponents) {}

  void Read(int64_t task, int64_t from) {
    const Sizes &sizes = problem.sizes;
    sample = task / sizes.Groups();
    begin = from;
    count = sizes.voxels - from < kBlock ? sizes.voxels - from : kBlock;
    const int64_t padded = sizes.PaddedChannels();
    for (int64_t n = 0; n < kBlock; n++) {
      const float *row = problem.keys + (sample * sizes.voxels + begin + n) * sizes.channels;
      float *to = keys + n / kRows * kRows * padded + n % kRows;
      for (int64_t c = 0; c < padded; c++) to[c * kRows] = n < count && c < sizes.channels ? row[c] : 0;
      for (int64_t k = 0; k < kComponents; k++) {
        const bool given = n < count && k < sizes.components;
        values[n * kComponents + k] = given ? problem.values[(begin + n) * sizes.components + k] : 0;
      }
      values[n * kComponents + kComponents - 1] = 1;
    }
  }

  /** Logits of a panel. @param step from a voxel's logits to the next one's */
  KERNEL void Logits(int64_t panel, float *logits, int64_t step) const {
    const int64_t padded = problem.sizes.PaddedChannels();
    const float *queries = problem.panels + panel * kPanel * padded;
    for (int64_t n = 0; n < kBlock; n += kRows) {
      Multiply<kRows, kVectors, 1, kRows, kPanel>(keys + n * padded, queries, padded, logits + n * step, step, false);
    }
  }

  /** Copies a panel's logits to where they are kept, or from there; those of padded queries are 0. */
  void Keep(int64_t panel, const float *logits) const {
    for (int64_t n = 0; n < count; n++) memcpy(Kept(panel, n), logits + n * kPanel, KeptBytes(panel));
  }
  void TakeKept(int64_t panel, float *logits, int64_t step) const {
    for (int64_t n = 0; n < count; n++) {
      memset(logits + n * step, 0, sizeof(float) * kPanel);
      memcpy(logits + n * step, Kept(panel, n), KeptBytes(panel));
    }
  }

 private:
  float *Kept(int64_t panel, int64_t n) const {
    const Sizes &sizes = problem.sizes;
    return problem.logits + (sample * sizes.voxels + begin + n) * sizes.queries + panel * kPanel;
  }
  /** The last panels have padded queries, or nothing else. */
  size_t KeptBytes(int64_t panel) const {
    const int64_t left = problem.sizes.queries - panel * kPanel;
    return sizeof(float) * (left < 0 ? 0 : left < kPanel ? left : kPanel);
  }
};

KERNEL void LayOut(const Problem &problem, int64_t tile) {
  const Sizes &sizes = problem.sizes;
  const int64_t width = sizes.TileWidth(tile), padded = sizes.PaddedChannels(), first = tile * kTile;
  for (int64_t c = 0; c < padded; c++) {
    for (int64_t l = 0; l < width; l++) {
      const bool given = c < sizes.channels && first + l < sizes.queries;
      const float query = given ? problem.queries[c * sizes.queries + first + l] : 0;
      problem.panels[(first + l / kPanel * kPanel) * padded + c * kPanel + l % kPanel] = query;
      if (problem.rows == nullptr) continue;
      problem.rows[first * padded + c / kKeyPanel * kKeyPanel * width + l * kKeyPanel + c % kKeyPanel] = query;
    }
  }
}

/** Takes the logits of a panel's queries into what their group comes to. */
INLINE void TakeIn(const Block &block, const float *logits, float *partials, int64_t paddedQueries) {
  constexpr int kLast = kComponents - 1;
  Vector shift[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; v++) shift[v] = Load(partials + v * kLanes);
  for (int64_t n = 0; n < block.count; n++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) shift[v] = Larger(Load(logits + n * kPanel + v * kLanes), shift[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; v++) {
    const Vector scale = Exponential(Difference(Load(partials + v * kLanes), shift[v]));
    Vector sums[kComponents];
#pragma GCC unroll 4
    for (int k = 0; k < kComponents; k++) sums[k] = Product(Load(partials + v * kLanes + (1 + k) * paddedQueries), scale);
    for (int64_t n = 0; n < block.count; n++) {
      const Vector e = Exponential(Difference(Load(logits + n * kPanel + v * kLanes), shift[v]));
#pragma GCC unroll 4
      for (int k = 0; k < kLast; k++) sums[k] = MultiplyAdd(e, Every(block.values[n * kComponents + k]), sums[k]);
      sums[kLast] = Sum(sums[kLast], e);
    }
    Store(partials + v * kLanes, shift[v]);
#pragma GCC unroll 4
    for (int k = 0; k < kComponents; k++) Store(partials + v * kLanes + (1 + k) * paddedQueries, sums[k]);
  }
}

KERNEL void Forward(const Problem &problem, int64_t task, float *partials) {
  const Sizes &sizes = problem.sizes;
  const int64_t queries = sizes.PaddedQueries();
  for (int64_t l = 0; l < queries; l++) partials[l] = -FLT_MAX;
  for (int64_t i = queries; i < kPartials * queries; i++) partials[i] = 0;
  Block block(problem);
  const Floats logits(kBlock * kPanel);
  const int64_t begin = task % sizes.Groups() * sizes.GroupSize();
  for (int64_t n = begin; n < sizes.voxels && n < begin + sizes.GroupSize(); n += kBlock) {
    block.Read(task, n);
    for (int64_t l = 0; l < queries; l += kPanel) {
      block.Logits(l / kPanel, logits, kPanel);
      if (problem.logits != nullptr) block.Keep(l / kPanel, logits);
      TakeIn(block, logits, partials + l, queries);
    }
  }
}

/** Logits of some queries (a vector) become gradients by them. */
INLINE void Differentiate(const Block &block, const Slopes &slopes, int64_t query, float *logits) {
  const int64_t queries = block.problem.sizes.PaddedQueries();
  const Vector shift = Load(slopes.shifts + block.sample * queries + query);
  Vector slope[kComponents];
#pragma GCC unroll 4
  for (int k = 0; k < kComponents; k++) slope[k] = Load(slopes.slopes + (block.sample * kComponents + k) * queries + query);
  for (int64_t n = 0; n < block.count; n++) {
    const Vector e = Exponential(Difference(Load(logits + n * kTile), shift));
    Vector by = slope[kComponents - 1];
#pragma GCC unroll 4
    for (int k = 0; k < kComponents - 1; k++) by = MultiplyAdd(Every(block.values[n * kComponents + k]), slope[k], by);
    Store(logits + n * kTile, Product(e, by));
  }
  for (int64_t n = block.count; n < kBlock; n++) Store(logits + n * kTile, Every(0));
}

KERNEL void Backward(const Problem &problem, const Slopes &slopes, int64_t task, float *dQueries, float *dKeys) {
  const Sizes &sizes = problem.sizes;
  const int64_t channels = sizes.PaddedChannels();
  Block block(problem);
  // Channels side by side, kRows at once, voxel by voxel.
  const Floats byChannel(kBlock * channels), tile(kBlock * kTile), dBlock(kBlock * channels);
  const int64_t begin = task % sizes.Groups() * sizes.GroupSize();
  for (int64_t from = begin; from < sizes.voxels && from < begin + sizes.GroupSize(); from += kBlock) {
    block.Read(task, from);
    for (int64_t n = 0; n < kBlock; n++) {
      const float *row = block.keys + n / kRows * kRows * channels + n % kRows;
      for (int64_t c = 0; c < channels; c++) byChannel[(c / kRows * kBlock + n) * kRows + c % kRows] = row[c * kRows];
    }
    for (int64_t t = 0; t < sizes.Tiles(); t++) {
      const int64_t width = sizes.TileWidth(t);
      for (int64_t l = 0; l < width; l += kPanel) {
        float *gradients = tile + l;
        const int64_t panel = (t * kTile + l) / kPanel;
        if (problem.logits == nullptr) {
          block.Logits(panel, gradients, kTile);
        } else {
          block.TakeKept(panel, gradients, kTile);
        }
        for (int64_t v = 0; v < kPanel; v += kLanes) Differentiate(block, slopes, t * kTile + l + v, gradients + v);
        for (int64_t c = 0; c < channels; c += kRows) {
          float *sums = dQueries + (t * kTile + l) * channels + c * kPanel;
          Multiply<kRows, kVectors, 1, kRows, kTile>(byChannel + c * kBlock, gradients, kBlock, sums, kPanel, from > begin);
        }
      }
      for (int64_t c = 0; c < channels; c += kKeyPanel) {
        const float *rows = problem.rows + t * kTile * channels + c * width;
        for (int64_t n = 0; n < kBlock; n += kKeyRows) {
          float *sums = dBlock + n * channels + c;
          Multiply<kKeyRows, kKeyVectors, kTile, 1, kKeyPanel>(tile + n * kTile, rows, width, sums, channels, t > 0);
        }
      }
    }
    for (int64_t n = 0; n < block.count; n++) {
      float *row = dKeys + (block.sample * sizes.voxels + from + n) * sizes.channels;
      memcpy(row, dBlock + n * channels, sizeof(float) * sizes.channels);
    }
  }
}

KERNEL void AddUp(const Problem &problem, int64_t tile, const float *parts, float *dQueries) {
  const Sizes &sizes = problem.sizes;
  const int64_t channels = sizes.PaddedChannels(), queries = sizes.PaddedQueries();
  const Floats sums(kPanel * channels);
  for (int64_t l = tile * kTile; l < tile * kTile + sizes.TileWidth(tile); l += kPanel) {
    for (int64_t i = 0; i < kPanel * channels; i += kLanes) {
      Vector sum = Load(parts + l * channels + i);
      for (int64_t task = 1; task < sizes.Tasks(); task++) sum = Sum(sum, Load(parts + (task * queries + l) * channels + i));
      Store(sums + i, sum);
    }
    for (int64_t c = 0; c < sizes.channels; c++) {
      for (int64_t j = 0; j < kPanel && l + j < sizes.queries; j++) {
        dQueries[c * sizes.queries + l + j] = sums[c * kPanel + j];
      }
    }
  }
}
