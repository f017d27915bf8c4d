// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/html_parts.h"

namespace aio {

// Light and dark by the reader's wish. The colours of the squares are from Okabe and Ito's palette.
std::string html_style() {
  return R"(
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --dim: #57606a; --line: #d0d7de; --soft: #f3f5f7;
  --good: #00694d; --bad: #a33a00; --mark: #fff1d6; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0f1317; --text: #e6e9ed; --dim: #a2abb5; --line: #39424c; --soft: #1a2027; --good: #3ecfa3;
    --bad: #ff9a5c; --mark: #3a2c10; }
}
body { margin: 0 auto; max-width: 78rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; background: var(--back);
  color: var(--text); }
a { color: inherit; } h1, h3, p, dd, li { overflow-wrap: anywhere; }
code, pre, .lanes, .answers dd, .words { font-family: ui-monospace, monospace; font-size: .87em; }
pre { background: var(--soft); padding: .6rem; overflow: auto; max-height: 30rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
.verdict { font-weight: 700; font-size: 1.2rem; } .good { color: var(--good); } .bad { color: var(--bad); }
.falsified { background: var(--bad); color: var(--back); padding: .4rem .8rem; font-weight: 700; }
nav a { margin-right: 1rem; }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .2rem 1rem .8rem; margin: 1rem 0; }
article h3 { margin: .5rem 0; } small, .source { color: var(--dim); font-weight: 400; }
.rule { margin: .2rem 0; } .source { margin: 0; font-size: .85em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: var(--dim); } dd { margin: 0; }
.expected { color: var(--good); } .seen { color: var(--bad); font-weight: 700; }
table { border-collapse: collapse; } caption { text-align: left; color: var(--dim); font-size: .85em; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
.steps { width: 100%; } .differs { background: var(--mark); } .differs td { font-weight: 600; }
.lanes { white-space: pre; } .words { color: var(--dim); font-weight: 400; }
.ring { display: block; max-width: 100%; } .ring rect { fill: var(--soft); stroke: var(--line); }
.ring rect.event { fill: #0072b2; } .ring text { fill: var(--text); font: 10px ui-monospace, monospace; }
.wide { overflow-x: auto; }
.matrix td { max-width: 22rem; line-height: 1; }
.q { display: inline-block; width: 14px; height: 14px; margin: 1px; font-size: 11px; line-height: 14px; text-align: center;
  text-decoration: none; border-radius: 2px; color: #000; }
.q.holds { background: #56b4e9; } .q.broken { background: #d55e00; outline: 2px solid var(--text); }
.q.waived { background: #cc79a7; } .q.notrun { background: #fff; outline: 1px solid #767676; }
.q.nothere { background: #d9d9d9; }
.requirements tr:target, article:target { outline: 3px solid #0072b2; }
.requirements { font-size: .9em; } summary { cursor: pointer; } summary + p { margin: .4rem 0; }
.index td { padding: .1rem .6rem; }
)";
}

}  // namespace aio
