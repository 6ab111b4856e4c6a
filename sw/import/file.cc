// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weft/io.h"

namespace weft {
namespace {

// Closes the descriptor at the end of the scope.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  bool Close() {
    if (fd_ < 0) return true;
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

// Nothing a device with 32-bit addresses uses is larger; endless pipes and devices end here too.
constexpr size_t kMaxFileSize = size_t{1} << 32;

std::string SystemReason() { return std::strerror(errno); }

// Writes everything and closes; the reason on failure.
std::optional<std::string> WriteAll(FileDescriptor* file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file->get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemReason();
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  if (!file->Close()) return SystemReason();
  return std::nullopt;
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return Fail("{}: cannot be opened: {}", path, SystemReason());
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return Fail("{}: {}", path, SystemReason());
  if (S_ISDIR(facts.st_mode)) return Fail("{}: is a folder, a file is needed", path);

  const auto too_large = [&path] {
    return Fail("{}: larger than {} GiB", path, kMaxFileSize >> 30);
  };
  if (facts.st_size > static_cast<off_t>(kMaxFileSize)) return too_large();

  // The size is a first guess only: pipes have none, and a file may grow meanwhile.
  constexpr size_t kGrowth = 1 << 16;
  std::vector<uint8_t> bytes(facts.st_size > 0 ? static_cast<size_t>(facts.st_size) + 1 : kGrowth);
  size_t filled = 0;
  while (true) {
    if (filled > kMaxFileSize) return too_large();
    if (filled == bytes.size()) bytes.resize(bytes.size() * 2);
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail("{}: cannot be read: {}", path, SystemReason());
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

Status WriteFileAtomic(const std::string& path, std::span<const uint8_t> bytes) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_status existing = fs::status(path, ignored);
  if (fs::is_directory(existing)) return Fail("{}: is a folder, cannot be written", path);
  if (fs::exists(existing) && !fs::is_regular_file(existing)) {
    FileDescriptor device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (device.get() < 0) return Fail("{}: cannot be written: {}", path, SystemReason());
    if (auto reason = WriteAll(&device, bytes)) {
      return Fail("{}: cannot be written: {}", path, *reason);
    }
    return {};
  }

  std::string target = path;
  if (fs::is_symlink(fs::symlink_status(path, ignored))) {
    if (const fs::path real = fs::weakly_canonical(path, ignored); !real.empty()) {
      target = real.string();
    }
  }
  // Unlike any other process' and thread's, so that two writers cannot mix their bytes.
  static std::atomic<unsigned> serial{0};
  const std::string temporary = fmt::format("{}.{}.{}.tmp", target, ::getpid(), ++serial);
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return Fail("{}: cannot be written: {}", path, SystemReason());
  if (auto reason = WriteAll(&file, bytes)) {
    ::unlink(temporary.c_str());
    return Fail("{}: cannot be written: {}", path, *reason);
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    const std::string reason = SystemReason();
    ::unlink(temporary.c_str());
    return Fail("{}: cannot be written: {}", path, reason);
  }
  return {};
}

}  // namespace weft
