// DistilBERT's forward pass: Sanh et al. (2019), https://arxiv.org/abs/1910.01108.
//
// Windows are concatenated without padding. The result of a row depends on that row only, attention on its window only.
// So a window has bit-identical logits whatever other windows are in the call, and on any number of threads.

#include <vector>

#include "attention.hpp"
#include "linear.hpp"

namespace {

struct Norm {
  const float *weight, *bias;
};

struct Layer {
  Linear query_key_value, attention_out, ffn_in, ffn_out;
  Norm attention_norm, ffn_norm;
};

// Reads the tensors in the order in which _tensors of engines/native.py yields them.
class Tensors {
 public:
  explicit Tensors(const void* const* next) : next_(next) {}
  template <class T>
  const T* take() { return static_cast<const T*>(*next_++); }
  Norm norm() {
    const float* weight = take<float>();
    return {weight, take<float>()};
  }
  Linear linear(int inputs, int outputs) {
    const int8_t* weight = take<int8_t>();
    const float* scale = take<float>();
    return Linear(weight, scale, take<float>(), inputs, outputs);
  }

 private:
  const void* const* next_;
};

struct Workspace {
  Buffer<float> rows, qkv, mixed, hidden, scale, hidden_scale;
  Buffer<Rounded> quantized, quantized_hidden;
  Attention attention;
};

class Model {
 public:
  Model(int dim, int hidden_dim, int heads, int layers, int labels, Tensors tensors)
      : dim_(dim), hidden_dim_(hidden_dim), heads_(heads), labels_(labels), words_(tensors.take<uint16_t>()),
        positions_(tensors.take<float>()), embedding_norm_(tensors.norm()), layers_(read(tensors, dim, hidden_dim, layers)),
        pre_classifier_(tensors.linear(dim, dim)), classifier_(tensors.norm()) {}

  void logits(const int32_t* ids, const int32_t* lengths, int windows, float* out) const {
    static thread_local Workspace space;
    int count = 0;
    for (int window = 0; window < windows; ++window) count += lengths[window];
    const size_t room = (count + Tiles::ROWS - 1) / Tiles::ROWS * Tiles::ROWS;
    space.rows.reserve(room * dim_), space.qkv.reserve(room * 3 * dim_), space.mixed.reserve(room * dim_);
    space.hidden.reserve(size_t(BLOCK) * hidden_dim_), space.quantized_hidden.reserve(size_t(BLOCK) * hidden_dim_);
    space.scale.reserve(room), space.hidden_scale.reserve(BLOCK), space.quantized.reserve(room * dim_);
    embed(ids, lengths, windows, space);
    for (const Layer& layer : layers_) {
      count = attend(layer, lengths, windows, count, &layer == &layers_.back(), space);
      for (int first = 0; first < count; first += BLOCK) feed_forward(layer, first, std::min(BLOCK, count - first), space);
    }
    classify(windows, space, out);
  }

 private:
  static constexpr int BLOCK = 96;  // rows of the feed-forward layer at a time, so that its activations stay in cache
  static_assert(BLOCK % Tiles::ROWS == 0, "the tiles of a block end where the next one begins");

  static std::vector<Layer> read(Tensors& tensors, int dim, int hidden_dim, int count) {
    std::vector<Layer> layers;
    layers.reserve(count);
    while (count-- > 0) {  // an initializer list is evaluated from left to right
      layers.push_back(Layer{tensors.linear(dim, 3 * dim), tensors.linear(dim, dim), tensors.linear(dim, hidden_dim),
                             tensors.linear(hidden_dim, dim), tensors.norm(), tensors.norm()});
    }
    return layers;
  }

  void embed(const int32_t* ids, const int32_t* lengths, int windows, Workspace& space) const {
    float* row = space.rows.reserve(0);
    int at = 0;
    for (int window = 0; window < windows; ++window)
      for (int position = 0; position < lengths[window]; ++position, ++at, row += dim_) {
        const uint16_t* word = words_ + size_t(ids[at]) * dim_;
        for (int i = 0; i < dim_; i += LANES) store(row + i, load_halves(word + i));
        add(row, positions_ + size_t(position) * dim_, dim_);
        finish(at, embedding_norm_, space);
      }
  }

