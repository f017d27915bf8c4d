// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "reference/requirement.h"

namespace aio {

namespace {

// Each file of suite_requirements/ has rows of one theme:
//   SUITE_REQUIREMENT(id, needs, source, sentence)   what must hold
//   REPORTED(id, needs, source, sentence)            what the implementation may choose
constexpr Requirement kRows[] = {
#define SUITE_REQUIREMENT(id, needs, source, sentence) {Req{kRequirementCount}, id, sentence, source, needs},
#define REPORTED(id, needs, source, sentence) \
  {Req{kRequirementCount}, id, sentence, source, needs, Severity::kReported},
#include "reference/suite_requirements/check_order.def"
#include "reference/suite_requirements/compat.def"
#include "reference/suite_requirements/data.def"
#include "reference/suite_requirements/eventfd.def"
#include "reference/suite_requirements/fsync.def"
#include "reference/suite_requirements/history.def"
#include "reference/suite_requirements/io_cancel.def"
#include "reference/suite_requirements/io_destroy.def"
#include "reference/suite_requirements/io_getevents.def"
#include "reference/suite_requirements/io_pgetevents.def"
#include "reference/suite_requirements/io_setup.def"
#include "reference/suite_requirements/io_submit.def"
#include "reference/suite_requirements/lanes.def"
#include "reference/suite_requirements/libaio.def"
#include "reference/suite_requirements/limits.def"
#include "reference/suite_requirements/mapping.def"
#include "reference/suite_requirements/poll.def"
#include "reference/suite_requirements/process.def"
#include "reference/suite_requirements/quota.def"
#include "reference/suite_requirements/results.def"
#include "reference/suite_requirements/ring.def"
#include "reference/suite_requirements/rw.def"
#include "reference/suite_requirements/second_opinion.def"
#include "reference/suite_requirements/stress.def"
#include "reference/suite_requirements/waiting.def"
#undef SUITE_REQUIREMENT
#undef REPORTED
};

}  // namespace

std::span<const Requirement> suite_requirements() { return kRows; }

}  // namespace aio
