// SPDX-License-Identifier: Apache-2.0
#include "sw/import/flatbuffer.h"

namespace weft {
namespace {

constexpr uint64_t kOffsetSize = 4;

// Target of the unsigned offset stored at `at` (already checked); 0 on a fault.
uint64_t FollowOffset(FlatBuffer* buffer, uint64_t at, const char* what) {
  const uint32_t offset = buffer->Load<uint32_t>(at);
  const uint64_t target = at + offset;
  if (offset == 0 || target % kOffsetSize != 0) {
    buffer->Fault(at, what, fmt::format("offset {} leads nowhere", offset));
    return 0;
  }
  // The least any target holds is four bytes: a table's vtable offset or a vector's length.
  return buffer->Check(target, kOffsetSize, what) ? target : 0;
}

}  // namespace

void FlatBuffer::Fault(uint64_t position, const char* what, std::string_view problem) {
  if (!status_) return;
  status_ =
      Fail("truncated or damaged: {} at byte {} of {}: {}", what, position, bytes_.size(), problem);
}

bool FlatBuffer::Check(uint64_t position, uint64_t size, const char* what) {
  if (position <= bytes_.size() && size <= bytes_.size() - position) return true;
  Fault(position, what, fmt::format("{} bytes needed, which run past the end", size));
  return false;
}

FlatTable FlatBuffer::Root(const char* what) {
  if (!Check(0, kOffsetSize, what)) return {};
  const uint64_t position = FollowOffset(this, 0, what);
  return position == 0 ? FlatTable() : FlatTable::At(this, position, what);
}

FlatTable FlatTable::At(FlatBuffer* buffer, uint64_t position, const char* what) {
  if (!buffer->ok() || !buffer->Check(position, sizeof(int32_t), what)) return {};
  const int64_t vtable = static_cast<int64_t>(position) - int64_t{buffer->Load<int32_t>(position)};
  if (vtable < 0 || vtable % 2 != 0) {
    buffer->Fault(position, what, "its field list lies outside the file");
    return {};
  }
  const uint64_t vtable_at = static_cast<uint64_t>(vtable);
  if (!buffer->Check(vtable_at, 2 * sizeof(uint16_t), what)) return {};
  FlatTable table;
  table.buffer_ = buffer;
  table.position_ = position;
  table.vtable_ = vtable_at;
  table.vtable_size_ = buffer->Load<uint16_t>(vtable_at);
  table.table_size_ = buffer->Load<uint16_t>(vtable_at + 2);
  table.what_ = what;
  if (table.vtable_size_ < 4 || table.vtable_size_ % 2 != 0 || table.table_size_ < 4) {
    buffer->Fault(vtable_at, what, "its field list has an impossible size");
    return {};
  }
  if (!buffer->Check(vtable_at, table.vtable_size_, what)) return {};
  if (!buffer->Check(position, table.table_size_, what)) return {};
  return table;
}

uint64_t FlatTable::Field(int field, size_t size) const {
  if (buffer_ == nullptr || !buffer_->ok()) return 0;
  const uint64_t entry = 4 + 2 * static_cast<uint64_t>(field);
  if (entry + 2 > vtable_size_) return 0;
  const uint16_t offset = buffer_->Load<uint16_t>(vtable_ + entry);
  if (offset == 0) return 0;
  if (offset < 4 || offset + size > table_size_) {
    buffer_->Fault(position_, what_, fmt::format("field {} lies outside its table", field));
    return 0;
  }
  return position_ + offset;
}

uint64_t FlatTable::Follow(int field, const char* what) const {
  const uint64_t at = Field(field, kOffsetSize);
  return at == 0 ? 0 : FollowOffset(buffer_, at, what);
}

FlatTable::Extent FlatTable::VectorExtent(int field, size_t element_size, const char* what) const {
  const uint64_t at = Follow(field, what);
  if (at == 0) return {};
  const uint64_t count = buffer_->Load<uint32_t>(at);
  const uint64_t first = at + sizeof(uint32_t);
  if (!buffer_->Check(first, count * element_size, what)) return {};
  return {first, static_cast<size_t>(count)};
}

std::string_view FlatTable::String(int field, const char* what) const {
  const Extent extent = VectorExtent(field, 1, what);
  if (extent.count == 0) return {};
  return {reinterpret_cast<const char*>(buffer_->bytes().data() + extent.first), extent.count};
}

FlatTable FlatTable::Table(int field, const char* what) const {
  const uint64_t at = Follow(field, what);
  return at == 0 ? FlatTable() : At(buffer_, at, what);
}

FlatTableVector FlatTable::Tables(int field, const char* what) const {
  const Extent extent = VectorExtent(field, kOffsetSize, what);
  if (extent.count == 0) return {};
  return FlatTableVector(buffer_, extent.first, extent.count, what);
}

FlatTable FlatTableVector::operator[](size_t i) const {
  if (!buffer_->ok()) return {};
  const uint64_t position = FollowOffset(buffer_, first_ + i * kOffsetSize, what_);
  return position == 0 ? FlatTable() : FlatTable::At(buffer_, position, what_);
}

}  // namespace weft
