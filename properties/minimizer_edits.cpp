// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/minimizer_edits.h"

#include <algorithm>

#include "properties/bounds.h"
#include "properties/minimizer_leaves.h"
#include "reference/fields.h"

namespace aio {

namespace {

Program with(const Program& program, std::size_t index, Operation operation) {
  Program edited = program;
  edited.operations[index] = std::move(operation);
  return edited;
}

Program without(const Program& program, std::size_t index) {
  Program edited = program;
  edited.operations.erase(edited.operations.begin() + static_cast<std::ptrdiff_t>(index));
  return edited;
}

bool is_count(const Value& value) { return value.symbol == Symbol::kLiteral && value.offset > 1; }

void add_fewer_iocbs(const Submit& submit, std::vector<Submit>& edited) {
  for (std::size_t i = submit.iocbs.size(); submit.iocbs.size() > 1 && i-- > 0;) {
    Submit fewer = submit;
    fewer.iocbs.erase(fewer.iocbs.begin() + static_cast<std::ptrdiff_t>(i));
    const Submit as_many = fewer;
    if (is_count(fewer.nr)) --fewer.nr.offset;
    if (is_count(fewer.fill)) --fewer.fill.offset;
    if (fewer != as_many) edited.push_back(std::move(fewer));
    edited.push_back(as_many);
  }
}

void add_smaller_fills(const Submit& submit, std::vector<Submit>& edited) {
  std::vector<std::int64_t> counts{1, 2, 3, 4, 8};
  if (submit.fill.symbol == Symbol::kLiteral) {
    counts.push_back(submit.fill.offset / 2);
    counts.push_back(submit.fill.offset - 1);
    std::erase_if(counts, [&](std::int64_t n) { return n <= 0 || n >= submit.fill.offset; });
  }
  for (const std::int64_t count : counts) {
    Submit smaller = submit;
    smaller.nr = count;
    smaller.fill = count;
    edited.push_back(std::move(smaller));
  }
}

void add_fewer_segments(const Submit& submit, std::vector<Submit>& edited) {
  for (std::size_t i = 0; i < submit.iocbs.size(); ++i) {
    for (std::size_t k = submit.iocbs[i].segments.size(); k-- > 0;) {
      Submit fewer = submit;
      IocbSpec& spec = fewer.iocbs[i];
      spec.segments.erase(spec.segments.begin() + static_cast<std::ptrdiff_t>(k));
      const Submit as_many = fewer;
      if (spec.nbytes > 0) --spec.nbytes;
      if (fewer != as_many) edited.push_back(std::move(fewer));
      edited.push_back(as_many);
    }
  }
}

// Visitor that renames one context symbol.
struct Rename {
  Symbol from;
  Symbol to;
  void operator()(const char*, Value& value) const {
    if (value.symbol == from) value.symbol = to;
  }
  template <class T>
  void operator()(const char*, std::vector<T>& elements) const {
    for (T& element : elements) visit_fields(element, *this);
  }
  template <class Other>
  void operator()(const char*, const Other&) const {}
};

}  // namespace

std::vector<Program> without_chunks(const Program& program, std::size_t size) {
  std::vector<Program> edited;
  const std::size_t length = program.operations.size();
  if (size == 0 || size >= length) return edited;
  for (std::size_t end = length; end > 0;) {
    const std::size_t begin = end > size ? end - size : 0;
    Program shorter = program;
    shorter.operations.erase(shorter.operations.begin() + static_cast<std::ptrdiff_t>(begin),
                             shorter.operations.begin() + static_cast<std::ptrdiff_t>(end));
    edited.push_back(std::move(shorter));
    end = begin;
  }
  return edited;
}

std::vector<Program> with_two_submits_merged(const Program& program) {
  std::vector<Program> edited;
  for (std::size_t i = 1; i < program.operations.size(); ++i) {
    const auto* first = std::get_if<Submit>(&program.operations[i - 1]);
    const auto* second = std::get_if<Submit>(&program.operations[i]);
    if (first == nullptr || second == nullptr || first->ctx != second->ctx) continue;
    const bool counted = first->nr.symbol == Symbol::kLiteral && second->nr.symbol == Symbol::kLiteral;
    if (!counted || first->nr.offset <= 0 || second->nr.offset <= 0) continue;
    if (first->nr.offset > arena::kPointerSlots - second->nr.offset) continue;
    Program shorter = without(program, i);
    auto& merged = std::get<Submit>(shorter.operations[i - 1]);
    merged.nr = merged.fill = first->nr.offset + second->nr.offset;
    edited.push_back(std::move(shorter));
  }
  return edited;
}

std::vector<Program> without_one_move(const Program& program) {
  std::vector<Program> edited;
  Value here = 0;
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    const auto* left_out = std::get_if<Move>(&program.operations[i]);
    if (left_out == nullptr) continue;
    const Value there = left_out->cpu;
    Program shorter = without(program, i);
    std::for_each(shorter.operations.begin() + static_cast<std::ptrdiff_t>(i), shorter.operations.end(),
                  [&](Operation& operation) {
                    auto* later = std::get_if<Move>(&operation);
                    if (later == nullptr) return;
                    if (later->cpu == there) {
                      later->cpu = here;
                    } else if (later->cpu == here) {
                      later->cpu = there;
                    }
                  });
    edited.push_back(std::move(shorter));
    here = there;
  }
  return edited;
}

