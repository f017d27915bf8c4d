// SPDX-License-Identifier: GPL-2.0-or-later
//
// The composer writes one random program: generator.cpp has the loop, generator_calls.cpp the
// system calls, generator_submit.cpp io_submit, generator_iocb.cpp its iocbs, generator_faults.cpp
// what may be wrong with these, generator_user.cpp what user space does in between, generator_lanes.cpp
// what one lane does for or against another; generator_adopt.cpp takes operations of other programs over.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "properties/bounds.h"
#include "properties/generator.h"
#include "properties/generator_hazards.h"
#include "properties/generator_swarm.h"

namespace aio {

class Composer {
 public:
  Composer(const rc::Random& random, const GeneratorConfig& config);
  Program compose();

  // Instead of compose(), for a program that continues another one: first continue_another(), then any number of
  // operations that are taken over or made up, then finish().
  void continue_another();
  // Takes an operation over, changed where it would break a bound here; an InChild comes with what the child does.
  // False if it cannot be.
  bool adopt(const std::vector<Operation>& operations);
  // Makes a step up: an operation or a few.
  void add_fresh();
  std::size_t length() const { return program_.operations.size(); }
  // At least one operation, at most so many.
  Program finish(std::size_t most);

 private:
  // What is known of a context variable.
  struct Slot {
    bool live = false;       // io_setup stored an id here, and it was neither destroyed nor overwritten
    bool dead = false;       // an id that was destroyed
    bool hostile = false;    // user space wrote to its ring's header: counts can't be relied on
    unsigned submitted = 0;  // iocbs, at most
  };

  void step();
  void call();
  void deed();
  template <class Op>
  void add(Op&& op) {
    program_.operations.emplace_back(std::forward<Op>(op));
  }
  // Whether this argument is to be of class `fault`. Each call draws its faults beforehand.
  bool has(Fault fault) const { return (faults_now_ >> static_cast<unsigned>(fault) & 1) != 0; }
  void draw_faults(std::uint32_t relevant);
  unsigned live_count() const;

  // Values.
  unsigned pick_slot();
  Value context_of(unsigned slot);
  Value bad_context();
  Address bad_pointer();
  Address read_only_or_bad();

  // System calls.
  void setup_slot(unsigned slot);
  void setup();
  void failing_setup();
  void destroy();
  void destroy_live();
  void getevents();
  void pgetevents();
  template <class Wait>
  void fill_wait(Wait& op);
  template <class Wait>
  void fill_timeout(Wait& op, bool never_waits);
  void cancel();
  void submit();
  std::uint64_t fill_submit(Submit& op, bool fills);
  void part_late(Submit& op);
  void spoil_submit(Submit& op);

  // Iocbs.
  IocbSpec iocb(bool modest, bool first);
  Address iocb_address(bool first);
  Fd pick_fd(RequestKind request);
  void transfer(IocbSpec& spec, RequestKind request, bool modest);
  void direct_transfer(IocbSpec& spec, bool vector);
  void vectored(IocbSpec& spec, std::uint64_t nbytes);
  void poll(IocbSpec& spec);
  void decorate(IocbSpec& spec, bool modest);
  void spoil_iocb(IocbSpec& spec, RequestKind request);
  void spoil_buffer(IocbSpec& spec);
  void spoil_length(IocbSpec& spec);
  void spoil_offset(IocbSpec& spec);
  void spoil_segments(IocbSpec& spec);
  void spoil_zero_fields(IocbSpec& spec, RequestKind request);

  // User actions.
  void ring_store();
  void ring_id_store(unsigned slot);
  bool has_timer() const;
  void fd_write();
  void fd_read();
  void fd_close();
  void reset_socket(Fd closed);
  void store();
  void ring_map();
  void unmap_with_pending(unsigned slot);
  void in_child();
  void undo_soon(Operation undo);
  void hold();
  void release_all();
  void gate();

  // Operations of another program.
  bool adopt(const Operation& operation);
  bool adopt_childs(const Operation& operation);
  bool adopt_one(Setup op);
  bool adopt_one(const Destroy& op);
  bool adopt_one(Submit op);
  bool adopt_one(const RingStore& op);
  bool adopt_one(FdWrite op);
  bool adopt_one(const FdRead& op);
  bool adopt_one(const Hold& op);
  bool adopt_one(const ReleaseHeld& op);
  bool adopt_one(const ReleaseAll& op);
  bool adopt_one(const InLane& op);
  bool adopt_one(Interrupt op);
  bool adopt_one(const RingMap& op);
  template <class Other>
  bool adopt_one(const Other& op) {
    add(op);
    return true;
  }
  template <class Wait>
  bool adopt_wait(Wait op);
  void note_iocb(const IocbSpec& spec);
  void tame_replays(Submit& op);

  // Lanes.
  void change_lane();
  bool step_lanes();
  void wait_in_lane();
  void read_in_lane();
  void interrupt();

  Dice dice_;
  Swarm swarm_;
  Hazards hazards_;
  std::size_t length_;
  std::size_t destroy_at_;  // operation at which a live context is destroyed
  Program program_;
  std::uint32_t faults_now_ = 0;
  std::array<Slot, arena::kContextSlots> slots_{};
  unsigned setup_sum_ = 0;
  bool destroyed_ = false;  // a live context was
  bool setup_after_destroy_ = false;
  unsigned next_iocb_ = 0;
  unsigned next_iovecs_ = 0;
  std::uint64_t next_data_ = 1;
  std::vector<Address> polls_;  // iocbs of poll requests that may be pending
  std::array<Fd, 4> polled_{};  // descriptors polled last, for user actions that fire them
  unsigned polled_count_ = 0;
  std::optional<Fd> nearly_full_;  // an eventfd that was written to just below its limit
  unsigned lane_ = 0;
  std::array<unsigned, kLanes> asleep_{};  // how many steps more a lane is thought to sleep
  Operation undo_;                         // what is to be made good again
  unsigned undo_countdown_ = 0;            // in so many steps; 0: nothing
};

}  // namespace aio
