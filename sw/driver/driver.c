// SPDX-License-Identifier: Apache-2.0
//
// The job ring, completion and errors of a Weft device. Register and ring formats come from
// spec/registers.toml through weft/hw/weft_hw.h.
#include "weft/driver.h"

static uint32_t read_register(const weft_device* device, uint32_t offset) {
  return device->platform.read_register(device->platform.context, offset);
}

static void write_register(const weft_device* device, uint32_t offset, uint32_t value) {
  device->platform.write_register(device->platform.context, offset, value);
}

// A wait that ends even where the clock stands still: every look at it counts as a tick.
typedef struct deadline {
  const weft_platform* platform;
  uint64_t start, ticks, looks;
} deadline;

static deadline deadline_in(const weft_device* device, uint64_t ticks) {
  deadline d = {&device->platform, 0, ticks, 0};
  d.start = d.platform->now(d.platform->context);
  return d;
}

// Ticks that are left; 0: time is up.
static uint64_t deadline_left(deadline* d) {
  uint64_t passed = d->platform->now(d->platform->context) - d->start;
  d->looks += 1;
  if (passed < d->looks) passed = d->looks;
  return passed < d->ticks ? d->ticks - passed : 0;
}

weft_result weft_open(weft_device* device, const weft_platform* platform) {
  uint32_t sizes;
  weft_identity* id = &device->identity;
  device->platform = *platform;
  device->ring = NULL;
  device->ring_address = 0;
  device->ring_entries = 0;
  device->submitted = 0;
  device->has_error = false;
  if (read_register(device, WEFT_REG_ID) != WEFT_ID_VALUE) return WEFT_E_NOT_WEFT;
  id->version = read_register(device, WEFT_REG_VERSION);
  id->config_hash = read_register(device, WEFT_REG_CONFIG_HASH);
  id->command_version = read_register(device, WEFT_REG_COMMAND_VERSION);
  id->features = read_register(device, WEFT_REG_FEATURES);
  sizes = read_register(device, WEFT_REG_SIZES);
  id->k = sizes & 0xffu;
  id->n = (sizes >> 8) & 0xffu;
  id->post_lanes = (sizes >> 16) & 0xffu;
  id->axi_bytes = sizes >> 24;
  id->scratchpad_bytes = read_register(device, WEFT_REG_SCRATCHPAD_BYTES);
  id->weight_bytes = read_register(device, WEFT_REG_WEIGHT_BYTES);
  if (id->command_version != WEFT_COMMAND_VERSION_VALUE) return WEFT_E_COMMAND_VERSION;
  return WEFT_OK;
}

weft_result weft_check_config(const weft_device* device, uint32_t config_hash) {
  return device->identity.config_hash == config_hash ? WEFT_OK : WEFT_E_CONFIG;
}

