// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/source_functions.h"

#include <algorithm>
#include <cctype>

namespace aio {

namespace {

constexpr SourceFunction kFunctions[] = {
    {"aio_private_file", "4.9", 205, 232, "aio_private_file"},
    {"aio_mount", "4.9", 236, 246, "aio_init_fs_context"},
    {"aio_setup", "4.9", 254, 272, "", "it runs when the kernel starts"},
    {"put_aio_ring_file", "4.9", 274, 287, "put_aio_ring_file aio_free_ring free_ioctx"},
    {"aio_free_ring", "4.9", 293, 315, "aio_free_ring free_ioctx"},
    {"aio_ring_mremap", "4.9", 319, 345, "aio_ring_mremap"},
    {"aio_ring_mmap", "4.9", 356, 361, "aio_ring_mmap aio_ring_mmap_prepare"},
    {"aio_migratepage", "4.9", 368, 434, "aio_migrate_folio"},
    {"aio_setup_ring", "4.9", 444, 541, "aio_setup_ring"},
    {"aio_setup_ring", "5.5", 460, 555, "aio_setup_ring"},
    {"kiocb_set_cancel_fn", "4.9", 546, 560, "kiocb_set_cancel_fn",
     "only drivers of USB gadgets call it; polls are put on the list by aio_poll"},
    {"kiocb_cancel", "4.9", 563, 582, "io_cancel free_ioctx_users"},
    {"free_ioctx", "4.9", 584, 595, "free_ioctx"},
    {"free_ioctx_reqs", "4.9", 597, 607, "free_ioctx_reqs"},
    {"free_ioctx_users", "4.9", 614, 633, "free_ioctx_users"},
    {"ioctx_add_table", "4.9", 635, 688, "ioctx_add_table"},
    {"aio_nr_sub", "4.9", 690, 698, "aio_nr_sub kill_ioctx"},
    {"ioctx_alloc", "4.9", 703, 806, "ioctx_alloc"},
    {"kill_ioctx", "4.9", 812, 845, "kill_ioctx"},
    {"exit_aio", "4.9", 856, 895, "exit_aio"},
    {"put_reqs_available", "4.9", 897, 912, "put_reqs_available refill_reqs_available"},
    {"get_reqs_available", "4.9", 914, 943, "get_reqs_available"},
    {"refill_reqs_available", "4.9", 951, 974, "refill_reqs_available"},
    {"user_refill_reqs_available", "4.9", 980, 1004, "user_refill_reqs_available refill_reqs_available"},
    {"aio_get_req", "4.9", 1010, 1031, "aio_get_req get_reqs_available"},
    {"kiocb_free", "4.9", 1033, 1040, "iocb_destroy io_submit_one"},
    {"lookup_ioctx", "4.9", 1042, 1067, "lookup_ioctx"},
    {"aio_complete", "4.9", 1072, 1169, "aio_complete aio_complete_rw"},
    {"aio_read_events_ring", "4.9", 1175, 1254, "aio_read_events_ring"},
    {"aio_read_events", "4.9", 1256, 1271, "aio_read_events read_events"},
    {"read_events", "4.9", 1273, 1313, "read_events"},
    {"io_setup", "4.9", 1329, 1356, "io_setup"},
    {"io_destroy", "4.9", 1365, 1391, "io_destroy"},
    {"aio_setup_vectored_rw", "4.9", 1397, 1411, "aio_setup_rw"},
    {"aio_run_iocb", "4.9", 1416, 1505, "aio_read aio_write aio_fsync aio_rw_done aio_prep_rw"},
    {"io_submit_one", "4.9", 1507, 1581, "io_submit_one __io_submit_one"},
    {"do_io_submit", "4.9", 1583, 1634, "do_io_submit io_submit"},
    {"io_submit", "4.9", 1648, 1652, "io_submit"},
    {"lookup_kiocb", "4.9", 1657, 1673, "io_cancel"},
    {"io_cancel", "4.9", 1685, 1723, "io_cancel"},
    {"io_getevents", "4.9", 1737, 1752, "io_getevents do_io_getevents"},
};

bool is_word(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Whether `text` has the word in it, not as a part of a longer one.
bool names(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

bool is_about(const Requirement& requirement, const SourceFunction& function) {
  std::string_view rest = function.today;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (names(requirement.source, rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::span<const SourceFunction> source_functions() { return kFunctions; }

std::vector<const Requirement*> requirements_of(const SourceFunction& function) {
  std::vector<const Requirement*> found;
  const auto look = [&](const Requirement& each) {
    if (is_about(each, function)) found.push_back(&each);
  };
  std::for_each(requirements().begin(), requirements().end(), look);
  std::for_each(suite_requirements().begin(), suite_requirements().end(), look);
  return found;
}

}  // namespace aio
