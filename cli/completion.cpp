// SPDX-License-Identifier: GPL-2.0-or-later
//
// Completion for shells, made from the same options that the command line reads.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace aio::cli {
namespace {

struct Words {
  std::string command;  // "waivers check"
  std::string what;
  struct Option {
    std::string name;  // without dashes
    std::string what;
    bool takes_value = false;
  };
  std::vector<Option> options;
  std::vector<std::string> commands;  // below it
};

// One line, without what shells would take for their own.
std::string plain(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  std::erase_if(line,
                [](char letter) { return std::string_view("'\"[]:`$\\").find(letter) != std::string_view::npos; });
  return line;
}

void collect(const CLI::App& app, const std::string& name, std::vector<Words>& all) {
  Words words{name, plain(app.get_description()), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_group().empty()) continue;
    words.options.push_back(
        {option->get_lnames().front(), plain(option->get_description()), option->get_expected_max() > 0});
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : below) words.commands.push_back(each->get_name());
  all.push_back(words);
  for (const CLI::App* each : below)
    collect(*each, name.empty() ? each->get_name() : name + " " + each->get_name(), all);
}

std::string bash(const std::vector<Words>& all) {
  std::string cases;
  std::string known = "|";  // commands, each with those above it
  for (const Words& each : all) {
    known += each.command + "|";
    std::vector<std::string> words = each.commands;
    for (const Words::Option& option : each.options) words.push_back("--" + option.name);
    cases += fmt::format("    '{}') words='{}' ;;\n", each.command, fmt::join(words, " "));
  }
  return fmt::format(
      "# bash completion for aio-cts\n"
      "_aio_cts() {{\n"
      "  local word words command=\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    [[ $word == -* ]] && break\n"
      "    [[ '{}' == *\"|$command${{command:+ }}$word|\"* ]] || break\n"
      "    command+=\"${{command:+ }}$word\"\n"
      "  done\n"
      "  case $command in\n{}    *) words= ;;\n  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "  [[ ${{#COMPREPLY[@]}} -gt 0 ]] || compopt -o default\n"
      "}}\ncomplete -F _aio_cts aio-cts\n",
      known, cases);
}

// What fish asks before it offers what comes after a command.
std::string fish_after(const std::string& command) {
  return command.empty() ? "__fish_use_subcommand"
                         : fmt::format("string match -q \"*aio-cts {} *\" -- (commandline -cp)", command);
}

std::string fish(const std::vector<Words>& all) {
  std::string text = "# fish completion for aio-cts\n";
  for (const Words& each : all) {
    const std::string where = fish_after(each.command);
    if (!each.command.empty()) {
      const std::size_t space = each.command.rfind(' ');
      const bool first = space == std::string::npos;
      text += fmt::format("complete -c aio-cts -f -n '{}' -a {} -d '{}'\n",
                          fish_after(first ? "" : each.command.substr(0, space)),
                          each.command.substr(first ? 0 : space + 1), each.what);
    }
    for (const Words::Option& option : each.options) {
      text += fmt::format("complete -c aio-cts -n '{}' -l {}{} -d '{}'\n", where, option.name,
                          option.takes_value ? " -r" : "", option.what);
    }
  }
  return text;
}

std::string zsh(const std::vector<Words>& all) {
  std::string cases;
  std::string commands;
  for (const Words& each : all) {
    if (each.command.empty() || each.command.find(' ') != std::string::npos) continue;
    commands += fmt::format("    '{}:{}'\n", each.command, each.what);
    std::string options;
    for (const Words::Option& option : each.options) {
      options += fmt::format(" '--{}[{}]{}'", option.name, option.what, option.takes_value ? ":value:_files" : "");
    }
    cases += fmt::format("    {}) _arguments{} '*:file:_files' ;;\n", each.command, options);
  }
  return "#compdef aio-cts\n_aio_cts() {\n  local -a commands=(\n" + commands +
         "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
         "  case $words[2] in\n" +
         cases + "  esac\n}\n_aio_cts \"$@\"\n";
}

}  // namespace

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("completion", "Print completion for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  command->footer("Example:\n  source <(aio-cts completion bash)");
  command->callback([shell, &app, &action] {
    action = [shell, &app] {
      std::vector<Words> all;
      collect(app, "", all);
      fmt::print("{}", *shell == "bash" ? bash(all) : *shell == "zsh" ? zsh(all) : fish(all));
      return Exit::kConforming;
    };
  });
}

}  // namespace aio::cli