weft_result weft_start_ring(weft_device* device, void* memory, uint64_t address,
                            uint32_t log2_entries, uint64_t ticks) {
  weft_result result;
  if (memory == NULL || (address & 63u) != 0 || (address >> 40) != 0 || log2_entries > 12) {
    return WEFT_E_ARGUMENT;
  }
  result = weft_reset(device, ticks);
  if (result != WEFT_OK) return result;
  write_register(device, WEFT_REG_RING_BASE_LO, (uint32_t)address);
  write_register(device, WEFT_REG_RING_BASE_HI, (uint32_t)(address >> 32));
  write_register(device, WEFT_REG_RING_LOG2, log2_entries);
  write_register(device, WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
  device->ring = (uint8_t*)memory;
  device->ring_address = address;
  device->ring_entries = (uint32_t)1 << log2_entries;
  return WEFT_OK;
}

weft_result weft_set_region(weft_device* device, uint32_t region, uint64_t base) {
  if (region >= WEFT_REG_REGION_BASE_LO_COUNT || (base & 63u) != 0 || (base >> 40) != 0) {
    return WEFT_E_ARGUMENT;
  }
  write_register(device, WEFT_REG_REGION_BASE_LO(region), (uint32_t)base);
  write_register(device, WEFT_REG_REGION_BASE_HI(region), (uint32_t)(base >> 32));
  return WEFT_OK;
}

weft_result weft_set_window(weft_device* device, uint32_t window, uint64_t first_address,
                            uint64_t last_address, uint32_t permissions, bool lock) {
  const uint32_t both = WEFT_WINDOW_CONTROL_READ | WEFT_WINDOW_CONTROL_WRITE;
  const uint64_t end = last_address + 1u;
  uint32_t first = (uint32_t)(first_address >> 8);
  uint32_t last = (uint32_t)(last_address >> 8);
  uint32_t control = permissions;
  if (window >= WEFT_REG_WINDOW_CONTROL_COUNT || (first_address & 0xffu) != 0 ||
      (end & 0xffu) != 0 || first_address > end || (first_address >> 40) != 0 ||
      ((end - 1u) >> 40) != 0 || (permissions & ~both) != 0) {
    return WEFT_E_ARGUMENT;
  }
  if ((read_register(device, WEFT_REG_WINDOW_CONTROL(window)) & WEFT_WINDOW_CONTROL_LOCK) != 0) {
    return WEFT_E_LOCKED;
  }
  if ((read_register(device, WEFT_REG_STATUS) & WEFT_STATUS_BUSY) != 0) return WEFT_E_BUSY;
  if (permissions != 0) control |= WEFT_WINDOW_CONTROL_ENABLE;
  if (lock) control |= WEFT_WINDOW_CONTROL_LOCK;
  write_register(device, WEFT_REG_WINDOW_FIRST(window), first);
  write_register(device, WEFT_REG_WINDOW_LAST(window), last);
  write_register(device, WEFT_REG_WINDOW_CONTROL(window), control);
  return WEFT_OK;
}

void weft_set_watchdog(weft_device* device, uint32_t cycles) {
  write_register(device, WEFT_REG_WATCHDOG, cycles);
}

static void put_word(uint8_t* entry, uint32_t index, uint32_t value) {
  entry[4 * index + 0] = (uint8_t)(value & 0xffu);
  entry[4 * index + 1] = (uint8_t)((value >> 8) & 0xffu);
  entry[4 * index + 2] = (uint8_t)((value >> 16) & 0xffu);
  entry[4 * index + 3] = (uint8_t)(value >> 24);
}

weft_result weft_submit(weft_device* device, const weft_job* job, uint32_t* number) {
  uint32_t slot, i;
  uint8_t* entry;
  if (device->ring_entries == 0 || job->stream_region >= WEFT_REG_REGION_BASE_LO_COUNT ||
      (job->stream_offset & 63u) != 0 || job->stream_commands == 0) {
    return WEFT_E_ARGUMENT;
  }
  if (device->submitted - read_register(device, WEFT_REG_RING_HEAD) >= device->ring_entries) {
    return WEFT_E_RING_FULL;
  }
  slot = device->submitted & (device->ring_entries - 1);
  entry = device->ring + (size_t)slot * WEFT_JOB_ENTRY_BYTES;
  for (i = 0; i < WEFT_JOB_ENTRY_BYTES; ++i) entry[i] = 0;
  put_word(entry, WEFT_JOB_JOB_ID, device->submitted);
  put_word(entry, WEFT_JOB_CONFIG_HASH, job->config_hash);
  put_word(entry, WEFT_JOB_STREAM_REGION, job->stream_region);
  put_word(entry, WEFT_JOB_STREAM_OFFSET, job->stream_offset);
  put_word(entry, WEFT_JOB_STREAM_COMMANDS, job->stream_commands);
  device->platform.to_device(device->platform.context,
                             device->ring_address + (uint64_t)slot * WEFT_JOB_ENTRY_BYTES, entry,
                             WEFT_JOB_ENTRY_BYTES);
  *number = device->submitted;
  device->submitted += 1;
  write_register(device, WEFT_REG_RING_TAIL, device->submitted);
  return WEFT_OK;
}

// The device halts with the failed job, so it is the last that ended; ERROR_JOB, which the device
// reads from the ring, is not known when reading the ring was what failed.
static void take_error(weft_device* device) {
  weft_job_error* error = &device->last_error;
  error->code = read_register(device, WEFT_REG_ERROR_CODE);
  error->job = read_register(device, WEFT_REG_RING_HEAD) - 1u;
  error->command = read_register(device, WEFT_REG_ERROR_COMMAND);
  error->address = (uint64_t)read_register(device, WEFT_REG_ERROR_ADDR_HI) << 32;
  error->address |= read_register(device, WEFT_REG_ERROR_ADDR_LO);
  device->has_error = true;
}

static bool has_ended(const weft_device* device, uint32_t number) {
  const uint32_t ended = read_register(device, WEFT_REG_RING_HEAD) - number - 1u;
  return ended < 0x80000000u;
}

weft_result weft_poll(weft_device* device, uint32_t number) {
  bool ended, halted;
  if (device->submitted - number - 1u >= 0x80000000u) return WEFT_E_ARGUMENT;
  // In this order: a job that fails ends and halts the device in the same cycle, so whoever sees
  // its end sees the halt, too.
  ended = has_ended(device, number);
  halted = (read_register(device, WEFT_REG_STATUS) & WEFT_STATUS_HALTED) != 0;
  if (halted) {
    take_error(device);
    ended = has_ended(device, number);
  }
  if (ended) {
    return device->has_error && device->last_error.job == number ? WEFT_E_JOB : WEFT_OK;
  }
  return halted ? WEFT_E_HALTED : WEFT_E_PENDING;
}

weft_result weft_wait(weft_device* device, uint32_t number, uint64_t ticks) {
  deadline limit = deadline_in(device, ticks);
  for (;;) {
    uint64_t left;
    weft_result result;
    // Cleared before looking: an end after the look raises the line again.
    write_register(device, WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
    result = weft_poll(device, number);
    if (result != WEFT_E_PENDING) return result;
    left = deadline_left(&limit);
    if (left == 0) return WEFT_E_TIMEOUT;
    if (!device->platform.wait_interrupt(device->platform.context, left)) {
      result = weft_poll(device, number);
      return result == WEFT_E_PENDING ? WEFT_E_TIMEOUT : result;
    }
  }
}

// Polls until (register & mask) == value. These waits are short and have no interrupt.
static weft_result await_bits(weft_device* device, uint32_t offset, uint32_t mask, uint32_t value,
                              uint64_t ticks) {
  deadline limit = deadline_in(device, ticks);
  while ((read_register(device, offset) & mask) != value) {
    if (deadline_left(&limit) == 0) return WEFT_E_TIMEOUT;
  }
  return WEFT_OK;
}

weft_result weft_abort(weft_device* device, uint64_t ticks) {
  weft_result result;
  write_register(device, WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
  result = await_bits(device, WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0, ticks);
  if (result != WEFT_OK) return result;
  if ((read_register(device, WEFT_REG_STATUS) & WEFT_STATUS_HALTED) != 0) take_error(device);
  return WEFT_OK;
}

weft_result weft_resume(weft_device* device, uint64_t ticks) {
  uint32_t head;
  deadline limit;
  if ((read_register(device, WEFT_REG_STATUS) & WEFT_STATUS_HALTED) == 0) return WEFT_OK;
  take_error(device);
  head = read_register(device, WEFT_REG_RING_HEAD);
  write_register(device, WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  // The device leaves the halted state when the bus is quiet. The next job may fail at once and
  // halt it again: that, too, is the end of this wait.
  limit = deadline_in(device, ticks);
  while ((read_register(device, WEFT_REG_STATUS) & WEFT_STATUS_HALTED) != 0 &&
         read_register(device, WEFT_REG_RING_HEAD) == head) {
    if (deadline_left(&limit) == 0) return WEFT_E_TIMEOUT;
  }
  return WEFT_OK;
}

weft_result weft_reset(weft_device* device, uint64_t ticks) {
  weft_result result;
  write_register(device, WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  result = await_bits(device, WEFT_REG_STATUS, WEFT_STATUS_BUSY | WEFT_STATUS_HALTED, 0, ticks);
  if (result != WEFT_OK) return result;
  result = await_bits(device, WEFT_REG_RING_HEAD, 0xffffffffu, 0, ticks);
  if (result != WEFT_OK) return result;
  write_register(device, WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
  device->submitted = 0;
  device->has_error = false;
  return WEFT_OK;
}

uint32_t weft_read_counter(const weft_device* device, uint32_t index) {
  return index < WEFT_NUM_COUNTERS ? read_register(device, WEFT_REG_COUNTER(index)) : 0;
}

const char* weft_result_text(weft_result result) {
  switch (result) {
    case WEFT_OK:
      return "ok";
    case WEFT_E_ARGUMENT:
      return "an argument is out of range or not aligned";
    case WEFT_E_NOT_WEFT:
      return "there is no Weft device";
    case WEFT_E_COMMAND_VERSION:
      return "the device has another command set than the driver";
    case WEFT_E_CONFIG:
      return "the program was compiled for another configuration";
    case WEFT_E_RING_FULL:
      return "the job ring is full";
    case WEFT_E_PENDING:
      return "the job has not ended yet";
    case WEFT_E_TIMEOUT:
      return "the device did not answer in time";
    case WEFT_E_JOB:
      return "the job ended in an error";
    case WEFT_E_HALTED:
      return "an earlier job ended in an error and the device waits";
    case WEFT_E_LOCKED:
      return "the memory window is locked until the hard reset";
    case WEFT_E_BUSY:
      return "jobs are running or queued";
  }
  return "unknown result";
}

const char* weft_error_text(uint32_t code) {
  switch (code) {
#define WEFT_ERROR_TEXT(code, name, meaning) \
  case code:                                 \
    return name ": " meaning;
    WEFT_ERROR_CODES(WEFT_ERROR_TEXT)
#undef WEFT_ERROR_TEXT
    default:
      return "unknown error code";
  }
}
