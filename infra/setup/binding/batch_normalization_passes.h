// Part of batch_normalization_instructions.cc, which includes it for each instruction set (see batch_normalization.h).
// Defined before: INLINE and KERNEL (how functions are declared), Vector, kLanes, and what is done with vectors.

/** So many channels' sums registers hold at once; of what is left over, fewer. */
constexpr int kStrip = 32;

/** Calls part<vectors>(first channel) for strips of all channels. */
#define FOR_STRIPS(channels, part, ...)                                                  \
  for (int64_t c = 0; c < (channels);) {                                                 \
    const bool wide = (channels) - c >= kStrip;                                          \
    wide ? part<kStrip / kLanes>(c, __VA_ARGS__) : part<kChannelMultiple / kLanes>(c, __VA_ARGS__); \
    c += wide ? kStrip : kChannelMultiple;                                               \
  }

/** The rows of a block: where its first number is, and how many there are. */
struct Rows {
  int64_t first, count, channels;

  Rows(const Sizes &sizes, int64_t block)
      : first(block * sizes.BlockRows()), count(std::min(sizes.BlockRows(), sizes.rows - first)), channels(sizes.channels) {}
  template <typename Number>
  Number *Of(Number *array) const {
    return array == nullptr ? nullptr : array + first * channels;
  }
};

template <int kV>
INLINE void MeasureStrip(int64_t c, const Rows &rows, const float *x, const Moments &moments) {
  Vector sum[kV], rest[kV], squares[kV];
#pragma GCC unroll 4
  for (int v = 0; v < kV; v++) sum[v] = rest[v] = squares[v] = Every(0);
  for (int64_t row = 0; row < rows.count; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) sum[v] = Sum(sum[v], Load(x + row * rows.channels + c + v * kLanes));
  }
  const Vector share = Every(1.0f / rows.count);
#pragma GCC unroll 4
  for (int v = 0; v < kV; v++) sum[v] = Product(sum[v], share);
  for (int64_t row = 0; row < rows.count; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) {
      const Vector centred = Difference(Load(x + row * rows.channels + c + v * kLanes), sum[v]);
      rest[v] = Sum(rest[v], centred);
      squares[v] = MultiplyAdd(centred, centred, squares[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kV; v++) {
    Store(moments.mean + c + v * kLanes, sum[v]);
    Store(moments.rest + c + v * kLanes, rest[v]);
    Store(moments.squares + c + v * kLanes, squares[v]);
  }
}

KERNEL void Measure(const Sizes &sizes, int64_t block, const float *x, const Moments &moments) {
  const Rows rows(sizes, block);
  FOR_STRIPS(sizes.channels, MeasureStrip, rows, rows.Of(x), moments)
}

/** A vector of channels of a line. */
struct Terms {
  Vector mean, factor, offset;

  INLINE_MEMBER Terms(const Line &line, int64_t c)
      : mean(Load(line.mean + c)), factor(Load(line.factor + c)), offset(Load(line.offset + c)) {}
};

INLINE Vector Normalized(const Terms &terms, Vector x) {
  return MultiplyAdd(Difference(x, terms.mean), terms.factor, terms.offset);
}

KERNEL void Normalize(const Sizes &sizes, int64_t block, const Line &line, const float *x, const float *skip, float *y) {
  const Rows rows(sizes, block);
  const float *from = rows.Of(x), *added = rows.Of(skip);
  float *to = rows.Of(y);
  for (int64_t row = 0; row < rows.count; row++) {
    for (int64_t c = 0; c < rows.channels; c += kLanes, from += kLanes, to += kLanes) {
      Vector z = Normalized(Terms(line, c), Load(from));
      if (added != nullptr) z = Sum(z, Load(added + (from - rows.Of(x))));
      // In this order NaN stays NaN.
      if (line.rectifies) z = Larger(Every(0), z);
      Store(to, z);
    }
  }
}

/** What passes the rectifier. @param y nullptr: it is computed of x. */
INLINE Vector Passed(const Terms &terms, bool rectifies, const float *dy, Vector x, const float *y) {
  if (!rectifies) return Load(dy);
  return WherePositive(y == nullptr ? Normalized(terms, x) : Load(y), Load(dy));
}

template <int kV>
INLINE void SumStrip(int64_t c, const Rows &rows, const Line &line, const float *dy, const float *x, const float *y,
                     float *g, float *shifts, float *slopes) {
  Vector shift[kV], slope[kV];
#pragma GCC unroll 4
  for (int v = 0; v < kV; v++) shift[v] = slope[v] = Every(0);
  for (int64_t row = 0; row < rows.count; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; v++) {
      const int64_t at = row * rows.channels + c + v * kLanes;
      const Terms terms(line, c + v * kLanes);
      const Vector number = Load(x + at);
      const Vector passed = Passed(terms, line.rectifies, dy + at, number, y == nullptr ? nullptr : y + at);
      if (g != nullptr) Store(g + at, passed);
      shift[v] = Sum(shift[v], passed);
      slope[v] = MultiplyAdd(passed, Difference(number, terms.mean), slope[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kV; v++) {
    Store(shifts + c + v * kLanes, shift[v]);
    Store(slopes + c + v * kLanes, slope[v]);
  }
}

KERNEL void SumGradients(const Sizes &sizes, int64_t block, const Line &line, const float *dy, const float *x,
                         const float *y, float *g, float *shifts, float *slopes) {
  const Rows rows(sizes, block);
  FOR_STRIPS(sizes.channels, SumStrip, rows, line, rows.Of(dy), rows.Of(x), rows.Of(y), rows.Of(g), shifts, slopes)
}

KERNEL void Differentiate(const Sizes &sizes, int64_t block, const Line &line, const Slope &slope, const float *dy,
                          const float *x, const float *g, float *dx) {
  const Rows rows(sizes, block);
  const float *given = rows.Of(dy), *from = rows.Of(x), *made = rows.Of(g);
  float *to = rows.Of(dx);
  for (int64_t row = 0; row < rows.count; row++) {
    for (int64_t c = 0; c < rows.channels; c += kLanes) {
      const int64_t at = row * rows.channels + c;
      const Terms terms(line, c);
      const Vector number = Load(from + at);
      const Vector passed = made == nullptr ? Passed(terms, line.rectifies, given + at, number, nullptr) : Load(made + at);
      const Vector shifted = Sum(passed, Load(slope.shift + c));
      Store(to + at, Product(terms.factor, MultiplyAdd(Difference(number, terms.mean), Load(slope.slope + c), shifted)));
    }
  }
}
