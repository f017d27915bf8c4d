// SPDX-License-Identifier: GPL-2.0-or-later
//
// Profiles: the rules of one kernel release, as data. Each field is a difference between releases that a program can
// see; the comment names its row in semantics.md section E. A Machine holds what else an answer depends on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aio {

struct Release {
  int major = 0;
  int minor = 0;
  int sublevel = 0;  // of the stable version: 44 of 6.18.44
  friend auto operator<=>(const Release&, const Release&) = default;
};
// Of a kernel that does not tell its own: it counts as the last of its release.
inline constexpr int kLastSublevel = 65535;

struct Profile {
  const char* name = "";  // "4.19" is the last stable versions of 4.19, "4.19.0" those before a rule changed
  Release release;        // the first version with these rules

  bool compat_setup_undone = true;    // E5: a 32-bit io_setup that cannot store the id leaves no context
  bool counts_user_nr = true;         // E9: aio-nr grows by the user's nr
  bool timeout_before_lookup = true;  // E10: a bad timeout pointer beats a bad context
  std::uint32_t rw_flags = 0;         // E6, E11, E42 to E45: RWF bits that are known; 0: any bit is EINVAL
  bool nowait_buffered = true;        // E8: RWF_NOWAIT is not for O_DIRECT alone
  bool has_fsync = true;              // E13
  bool has_pgetevents = true;         // E14
  bool has_ioprio = true;             // E15
  bool clamps_nr = true;              // E16: io_submit looks at no more than R pointers, and not before the context
  bool fd_before_resfd = true;        // E17, E23: EBADF comes before the checks of RESFD, key and opcode
  bool has_poll = true;               // E18
  bool flags_before_key = true;       // E17: rw_flags are checked for every opcode, before the key is written
  bool poll_ready_anywhere = true;    // E24: POLL of a ready file that has no wait queue completes
  bool compat_sigset = true;          // E26: call 385 reads its signal argument as two words of 32 bits
  bool pipe_has_two_queues = true;    // E27: readers and writers of a pipe wait apart
  bool fsync_as_submitter = true;     // E29: FSYNC reaches the file with the submitter's credentials
  bool eventfd_reads = true;          // E30: eventfd has ->read_iter
  bool timer_reads = true;            // E31: timerfd has
  bool nice_may_use_rt = true;        // E33: CAP_SYS_NICE is enough for the real-time class
  bool guards_eventfds = true;        // E36: an eventfd may be polled with itself as RESFD
  bool child_mremap_fails = true;     // E37: mremap of an inherited ring is EINVAL, not a crash
  bool cancel_in_progress = true;     // E41: io_cancel answers EINPROGRESS, not 0
  bool ioprio_hints = true;           // E39: bits 3 to 12 of the priority are hints
  bool min_nr_wakes = true;           // E40: completions wake a waiter only once min_nr are there
  bool pipe_nowait = true;            // E38: RWF_NOWAIT works on pipe(2) and sockets
  bool null_nowait = true;            // /dev/null, /dev/zero and RWF_NOWAIT
  bool hangup_unkeyed = true;         // E49: a pipe's hang-up wakes without a key, so pollers ask the file again
  bool short_write_on_fault = true;   // E50: a partly unmapped buffer gives a short count
  bool vectors_in_order = true;       // each segment is copied and checked before the next is looked at (6.4)
  bool clips_single_segment =
      true;                    // a single segment is cut to the largest transfer before its range is checked (6.4)
  bool held_read_pins = true;  // a FUSE read reaches this process's page though a fork came between (O_DIRECT, open(2))
  bool pipe_fault_leaves_slot = false;   // a pipe write that faults leaves an empty buffer behind (5.5 to 6.13)
  bool pipe_wakes_full_writers = false;  // a pipe read wakes writers even if no buffer became free (5.5 to 6.13)
};

// A profile for each release, and for each stable version from which a rule differs; oldest first.
std::span<const Profile> profiles();
// The newest profile that is not newer than the release; the oldest if all are.
const Profile& profile_for(Release release);
// "5.15", "4.19.20", or either with rules that differ, as "5.15+ioprio_hints-poll_ready_anywhere". nullptr if there is
// none of that name.
const Profile* find_profile(std::string_view name);

// A rule that stable releases took over. Between these releases a kernel has to be asked which way it is.
struct ProbedRule {
  enum class When : std::uint8_t {
    kAlways,   // the stable version is not known
    kUntold,   // where the kernel does not tell its stable version
    kNotEver,  // likewise; but asking would crash a kernel without it, so it is taken not to hold
  };
  const char* name;
  bool Profile::*rule;
  Release from, until;
  When when = When::kAlways;
};
std::span<const ProbedRule> probed_rules();
// The profile with that rule as it was found; it stays as long as the program runs.
const Profile& with_rule(const Profile& profile, const ProbedRule& rule, bool holds);

struct Machine {
  std::uint32_t possible_cpus = 1;  // /sys/devices/system/cpu/possible
  std::uint32_t usable_cpus = 1;    // in this process's affinity mask
  std::uint64_t page_size = 4096;
  std::uint64_t user_end = 0x7ffffffff000;  // first address beyond the user's half; 5-level tables have more
  std::uint64_t aio_max_nr = 65536;
  bool aio_nr = true;              // fs.aio-nr and fs.aio-max-nr can be read
  bool may_use_rt_ioprio = false;  // CAP_SYS_ADMIN or CAP_SYS_NICE

  // The file system that holds the regular files.
  std::string file_system;           // "tmpfs", "ext4", or the magic number in hex
  std::uint64_t max_file = 0;        // s_maxbytes
  bool file_nowait = false;          // RWF_NOWAIT is not refused outright
  int nowait_write_error = 0;        // what a buffered RWF_NOWAIT write ends with (an errno), 0 if it works
  bool fault_extends_file = false;   // a write beyond the end that fails with EFAULT moves the end there all the same
  bool file_dontcache = false;       // RWF_DONTCACHE is not refused outright
  bool direct = false;               // O_DIRECT can be opened
  bool direct_queues = false;        // O_DIRECT requests complete later, on a CPU that is not known
  std::uint32_t direct_align = 512;  // of offset, length and address

  bool gate = false;      // the gate file can be had: file systems in user space may be mounted
  bool compat = false;    // 32-bit calls can be made
  bool lanes = false;     // it can be seen in which system call a thread sleeps
  bool guest = false;     // somebody outside sees whether the kernel survives
  std::uint32_t uid = 0;  // of this process: whose requests the gate file sees
  std::uint32_t gid = 0;
};

}  // namespace aio
