# SPDX-License-Identifier: GPL-2.0-or-later
aio_command_test(kernel_faults COMMAND ${CMAKE_CURRENT_LIST_DIR}/kernel_faults)