std::vector<Program> with_one_context(const Program& program) {
  std::vector<Program> edited;
  for (unsigned slot = 1; slot < arena::kContextSlots; ++slot) {
    Program merged = program;
    std::erase_if(merged.operations, [slot](const Operation& operation) {
      const auto* setup = std::get_if<Setup>(&operation);
      return setup != nullptr && setup->ctxp == arena::context_slot(slot);
    });
    const Rename rename{context(slot).symbol, Symbol::kContext0};
    for (Operation& operation : merged.operations) {
      std::visit([&](auto& op) { visit_fields(op, rename); }, operation);
    }
    if (merged != program && !merged.operations.empty()) edited.push_back(std::move(merged));
  }
  return edited;
}

std::vector<Program> with_plainer_operation(const Program& program, std::size_t index) {
  std::vector<Program> edited;
  const Operation& operation = program.operations[index];
  const auto offer = [&](Operation plainer) {
    if (plainer != operation) edited.push_back(with(program, index, std::move(plainer)));
  };
  if (const auto* submit = std::get_if<Submit>(&operation)) {
    if (submit->iocbs.empty()) return edited;
    Submit plainer;
    plainer.iocbs.resize(1);
    offer(plainer);
    plainer.iocbs = {submit->iocbs.front()};
    offer(plainer);
    return edited;
  }
  std::visit([&](const auto& op) { offer(std::decay_t<decltype(op)>{}); }, operation);
  if (const auto* wait = std::get_if<Pgetevents>(&operation)) {
    offer(Getevents{});
    offer(Getevents{wait->ctx, wait->min_nr, wait->nr, wait->events, wait->timeout, wait->sec, wait->nsec});
  }
  return edited;
}

std::vector<Program> with_fewer_parts(const Program& program, std::size_t index) {
  std::vector<Program> edited;
  const auto* submit = std::get_if<Submit>(&program.operations[index]);
  if (submit == nullptr) return edited;
  std::vector<Submit> submits;
  add_fewer_iocbs(*submit, submits);
  add_smaller_fills(*submit, submits);
  add_fewer_segments(*submit, submits);
  for (Submit& plainer : submits) {
    if (plainer != *submit) edited.push_back(with(program, index, std::move(plainer)));
  }
  return edited;
}

std::vector<Program> with_plainer_values(const Program& program, std::size_t index) {
  std::vector<Program> edited;
  const Operation& operation = program.operations[index];
  const std::vector<Leaf> leaves = leaves_of(operation);
  const std::vector<Leaf> defaults = leaves_of(plain_twin(operation));
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    for (const Leaf& plainer : plainer_leaves(leaves[i], defaults[i])) {
      Operation other = operation;
      set_leaf(other, i, plainer);
      // Half of an endless timeout would be a year.
      if (within_bounds(operation) && !within_bounds(other)) continue;
      edited.push_back(with(program, index, std::move(other)));
    }
  }
  return edited;
}

}  // namespace aio
