// SPDX-License-Identifier: GPL-2.0-or-later
//
// The helpers that a C reproducer may need, as C text. Only those that are used are written.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>

namespace aio {

// In the order in which they are written: each uses only earlier ones.
enum class CPart : std::uint8_t {
  kThrough,  // other entries than the native one
  kSetup,
  kDestroy,
  kSubmit,
  kGetevents,
  kPgetevents,
  kCancel,
  kExpect,     // an earlier call must return what was recorded
  kStore,      // the user's stores into the arena
  kRing,       // words of a ring's header
  kReap,       // taking events off a ring in user space
  kAwait,      // waiting for a ring's tail
  kPlace,      // open files at fixed numbers
  kPipe,       // a pipe of one page
  kSockets,    // a socket pair
  kFile,       // regular files without a name
  kReady,      // poll before a read or write
  kPayload,    // the bytes that a write sends
  kData,       // where a read puts what it gets
  kRelease,    // a signal that repeats until a call returns
  kCounter,    // an eventfd's counter, without reading it
  kAioNr,      // fs.aio-nr
  kClock,      // nanoseconds
  kShowBytes,  // bytes as hex
  kGate,       // the gate file and the process that serves it
  kPeer,       // whether the other end of a pipe or socket pair is gone
  kLaneCalls,  // calls that sleep
  kRingMap,    // the user's mapping of a ring
  kChild,      // a call in a child
  kExpire,     // a timer that expires
  kMask,       // the thread's signal mask
  kMapped,     // whether anything is mapped
};
inline constexpr std::size_t kCPartCount = 32;

class CParts {
 public:
  // Marks a part as needed, and what it uses itself.
  void need(CPart part);
  // The needed parts. What every reproducer has, includes first, is in c_prologue().
  std::string text() const;

 private:
  std::bitset<kCPartCount> needed_;
};

// Includes, the arena and pinning: what every reproducer has.
std::string c_prologue();
// main(): runs program() in a child, so that a hang or a death is seen. The exit codes for these.
std::string c_main(int hang_code, int death_code);

}  // namespace aio
