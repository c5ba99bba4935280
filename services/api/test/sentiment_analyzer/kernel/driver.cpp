// Runs the kernel without Python: under sanitizers, and under an emulator of another processor.
//
//     driver logits INPUT OUTPUT
//     driver products INPUT OUTPUT
//
// INPUT is a sequence of arrays, each an int64, its size in bytes, and then its bytes. Each array gets memory of exactly
// its size, so that AddressSanitizer sees a read past its end.
//
// logits: int32 {dim, hidden_dim, heads, layers, labels, number of tensors}, the tensors, and for each call the lengths
// and the ids, int32, of its windows. Writes the logits of all calls, float32.
//
// products: int32 {inputs, outputs}, int8 weights [outputs, inputs] and int8 rows [count, inputs] in [-127, 127]. Writes
// the sums of a linear layer, [count, outputs], as float32, which holds every integer up to 2^24.

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "model.cpp"

namespace {

using Array = std::vector<char>;

template <class T>
const T* as(const Array& array) { return reinterpret_cast<const T*>(array.data()); }

[[noreturn]] void fail(const char* message) {
  std::fprintf(stderr, "driver: %s\n", message);
  std::exit(2);
}

std::vector<Array> read(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (!file) fail("the input cannot be opened");
  std::vector<Array> arrays;
  for (int64_t size; std::fread(&size, sizeof size, 1, file) == 1;) {
    Array array(size);
    if (size && std::fread(array.data(), size, 1, file) != 1) fail("the input is cut short");
    arrays.push_back(std::move(array));
  }
  std::fclose(file);
  return arrays;
}

void write(std::FILE* file, const float* values, size_t count) {
  if (count && std::fwrite(values, sizeof(float) * count, 1, file) != 1) fail("the output cannot be written");
}

void logits(const std::vector<Array>& arrays, std::FILE* out) {
  const int32_t* shape = as<int32_t>(arrays[0]);
  const int labels = shape[4], tensors = shape[5];
  std::vector<const void*> pointers;
  for (int i = 1; i <= tensors; ++i) pointers.push_back(arrays[i].data());
  void* model = model_new(shape[0], shape[1], shape[2], shape[3], labels, pointers.data());
  for (size_t i = tensors + 1; i + 1 < arrays.size(); i += 2) {
    const int windows = int(arrays[i].size() / sizeof(int32_t));
    std::vector<float> found(size_t(windows) * labels);
    model_logits(model, as<int32_t>(arrays[i + 1]), as<int32_t>(arrays[i]), windows, found.data());
    write(out, found.data(), found.size());
  }
  model_delete(model);
}

void products(const std::vector<Array>& arrays, std::FILE* out) {
  const int32_t* shape = as<int32_t>(arrays[0]);
  const int inputs = shape[0], outputs = shape[1], count = int(arrays[2].size() / inputs);
  const size_t room = (count + Tiles::ROWS - 1) / Tiles::ROWS * Tiles::ROWS;
  const std::vector<float> ones(std::max<size_t>(outputs, room), 1.f), bias(outputs, 0.f);
  std::vector<Rounded> rows(room * inputs);
  for (size_t i = 0; i < arrays[2].size(); ++i) rows[i] = Rounded(as<int8_t>(arrays[2])[i] + MIDDLE);
  std::vector<float> found(room * outputs);
  Linear(as<int8_t>(arrays[1]), ones.data(), bias.data(), inputs, outputs).apply(rows.data(), ones.data(), count, found.data());
  write(out, found.data(), size_t(count) * outputs);
}

}  // namespace

int main(int count, char** arguments) {
#if defined(__AMX_INT8__)
  if (syscall(SYS_arch_prctl, 0x1023, 18)) fail("the system refuses the registers of AMX");  // as engines/compiler.py asks
#endif
  if (count != 4) fail("it takes a command, an input and an output");
  const std::vector<Array> arrays = read(arguments[2]);
  std::FILE* out = std::fopen(arguments[3], "wb");
  if (!out) fail("the output cannot be opened");
  const std::string command = arguments[1];
  if (command == "logits") logits(arrays, out);
  else if (command == "products") products(arrays, out);
  else fail("there is no such command");
  if (std::fclose(out)) fail("the output cannot be written");
}
