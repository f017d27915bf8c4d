# SPDX-License-Identifier: GPL-2.0-or-later
# What every source of ours is compiled with. Warnings are errors where the preset says so.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Clang's -Wconversion covers signs; GCC is asked for the same, so that both find the same.
  # -Wrestrict and -Wstringop-overflow misfire on std::string in GCC 12 (its bugs 105651 and 105329).
  add_compile_options(-Wsign-conversion -Wno-restrict -Wno-stringop-overflow)
endif()

# Assertions are for our own bugs and stay on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
