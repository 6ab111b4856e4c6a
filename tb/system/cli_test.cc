// SPDX-License-Identifier: Apache-2.0
//
// The program `weft` as a user meets it: what it prints, writes and returns, and that each mistake
// gets one line on stderr and leaves nothing behind. WEFT_BINARY is the program's path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/reference/reference.h"
#include "tb/lib/data.h"
#include "tb/unit/import/tflite_builder.h"
#include "weft/hw/configs.h"
#include "weft/import.h"
#include "weft/io.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using Bytes = std::vector<uint8_t>;

constexpr int32_t kRelu = 19, kHardSwish = 117;

struct Finished {
  int code = -1;
  std::string out, err;
};

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "weft_cli_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  // Runs `weft <arguments>` in the test's folder.
  Finished Weft(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.string() + "' && '" WEFT_BINARY "' " + arguments +
                                " >.out 2>.err </dev/null";
    const int status = std::system(command.c_str());
    Finished finished{WIFEXITED(status) ? WEXITSTATUS(status) : -1, Text(".out"), Text(".err")};
    fs::remove(folder_ / ".out");
    fs::remove(folder_ / ".err");
    return finished;
  }

  void Write(const std::string& name, const Bytes& bytes) const {
    const Status written = WriteFileAtomic(Path(name), bytes);
    ASSERT_TRUE(written) << written.error().message;
  }
  Bytes Read(const std::string& name) const {
    const Result<Bytes> bytes = ReadFile(Path(name));
    EXPECT_TRUE(bytes) << bytes.error().message;
    return bytes.value_or(Bytes{});
  }
  nlohmann::json Json(const std::string& name) const {
    const Bytes bytes = Read(name);
    return nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      names.push_back(entry.path().lexically_relative(folder_).string());
    }
    std::ranges::sort(names);
    return names;
  }

  // The program must fail with this text in its one line, and leave no new file behind.
  void ExpectError(const std::string& arguments, const std::string& text, int code = 1) const {
    SCOPED_TRACE(arguments);
    const std::vector<std::string> before = Files();
    const Finished finished = Weft(arguments);
    EXPECT_EQ(finished.code, code);
    EXPECT_THAT(finished.err, HasSubstr(text));
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(Files(), before);
  }

  const std::string mnist_ =
      (testing::SourceDir() / "models/mnist_cnn/mnist_cnn_int8.tflite").string();
  const std::string digit_ =
      (testing::SourceDir() / "models/mnist_cnn/digits/digit_7.bin").string();

 private:
  std::string Text(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder_;
};

// A stand-alone RELU on one tensor of this shape.
Bytes ReluModel(const std::vector<int32_t>& shape, const std::string& output = "y") {
  ModelBuilder model;
  const int x = model.Input("x", shape);
  const int y = model.Activation(output, shape, 0.25f, -128);
  model.Operator(kRelu, {x}, {y});
  model.Output(y);
  return model.Build();
}

// ---- what it does ----

TEST_F(Cli, HelpNamesEveryCommand) {
  const Finished help = Weft("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* command :
       {"run", "verify", "estimate", "compile", "disasm", "info", "configs"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
    EXPECT_EQ(Weft(std::string(command) + " --help").code, 0);
  }
}

TEST_F(Cli, ConfigsListsTheShippedOnes) {
  const Finished configs = Weft("configs");
  EXPECT_EQ(configs.code, 0);
  for (const HardwareConfig& config : kHardwareConfigs) {
    const std::string name(config.name);
    EXPECT_EQ(configs.out.find(name) != std::string::npos, config.shipped) << name;
  }
  const Finished all = Weft("configs --all");
  EXPECT_EQ(all.code, 0);
  for (const HardwareConfig& config : kHardwareConfigs) {
    EXPECT_THAT(all.out, HasSubstr(std::string(config.name)));
  }
}

TEST_F(Cli, InfoListsOperatorsAndMacs) {
  const Finished info = Weft("info '" + mnist_ + "'");
  EXPECT_EQ(info.code, 0);
  for (const char* text : {"CONV_2D", "SOFTMAX", "2528000 MACs", "int8[1, 28, 28, 1]"}) {
    EXPECT_THAT(info.out, HasSubstr(text));
  }
}

TEST_F(Cli, InfoSaysWhyAModelIsNotSupported) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 4});
  const int y = model.Activation("y", {1, 4});
  model.Operator(kHardSwish, {x}, {y});
  model.Output(y);
  Write("m.tflite", model.Build());
  const Finished info = Weft("info m.tflite");
  EXPECT_EQ(info.code, 0);
  EXPECT_THAT(info.out, HasSubstr("HARD_SWISH"));
  EXPECT_THAT(info.out, HasSubstr("no: "));
}

