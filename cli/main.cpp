// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_line.h"

int main(int count, char** words) { return aio::cli::run_command_line(count, words); }
