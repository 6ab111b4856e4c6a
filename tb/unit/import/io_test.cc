// SPDX-License-Identifier: Apache-2.0
//
// Files and tensors in and out: raw and .npy inputs, good and bad, and atomic writing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tb/lib/seed.h"
#include "weft/io.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

// A .npy file with the given header dictionary; pads as NumPy does.
std::vector<uint8_t> Npy(const std::string& dictionary, const std::vector<uint8_t>& data,
                         int version = 1) {
  const size_t prefix = version == 1 ? 10 : 12;
  std::string header = dictionary;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::vector<uint8_t> file = {0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<uint8_t>(version), 0};
  for (size_t i = 0; i < prefix - 8; ++i) {
    file.push_back(static_cast<uint8_t>(header.size() >> (8 * i)));
  }
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

Tensor Expected(DType type, std::vector<int32_t> shape) {
  Tensor tensor;
  tensor.name = "image";
  tensor.type = type;
  tensor.shape = std::move(shape);
  return tensor;
}

class Io : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "weft_io_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Write(const std::string& name, const std::vector<uint8_t>& bytes) const {
    const Status status = WriteFileAtomic(Path(name), bytes);
    EXPECT_TRUE(status.has_value()) << status.error().message;
    return Path(name);
  }
  // The message of ReadTensorFile, or "".
  std::string Error(const std::string& name, const std::vector<uint8_t>& bytes,
                    const Tensor& expected) const {
    const auto read = ReadTensorFile(Write(name, bytes), expected);
    return read ? "" : read.error().message;
  }
  size_t FilesInFolder() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(Io, WritesAndReadsBack) {
  weft::testing::Rng rng;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65536}, size_t{200001}}) {
    const std::vector<uint8_t> bytes = rng.Vector<uint8_t>(size);
    const auto read = ReadFile(Write("f.bin", bytes));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, bytes);
    EXPECT_EQ(FilesInFolder(), 1u) << "a temporary file was left behind";
  }
}

TEST_F(Io, ReadErrorsNameThePath) {
  const auto missing = ReadFile(Path("none"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message,
            Path("none") + ": cannot be opened: No such file or directory");
  const auto folder = ReadFile(folder_.string());
  ASSERT_FALSE(folder.has_value());
  EXPECT_THAT(folder.error().message, HasSubstr("is a folder"));
}

TEST_F(Io, EndlessFilesEnd) {
  // A sparse file: its size alone must be enough to refuse it.
  Write("huge", {});
  fs::resize_file(Path("huge"), (uintmax_t{1} << 32) + 1);
  const auto read = ReadFile(Path("huge"));
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("larger than 4 GiB"));
}

TEST_F(Io, FailedWriteLeavesTheOldFile) {
  const Status nowhere = WriteFileAtomic(Path("no/folder/out.bin"), Bytes("x"));
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_THAT(nowhere.error().message, HasSubstr("no/folder/out.bin: cannot be written: No such"));
  fs::create_directory(Path("dir"));
  const Status folder = WriteFileAtomic(Path("dir"), Bytes("x"));
  ASSERT_FALSE(folder.has_value());
  EXPECT_THAT(folder.error().message, HasSubstr("is a folder"));
  EXPECT_EQ(FilesInFolder(), 1u);
}