TEST_F(Cli, CompilesDisassemblesAndRunsAProgram) {
  const Finished compiled = Weft("compile '" + mnist_ + "' -o m.weft");
  EXPECT_EQ(compiled.code, 0) << compiled.err;
  EXPECT_EQ(Files(), std::vector<std::string>{"m.weft"});
  const Finished text = Weft("disasm m.weft");
  EXPECT_EQ(text.code, 0);
  for (const char* command : {"LOAD_WEIGHTS", "RUN", "SOFTMAX", "MARK", "END"}) {
    EXPECT_THAT(text.out, HasSubstr(command));
  }
  const std::string run = " --device functional --input '" + digit_ + "' --output-dir ";
  EXPECT_EQ(Weft("run m.weft" + run + "from_program").code, 0);
  EXPECT_EQ(Weft("run '" + mnist_ + "'" + run + "from_model").code, 0);
  EXPECT_EQ(Read("from_program/digit.bin"), Read("from_model/digit.bin"));
}

TEST_F(Cli, EveryDeviceGivesTheSameOutputs) {
  const std::string run = "run '" + mnist_ + "' --seed 5 --output-dir ";
  for (const std::string rounding : {"double", "single"}) {
    const std::string more = " --rounding " + rounding + " --device ";
    EXPECT_EQ(Weft(run + "reference" + more + "reference").code, 0);
    EXPECT_EQ(Weft(run + "functional" + more + "functional").code, 0);
    EXPECT_EQ(Read("functional/digit.bin"), Read("reference/digit.bin"));
#if WEFT_WITH_RTL
    EXPECT_EQ(Weft(run + "rtl" + more + "rtl").code, 0);
    EXPECT_EQ(Read("rtl/digit.bin"), Read("reference/digit.bin"));
#endif
  }
}

TEST_F(Cli, TheSeedDecidesTheRandomInput) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 64}, 0.5f, 0);
  const int y = model.Activation("y", {1, 64}, 0.5f, 0);
  model.Operator(kRelu, {x}, {y});
  model.Output(y);
  Write("m.tflite", model.Build());
  const std::string run = "run m.tflite --device functional --seed ";
  for (const std::string output : {"1 --output-dir a", "1 --output-dir b", "2 --output-dir c"}) {
    EXPECT_EQ(Weft(run + output).code, 0);
  }
  EXPECT_EQ(Read("a/y.bin"), Read("b/y.bin"));
  EXPECT_NE(Read("a/y.bin"), Read("c/y.bin"));
}

TEST_F(Cli, TakesNpyInputs) {
  const Bytes raw = ReadFile(digit_).value_or(Bytes{});
  ASSERT_EQ(raw.size(), 784u);
  std::string npy = "\x93NUMPY\x01" + std::string(1, '\0') + "v" + std::string(1, '\0');
  npy += "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 28, 28, 1), }";
  npy.resize(127, ' ');  // 10 bytes before the header, and 'v', 118, of header
  npy += '\n';
  npy.append(raw.begin(), raw.end());
  Write("digit.npy", Bytes(npy.begin(), npy.end()));
  const Finished run =
      Weft("run '" + mnist_ + "' --device functional --input digit.npy --output-dir o");
  EXPECT_EQ(run.code, 0) << run.err;
  const Bytes output = Read("o/digit.bin");
  ASSERT_EQ(output.size(), 10u);
  EXPECT_EQ(static_cast<int8_t>(output[7]), 127);
  ExpectError("run '" + mnist_ + "' --device functional --input digit.npy --input digit.npy",
              "--input gives 2");
}

TEST_F(Cli, NamesOutputFilesByTensorOrIndex) {
  Write("plain.tflite", ReluModel({1, 8}, "Identity:0"));
  Write("path.tflite", ReluModel({1, 8}, "../model/Relu"));
  EXPECT_EQ(Weft("run plain.tflite --device functional --output-dir deep/plain").code, 0);
  EXPECT_EQ(Weft("run path.tflite --device functional --output-dir path").code, 0);
  EXPECT_EQ(Files(),
            (std::vector<std::string>{"deep", "deep/plain", "deep/plain/Identity:0.bin", "path",
                                      "path.tflite", "path/0.bin", "plain.tflite"}));
}

