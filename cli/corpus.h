// SPDX-License-Identifier: GPL-2.0-or-later
//
// A corpus on disk: a directory of traces, one bare program a file, which is named after what it holds. People may add
// traces of their own under any name that ends in .json; nothing is ever changed or taken away. Parts of a run add to a
// folder `next` in it, out of which only whole runs take them: so all parts begin with the same, whenever they begin.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "properties/campaign.h"
#include "properties/guide.h"
#include "reference/program.h"
#include "reports/report.h"

namespace aio::cli {

class CorpusDirectory {
 public:
  // Makes the directory where there is none. Throws Failure: kUsage where that cannot be done.
  CorpusDirectory(std::string path, bool is_part);

  // The programs of all files, in the order of their names; a whole run takes in what parts have added. Throws Failure
  // (kUsage) with the name of the first one that is no trace, or has a program beyond the bounds of generated ones.
  std::vector<Program> load() const;
  // Adds a file, which is whole from the moment it has its name. Throws Failure (kIncomplete) where it cannot be
  // written.
  void add(const Program& program) const;

 private:
  std::string path_;
  bool is_part_;
};

// A guide whose corpus is that directory's; what joins is added to it while the campaign goes on. Says on `out` with
// what it begins.
std::unique_ptr<Guide> open_guide(const std::string& path, const CampaignOptions& campaign, std::FILE* out);
// What a summary says of it.
void note_corpus(const Guide& guide, RunSummary& summary);

}  // namespace aio::cli