// A disk that fills up half way, played by a limit on the size of files.
TEST_F(Io, InterruptedWriteLeavesTheOldFile) {
  Write("out.bin", Bytes("old"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = WriteFileAtomic(Path("out.bin"), std::vector<uint8_t>(5000));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr("out.bin: cannot be written: File too large"));
  EXPECT_EQ(*ReadFile(Path("out.bin")), Bytes("old"));
  EXPECT_EQ(FilesInFolder(), 1u) << "a temporary file was left behind";
}

TEST_F(Io, DevicesAndLinksStayWhatTheyAre) {
  fs::create_symlink("/dev/null", Path("null"));
  EXPECT_TRUE(WriteFileAtomic(Path("null"), Bytes("x")).has_value());
  EXPECT_TRUE(fs::is_character_file(Path("null")));

  Write("target", Bytes("old"));
  fs::create_symlink(Path("target"), Path("link"));
  EXPECT_TRUE(WriteFileAtomic(Path("link"), Bytes("new")).has_value());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(*ReadFile(Path("target")), Bytes("new"));

  const Status full = WriteFileAtomic("/dev/full", Bytes("x"));
  ASSERT_FALSE(full.has_value());
  EXPECT_THAT(full.error().message, HasSubstr("/dev/full: cannot be written"));
}

TEST_F(Io, RawTensorNeedsTheExactSize) {
  const Tensor expected = Expected(DType::kInt16, {1, 3});
  EXPECT_EQ(*ReadTensorFile(Write("a.bin", Bytes("abcdef")), expected), Bytes("abcdef"));
  EXPECT_EQ(Error("b.bin", Bytes("abcde"), expected),
            Path("b.bin") + ": 'image' needs int16 [1, 3] = 6 bytes, the file holds 5 bytes");
  EXPECT_THAT(Error("c.bin", Bytes("abcdefg"), expected), HasSubstr("the file holds 7 bytes"));
}

TEST_F(Io, NpyTensor) {
  const std::vector<uint8_t> data = Bytes("abcdef");
  const char* header = "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }";
  for (const int version : {1, 2, 3}) {
    // Recognised by its extension and by its first bytes.
    for (const char* name : {"a.npy", "a.bin"}) {
      const auto read =
          ReadTensorFile(Write(name, Npy(header, data, version)), Expected(DType::kInt8, {2, 3}));
      ASSERT_TRUE(read.has_value()) << read.error().message;
      EXPECT_EQ(*read, data);
    }
  }
}

TEST_F(Io, NpyTypesAndShapes) {
  struct Case {
    const char* descr;
    const char* shape;
    DType type;
    std::vector<int32_t> dimensions;
  };
  const std::vector<Case> cases = {
      {"<f4", "(5,)", DType::kFloat32, {5}},    {"<i2", "(2, 1, 3)", DType::kInt16, {2, 1, 3}},
      {"<i4", "()", DType::kInt32, {}},         {"<i8", "(1,)", DType::kInt64, {1}},
      {"|u1", "(4, 4)", DType::kUint8, {4, 4}}, {"|b1", "(2,)", DType::kBool, {2}},
      {">i1", "(2,)", DType::kInt8, {2}},       {"=f4", "(0, 3)", DType::kFloat32, {0, 3}}};
  for (const Case& c : cases) {
    const Tensor expected = Expected(c.type, c.dimensions);
    const std::string header = fmt::format(
        "{{\"shape\": {}, \"descr\": \"{}\", \"fortran_order\": False}}", c.shape, c.descr);
    const auto array = ParseNpy(Npy(header, std::vector<uint8_t>(expected.ByteCount(), 7)), "n");
    ASSERT_TRUE(array.has_value()) << array.error().message;
    EXPECT_EQ(array->type, c.type);
    EXPECT_EQ(array->shape, c.dimensions);
    EXPECT_EQ(array->data.size(), expected.ByteCount());
  }
}

TEST_F(Io, NpyMustMatchTypeAndShape) {
  const auto npy = [](const char* descr, const char* shape) {
    return Npy(
        fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape),
        Bytes("abcdef"));
  };
  EXPECT_EQ(Error("t.npy", npy("|u1", "(2, 3)"), Expected(DType::kInt8, {2, 3})),
            Path("t.npy") + ": 'image' needs int8 [2, 3], the file holds uint8 [2, 3]");
  EXPECT_EQ(Error("s.npy", npy("|i1", "(3, 2)"), Expected(DType::kInt8, {2, 3})),
            Path("s.npy") + ": 'image' needs int8 [2, 3], the file holds int8 [3, 2]");
  EXPECT_THAT(Error("x.npy", Bytes("abcdef"), Expected(DType::kInt8, {2, 3})),
              HasSubstr("not a NumPy .npy file"));
}

TEST_F(Io, BadNpyIsRefused) {
  const auto error = [](const std::vector<uint8_t>& bytes) {
    const auto array = ParseNpy(bytes, "n");
    return array ? std::string() : array.error().message;
  };
  const std::vector<uint8_t> data = Bytes("abcdef");
  const auto header_error = [&](const std::string& header) { return error(Npy(header, data)); };
  EXPECT_THAT(header_error("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }"),
              HasSubstr("Fortran order"));
  EXPECT_THAT(header_error("{'descr': '>i2', 'fortran_order': False, 'shape': (3,), }"),
              HasSubstr("type '>i2' is not supported"));
  EXPECT_THAT(header_error("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }"),
              HasSubstr("type '<c8' is not supported"));
  EXPECT_THAT(header_error("{'descr': '|i1', 'fortran_order': False, 'shape': (7,), }"),
              HasSubstr("header says int8 [7], but 6 bytes of data follow"));
  EXPECT_THAT(header_error("{'descr': '|i1', 'fortran_order': False, 'shape': (5,), }"),
              HasSubstr("header says int8 [5], but 6 bytes of data follow"));
  EXPECT_THAT(header_error("{'descr': '<i8', 'fortran_order': False, 'shape': (2147483647, "
                           "2147483647, 2147483647), }"),
              HasSubstr("but 6 bytes of data follow"));
  for (const char* malformed :
       {"", "{", "{}", "{'descr': '|i1', 'fortran_order': False}",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), } x",
        "{'descr': '|i1', 'fortran_order': 0, 'shape': (2, 3)}",
        "{'descr': '|i1' 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, -3)}",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': [('a', '|i1')], 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|i1, 'fortran_order': False}", "{'other': (1,)}"}) {
    EXPECT_THAT(header_error(malformed), HasSubstr("malformed .npy header")) << malformed;
  }
  std::vector<uint8_t> version = Npy("{}", data);
  version[6] = 4;
  EXPECT_THAT(error(version), HasSubstr("version 4"));
}

// Every shorter version of a good file is refused, and random damage never goes unnoticed by the
// bounds checks (which the sanitised build would report).
TEST_F(Io, DamagedNpyNeverCrashes) {
  const std::vector<uint8_t> good = Npy(
      "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", std::vector<uint8_t>(24, 1));
  ASSERT_TRUE(ParseNpy(good, "n").has_value());
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(ParseNpy({good.data(), length}, "n").has_value()) << length;
  }
  weft::testing::Rng rng;
  for (int run = 0; run < 2000; ++run) {
    std::vector<uint8_t> bad = good;
    for (int64_t n = rng.Int(1, 4); n > 0; --n) {
      bad[static_cast<size_t>(rng.Int(0, 100))] = static_cast<uint8_t>(rng.Int(0, 255));
    }
    const auto array = ParseNpy(bad, "n");
    if (array) {
      Tensor layout = Expected(array->type, array->shape);
      EXPECT_EQ(layout.ByteCount(), array->data.size());
    }
  }
}

}  // namespace
}  // namespace weft