// The report's schema, on every device that has one.
void ExpectSchema(const nlohmann::json& json, bool has_clock) {
  ASSERT_TRUE(json.is_object());
  for (const char* key :
       {"schema_version", "model", "config", "rounding", "exact", "total", "layers", "outputs"}) {
    ASSERT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["model"], "mnist_cnn_int8.tflite");
  EXPECT_EQ(json["config"], "weft256");
  EXPECT_EQ(json["rounding"], "double");
  EXPECT_EQ(json["exact"], true);
  uint64_t cycles = 0, macs = 0, read_bytes = 0, write_bytes = 0;
  for (size_t i = 0; i < json["layers"].size(); ++i) {
    const nlohmann::json& layer = json["layers"][i];
    for (const char* key : {"index", "source_ops", "name", "op", "cycles", "macs", "utilization",
                            "read_bytes", "write_bytes", "bound"}) {
      ASSERT_TRUE(layer.contains(key)) << key;
    }
    EXPECT_EQ(layer["index"], i);
    EXPECT_FALSE(layer["source_ops"].empty());
    macs += layer["macs"].get<uint64_t>();
    if (!has_clock) continue;
    EXPECT_GT(layer["cycles"].get<uint64_t>(), 0u) << layer;
    cycles += layer["cycles"].get<uint64_t>();
    read_bytes += layer["read_bytes"].get<uint64_t>();
    write_bytes += layer["write_bytes"].get<uint64_t>();
  }
  const nlohmann::json& total = json["total"];
  for (const char* key :
       {"cycles", "macs", "utilization", "read_bytes", "write_bytes", "sim_seconds", "sim_khz"}) {
    ASSERT_TRUE(total.contains(key)) << key;
  }
  EXPECT_EQ(total["macs"], macs);
  EXPECT_EQ(macs, 2528000u);
  ASSERT_EQ(json["outputs"].size(), 1u);
  const nlohmann::json& output = json["outputs"][0];
  EXPECT_EQ(output["name"], "digit");
  EXPECT_EQ(output["shape"], (std::vector<int>{1, 10}));
  EXPECT_EQ(output["dtype"], "int8");
  EXPECT_EQ(output["file"], "o/digit.bin");
  if (!has_clock) return;
  EXPECT_EQ(total["cycles"], cycles) << "the layers' cycles sum to the total";
  EXPECT_EQ(total["read_bytes"], read_bytes);
  EXPECT_EQ(total["write_bytes"], write_bytes);
  int64_t lost = 0;
  for (const nlohmann::json& loss : total["losses"]) lost += loss.get<int64_t>();
  EXPECT_EQ(static_cast<int64_t>(cycles) - total["ideal_cycles"].get<int64_t>(), lost);
  EXPECT_NEAR(total["utilization"].get<double>(),
              static_cast<double>(macs) / (256.0 * static_cast<double>(cycles)), 1e-9);
  EXPECT_GT(total["sim_khz"].get<double>(), 0);
}

TEST_F(Cli, ReportFollowsTheSchema) {
  for (const std::string device : {"functional", "reference"}) {
    const Finished run =
        Weft("run '" + mnist_ + "' --report r.json --output-dir o --device " + device);
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_EQ(run.err, "");
    ExpectSchema(Json("r.json"), false);
  }
}

