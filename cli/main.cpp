// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_line.h"
#include "fixtures/arena_memory.h"
#include "fixtures/vm/guest.h"

int main(int count, char** words) {
  aio::ArenaMemory::reserve(words);
  // Of a virtual machine this program is all there is.
  if (aio::is_guest()) aio::be_guest();
  return aio::cli::run_command_line(count, words);
}