  // Returns the number of rows that are left. The classifier reads only the rows of [CLS], the first of each window, so
  // the last layer computes no others.
  int attend(const Layer& layer, const int32_t* lengths, int windows, int count, bool last, Workspace& space) const {
    float *qkv = space.qkv.reserve(0), *mixed = space.mixed.reserve(0), *scale = space.scale.reserve(0);
    float* rows = space.rows.reserve(0);
    Rounded* quantized = space.quantized.reserve(0);
    layer.query_key_value.apply(quantized, scale, count, qkv);
    const int head_dim = dim_ / heads_;
    int left = 0;
    for (int window = 0, row = 0; window < windows; row += lengths[window++]) {
      const int queries = last ? 1 : lengths[window];
      for (int head = 0; head < dim_; head += head_dim)
        space.attention.apply(qkv + size_t(row) * 3 * dim_ + head, dim_, head_dim, lengths[window], queries,
                              mixed + size_t(left) * dim_ + head);
      if (left < row) std::memmove(rows + size_t(left) * dim_, rows + size_t(row) * dim_, sizeof(float) * queries * dim_);
      left += queries;
    }
    for (int row = 0; row < left; ++row)
      scale[row] = quantize(mixed + size_t(row) * dim_, dim_, quantized + size_t(row) * dim_);
    layer.attention_out.apply(quantized, scale, left, mixed);
    for (int row = 0; row < left; ++row) {
      add(rows + size_t(row) * dim_, mixed + size_t(row) * dim_, dim_);
      finish(row, layer.attention_norm, space);
    }
    return left;
  }

  void feed_forward(const Layer& layer, int first, int count, Workspace& space) const {
    float *hidden = space.hidden.reserve(0), *scale = space.hidden_scale.reserve(0), *out = space.mixed.reserve(0);
    Rounded* quantized = space.quantized_hidden.reserve(0);
    layer.ffn_in.apply(space.quantized.reserve(0) + size_t(first) * dim_, space.scale.reserve(0) + first, count, hidden);
    for (int row = 0; row < count; ++row) {
      gelu(hidden + size_t(row) * hidden_dim_, hidden_dim_);
      scale[row] = quantize(hidden + size_t(row) * hidden_dim_, hidden_dim_, quantized + size_t(row) * hidden_dim_);
    }
    layer.ffn_out.apply(quantized, scale, count, out + size_t(first) * dim_);
    for (int row = first; row < first + count; ++row) {
      add(space.rows.reserve(0) + size_t(row) * dim_, out + size_t(row) * dim_, dim_);
      finish(row, layer.ffn_norm, space);
    }
  }

  void classify(int windows, Workspace& space, float* out) const {
    float* pooled = space.mixed.reserve(0);
    pre_classifier_.apply(space.quantized.reserve(0), space.scale.reserve(0), windows, pooled);
    for (int window = 0; window < windows; ++window, pooled += dim_)
      for (int label = 0; label < labels_; ++label) {
        const float* weight = classifier_.weight + size_t(label) * dim_;
        *out++ = classifier_.bias[label] + total(dim_, [&](Floats sums, int i) {
          const Floats activation = larger(all(0.f), load(pooled + i));  // the second where one is NaN, which stays NaN so
          return multiply_add(activation, load(weight + i), sums);
        });
      }
  }

  void finish(int row, const Norm& norm, Workspace& space) const {
    float* values = space.rows.reserve(0) + size_t(row) * dim_;
    normalize(values, dim_, norm.weight, norm.bias);
    space.scale.reserve(0)[row] = quantize(values, dim_, space.quantized.reserve(0) + size_t(row) * dim_);
  }

  int dim_, hidden_dim_, heads_, labels_;
  const uint16_t* words_;  // float16 [vocabulary, dim]
  const float* positions_;
  Norm embedding_norm_;
  std::vector<Layer> layers_;
  Linear pre_classifier_;
  Norm classifier_;
};

}  // namespace

extern "C" {

// Only int8 weights are copied: all other tensors must outlive the model.
void* model_new(int dim, int hidden_dim, int heads, int layers, int labels, const void* const* tensors) {
  return new Model(dim, hidden_dim, heads, layers, labels, Tensors(tensors));
}

void model_delete(void* model) { delete static_cast<Model*>(model); }

// ids: the concatenated token ids of all windows, special tokens included. lengths: the tokens of each window, at least
// 1. out: float32 [windows, labels]. Thread-safe.
void model_logits(const void* model, const int32_t* ids, const int32_t* lengths, int windows, float* out) {
  static_cast<const Model*>(model)->logits(ids, lengths, windows, out);
}
}
