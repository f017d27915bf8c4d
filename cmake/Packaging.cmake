# SPDX-License-Identifier: GPL-2.0-or-later
#
# `cmake --install` puts the command, its manual page and completions for shells in place; `cpack` makes a .deb of them.
# The manual page needs scdoc.
include(GNUInstallDirs)
install(TARGETS aio-cts)

set(made ${PROJECT_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${made})
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${made}/${shell} COMMAND aio-cts completion ${shell} > ${made}/${shell} DEPENDS aio-cts VERBATIM)
  list(APPEND files ${made}/${shell})
endforeach()
install(FILES ${made}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME aio-cts)
install(FILES ${made}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _aio-cts)
install(FILES ${made}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME aio-cts.fish)

find_program(SCDOC scdoc)
find_program(GZIP gzip REQUIRED)
if(SCDOC)
  set(page ${PROJECT_SOURCE_DIR}/docs/aio-cts.1.scd)
  add_custom_command(OUTPUT ${made}/aio-cts.1.gz DEPENDS ${page} VERBATIM
    COMMAND ${SCDOC} < ${page} > ${made}/aio-cts.1 COMMAND ${GZIP} -9nf ${made}/aio-cts.1)
  list(APPEND files ${made}/aio-cts.1.gz)
  install(FILES ${made}/aio-cts.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

set(debian ${PROJECT_SOURCE_DIR}/cmake/debian)
add_custom_command(OUTPUT ${made}/changelog.gz DEPENDS ${debian}/changelog VERBATIM
  COMMAND ${GZIP} -9nc ${debian}/changelog > ${made}/changelog.gz)
list(APPEND files ${made}/changelog.gz)
install(FILES ${made}/changelog.gz ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/aio-cts)
install(FILES ${debian}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME aio-cts)
add_custom_target(aio_share ALL DEPENDS ${files})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Authors of aio-cts <aio-cts@example.org>")
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "qemu-system-x86, e2fsprogs, fuse3")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "conformance test suite for the Linux AIO ABI")
set(CPACK_PACKAGE_DESCRIPTION
"Runs generated programs and hand-written tests of io_setup, io_submit,
io_getevents, io_pgetevents, io_cancel and io_destroy on the running kernel,
or on another one in a virtual machine, judges every answer by a model of
that release's rules, and reports each divergence with a minimized program.")
include(CPack)