TEST_F(Cli, EstimateGivesCyclesAndTime) {
  const Finished text = Weft("estimate '" + mnist_ + "' --clock 250");
  EXPECT_EQ(text.code, 0) << text.err;
  for (const char* part : {"at 250 MHz, estimated", "CONV_2D 0", "SOFTMAX", "2528000"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
  const Finished finished = Weft("estimate '" + mnist_ + "' --clock 250 --json");
  EXPECT_EQ(finished.code, 0) << finished.err;
  const nlohmann::json json = nlohmann::json::parse(finished.out, nullptr, false);
  ASSERT_TRUE(json.is_object());
  uint64_t cycles = 0, macs = 0, read_bytes = 0, write_bytes = 0;
  for (const nlohmann::json& layer : json["layers"]) {
    cycles += layer["cycles"].get<uint64_t>();
    macs += layer["macs"].get<uint64_t>();
    read_bytes += layer["read_bytes"].get<uint64_t>();
    write_bytes += layer["write_bytes"].get<uint64_t>();
  }
  const nlohmann::json& total = json["total"];
  EXPECT_EQ(total["cycles"], cycles);
  EXPECT_EQ(total["macs"], macs);
  EXPECT_EQ(total["read_bytes"], read_bytes);
  EXPECT_EQ(total["write_bytes"], write_bytes);
  EXPECT_EQ(macs, 2528000u);
  EXPECT_DOUBLE_EQ(total["ms"].get<double>(), static_cast<double>(cycles) / 250e3);
#if WEFT_WITH_RTL
  EXPECT_EQ(Weft("run '" + mnist_ + "' --report r.json").code, 0);
  const nlohmann::json report = Json("r.json");
  EXPECT_EQ(json["layers"].size(), report["layers"].size());
  const double measured = report["total"]["cycles"].get<double>();
  EXPECT_NEAR(static_cast<double>(cycles), measured, 0.05 * measured);
#endif
}

#if WEFT_WITH_RTL
TEST_F(Cli, TraceShowsEveryEngineOverTime) {
  const Finished run = Weft("run '" + mnist_ + "' --trace t.json --report r.json");
  EXPECT_EQ(run.code, 0) << run.err;
  const nlohmann::json trace = Json("t.json"), report = Json("r.json");
  ASSERT_TRUE(trace.is_object());
  std::map<int, std::string> tracks;
  std::map<std::string, uint64_t> end, busy;  // by track
  for (const nlohmann::json& event : trace["traceEvents"]) {
    if (event["name"] == "thread_name") tracks[event["tid"]] = event["args"]["name"];
    if (event["ph"] != "X") continue;
    const std::string track = tracks.at(event["tid"]);
    const auto begin = event["ts"].get<uint64_t>(), length = event["dur"].get<uint64_t>();
    EXPECT_GE(begin, end[track]) << "slices of a track overlap: " << event;
    EXPECT_GT(length, 0u) << event;
    end[track] = begin + length;
    if (!event.contains("args") || !event["args"].contains("busy")) continue;
    EXPECT_LE(event["args"]["busy"].get<uint64_t>(), length) << event;
    EXPECT_EQ(event["name"], report["layers"][event["args"]["layer"].get<size_t>()]["name"]);
    busy[track] += event["args"]["busy"].get<uint64_t>();
  }
  for (const char* track : {"layers", "load", "weights", "array", "array waits", "post", "store"}) {
    EXPECT_GT(end[track], 0u) << track;
  }
  const nlohmann::json& counters = report["total"]["counters"];
  EXPECT_EQ(busy["array"], counters["array_busy"].get<uint64_t>());
  EXPECT_EQ(busy["weights"], counters["weight_beats"].get<uint64_t>());
  EXPECT_EQ(busy["post"], counters["post_busy"].get<uint64_t>());
  EXPECT_EQ(busy["load"] + busy["weights"] + counters["command_beats"].get<uint64_t>(),
            counters["read_beats"].get<uint64_t>());
}

TEST_F(Cli, SlowMemoryCostsCycles) {
  const auto cycles = [&](const std::string& memory) {
    EXPECT_EQ(Weft("run '" + mnist_ + "' --report r.json " + memory).code, 0);
    return Json("r.json")["total"]["cycles"].get<uint64_t>();
  };
  const uint64_t fast = cycles("");
  EXPECT_GT(cycles("--mem-bandwidth 0.25"), fast);
  EXPECT_GT(cycles("--mem-latency 100"), fast);
}

TEST_F(Cli, ReportOfTheRtlHasCycles) {
  const Finished run = Weft("run '" + mnist_ + "' --report r.json --output-dir o");
  EXPECT_EQ(run.code, 0) << run.err;
  const nlohmann::json fast = Json("r.json");
  ExpectSchema(fast, true);
  EXPECT_EQ(Weft("run '" + mnist_ + "' --report r.json --output-dir o --mem-latency 200").code, 0);
  const nlohmann::json slow = Json("r.json");
  ExpectSchema(slow, true);
  EXPECT_GT(slow["total"]["cycles"], fast["total"]["cycles"]);
}

TEST_F(Cli, VerifyComparesAllThreeAndReports) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (!config.shipped) continue;
    SCOPED_TRACE(config.name);
    const Finished verify = Weft(fmt::format("verify '{}' --input '{}' --config {} --report r.json",
                                             mnist_, digit_, config.name));
    EXPECT_EQ(verify.code, 0) << verify.err;
    EXPECT_THAT(verify.out, HasSubstr("equal on rtl, functional and reference"));
    EXPECT_EQ(Json("r.json")["exact"], true);
  }
}

TEST_F(Cli, VerifyRefusesAProgramFile) {
  ASSERT_EQ(Weft("compile '" + mnist_ + "' -o m.weft").code, 0);
  ExpectError("verify m.weft", "give the .tflite file");
}
#endif

// ---- what users do wrong ----

