# SPDX-License-Identifier: GPL-2.0-or-later
#
# A header with the build's name, made anew by each build and touched only where the name has changed. Run as a script
# it makes that header: cmake -DSOURCE=... -DHEADER=... -DVERSION=... -P Version.cmake
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  execute_process(COMMAND git describe --always --dirty --abbrev=10 --exclude=* WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(name "${VERSION}")
  if(commit)
    string(APPEND name " (${commit})")
  endif()
  file(CONFIGURE OUTPUT ${HEADER} CONTENT "#pragma once\n#define AIO_CTS_BUILD \"${name}\"\n")
  return()
endif()

function(aio_version target)
  set(header ${PROJECT_BINARY_DIR}/version/build_version.h)
  set(make ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DHEADER=${header} -DVERSION=${PROJECT_VERSION}
    -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
  execute_process(COMMAND ${make})
  add_custom_target(aio_version COMMAND ${make} BYPRODUCTS ${header})
  add_dependencies(${target} aio_version)
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/version)
endfunction()
