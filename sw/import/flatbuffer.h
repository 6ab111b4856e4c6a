// SPDX-License-Identifier: Apache-2.0
//
// A reader of flatbuffers that trusts nothing: every offset, vtable, vector and string is checked
// against the bytes at hand before it is followed. It knows no schema; callers name fields by
// number.
//
// Errors are sticky. The first fault is kept in FlatBuffer::status() and every accessor answers
// with its default (0, empty) from then on, so callers read straight through and check once:
//
//   FlatBuffer file(bytes);
//   FlatTable model = file.Root("model");
//   uint32_t version = model.Scalar<uint32_t>(0, 0);
//   for (FlatTable buffer : model.Tables(4, "buffer")) { ... }
//   if (!file.status()) return file.status();
//
// Lifetime: tables, vectors and strings are views into the bytes given to FlatBuffer, and hold a
// pointer to it. The format's offsets to children are unsigned, so a walk of fixed depth ends.
// Written from the public description of the binary format; little-endian, as the format is.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "weft/result.h"

namespace weft {

static_assert(std::endian::native == std::endian::little, "weft hosts are little-endian");

class FlatTable;

/// The bytes of one file and the first fault found in them.
class FlatBuffer {
 public:
  explicit FlatBuffer(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  FlatBuffer(const FlatBuffer&) = delete;
  FlatBuffer& operator=(const FlatBuffer&) = delete;

  /// The table the file begins with; `what` names it in messages.
  FlatTable Root(const char* what);

  std::span<const uint8_t> bytes() const { return bytes_; }
  const Status& status() const { return status_; }
  bool ok() const { return status_.has_value(); }

  /// Records a fault unless an earlier one is known: "damaged at byte 0x1c (tensor): ...".
  void Fault(uint64_t position, const char* what, std::string_view problem);

  /// True when [position, position + size) lies in the file; otherwise records a fault.
  bool Check(uint64_t position, uint64_t size, const char* what);

  /// The unaligned value at `position`, which must have been checked.
  template <typename T>
  T Load(uint64_t position) const {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, bytes_.data() + position, sizeof(T));
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  Status status_;
};

/// A checked vector of scalars inside the file.
template <typename T>
class FlatVector {
 public:
  FlatVector() = default;
  FlatVector(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T operator[](size_t i) const {
    T value;
    std::memcpy(&value, data_ + i * sizeof(T), sizeof(T));
    return value;
  }
  std::vector<T> Copy() const {
    std::vector<T> copy(size_);
    if (size_ > 0) std::memcpy(copy.data(), data_, size_ * sizeof(T));
    return copy;
  }
  std::span<const uint8_t> Bytes() const { return {data_, size_ * sizeof(T)}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// A checked vector of offsets to tables. Each table is checked when it is taken out.
class FlatTableVector {
 public:
  FlatTableVector() = default;
  FlatTableVector(FlatBuffer* buffer, uint64_t first, size_t size, const char* what)
      : buffer_(buffer), first_(first), size_(size), what_(what) {}
  size_t size() const { return size_; }
  FlatTable operator[](size_t i) const;

  class Iterator {
   public:
    Iterator(const FlatTableVector* owner, size_t i) : owner_(owner), i_(i) {}
    FlatTable operator*() const;
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return i_ != other.i_; }

   private:
    const FlatTableVector* owner_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }

 private:
  FlatBuffer* buffer_ = nullptr;
  uint64_t first_ = 0;
  size_t size_ = 0;
  const char* what_ = "";
};

/// One table. A default-constructed table is absent: all its fields have their defaults.
class FlatTable {
 public:
  FlatTable() = default;

  /// Checks the table at `position`, its vtable and its extent; absent on a fault.
  static FlatTable At(FlatBuffer* buffer, uint64_t position, const char* what);

  bool present() const { return buffer_ != nullptr; }
  const char* what() const { return what_; }

  /// The scalar in field number `field`, or `absent` when the file leaves it out.
  template <typename T>
  T Scalar(int field, T absent) const {
    const uint64_t at = Field(field, sizeof(T));
    return at == 0 ? absent : buffer_->Load<T>(at);
  }

  /// The vector of scalars in `field`; empty when left out.
  template <typename T>
  FlatVector<T> Vector(int field, const char* what) const {
    const Extent extent = VectorExtent(field, sizeof(T), what);
    if (extent.count == 0) return {};
    return FlatVector<T>(buffer_->bytes().data() + extent.first, extent.count);
  }

  /// The string in `field`, without its terminator; empty when left out. Any bytes may occur.
  std::string_view String(int field, const char* what) const;
  FlatTable Table(int field, const char* what) const;
  FlatTableVector Tables(int field, const char* what) const;

 private:
  struct Extent {
    uint64_t first = 0;
    size_t count = 0;
  };

  /// Position of a field of `size` bytes in the file; 0 when left out or faulty.
  uint64_t Field(int field, size_t size) const;
  /// Position that the offset in `field` points at; 0 when left out or faulty.
  uint64_t Follow(int field, const char* what) const;
  Extent VectorExtent(int field, size_t element_size, const char* what) const;

  FlatBuffer* buffer_ = nullptr;
  uint64_t position_ = 0;
  uint64_t vtable_ = 0;
  uint16_t vtable_size_ = 0;
  uint16_t table_size_ = 0;
  const char* what_ = "";
};

inline FlatTable FlatTableVector::Iterator::operator*() const { return (*owner_)[i_]; }

}  // namespace weft