TEST_F(Cli, TruncatedModel) {
  Bytes model = ReadFile(mnist_).value_or(Bytes{});
  ASSERT_GT(model.size(), 1000u);
  for (const size_t size :
       {size_t{0}, size_t{3}, size_t{100}, model.size() / 2, model.size() * 9 / 10}) {
    SCOPED_TRACE(size);
    Write("m.tflite", Bytes(model.begin(), model.begin() + static_cast<ptrdiff_t>(size)));
    for (const std::string command :
         {"run --device functional", "info", "verify", "estimate", "compile -o m.weft"}) {
      ExpectError(command + " m.tflite", "m.tflite");
    }
  }
}

TEST_F(Cli, UnsupportedOperator) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 4}), y = model.Activation("between", {1, 4}),
            z = model.Activation("swished", {1, 4});
  model.Operator(kRelu, {x}, {y});
  model.Operator(kHardSwish, {y}, {z});
  model.Output(z);
  Write("m.tflite", model.Build());
  for (const std::string command :
       {"run m.tflite --device functional --output-dir o",
        "run m.tflite --device reference --report r.json", "run m.tflite", "verify m.tflite",
        "compile m.tflite -o m.weft"}) {
    ExpectError(command, "HARD_SWISH");
    ExpectError(command, "operator 1");
    ExpectError(command, "swished");
  }
}

TEST_F(Cli, InputOfTheWrongSize) {
  Write("short.bin", Bytes(783));
  Write("long.bin", Bytes(785));
  for (const std::string file : {"short.bin", "long.bin"}) {
    for (const std::string device : {"functional", "reference", "rtl"}) {
      ExpectError("run '" + mnist_ + "' --input " + file + " --output-dir o --report r.json" +
                      " --device " + device,
                  "784");
    }
    ExpectError("verify '" + mnist_ + "' --input " + file, file);
  }
  ExpectError("run '" + mnist_ + "' --device functional --input missing.bin", "missing.bin");
}

TEST_F(Cli, ProgramForAnotherConfiguration) {
  ASSERT_EQ(Weft("compile '" + mnist_ + "' --config weft64 -o m.weft").code, 0);
  for (const std::string device : {"functional", "rtl"}) {
    const std::string run = "run m.weft --output-dir o --report r.json --device " + device;
    ExpectError(run, "compiled for weft64");
    ExpectError(run + " --config weft1024", "the device is weft1024");
  }
  EXPECT_EQ(Weft("run m.weft --device functional --config weft64").code, 0);
  ExpectError("run m.weft --device functional --config weft64 --rounding single",
              "compiled with rounding double");
}

TEST_F(Cli, ModelTooLargeForTheMemory) {
  Write("m.tflite", ReluModel({32768, 128, 128, 2}));
  for (const std::string device : {"functional", "rtl"}) {
    ExpectError("run m.tflite --output-dir o --report r.json --device " + device, "too large");
  }
  ExpectError("verify m.tflite", "too large");
}

TEST_F(Cli, DamagedProgram) {
  ASSERT_EQ(Weft("compile '" + mnist_ + "' -o good.weft").code, 0);
  Bytes program = Read("good.weft");
  program[program.size() / 2] ^= 1;
  Write("bad.weft", program);
  ExpectError("run bad.weft --device functional", "damaged");
  ExpectError("disasm bad.weft", "damaged");
  program.resize(program.size() / 3);
  Write("short.weft", program);
  ExpectError("run short.weft --device functional", "truncated");
}

TEST_F(Cli, FilesThatCannotBeThere) {
  ExpectError("run missing.tflite", "missing.tflite");
  ExpectError("info .", ".");
  ExpectError("compile '" + mnist_ + "' -o no/folder.weft", "no/folder.weft");
  const std::string run = "run '" + mnist_ + "' --device functional ";
  ExpectError(run + "--report no/r.json", "no/r.json");
  Write("file", {1});
  ExpectError(run + "--output-dir file", "not a folder");
  ExpectError(run + "--wave w.fst", "--device rtl");
  ExpectError(run + "--trace t.json", "--device rtl");
  ExpectError(run + "--losses", "--device rtl");
  ExpectError("run '" + mnist_ + "' --trace no/t.json", "no/t.json");
}

TEST_F(Cli, CommandLinesThatMakeNoSense) {
  for (const std::string line :
       {"", "fly", "run", "run m --config weft7", "run m --device fpga", "run m --rounding up",
        "run m --mem-latency 0", "run m --mem-bandwidth 0", "run m --mem-bandwidth 2",
        "estimate m --clock 0", "estimate m --trace t.json", "run m --mem-latency x", "compile m",
        "configs extra", "run m --frobnicate"}) {
    ExpectError(line, "weft: ", 2);
  }
}

}  // namespace
}  // namespace weft
