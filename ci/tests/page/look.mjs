// SPDX-License-Identifier: GPL-2.0-or-later
//
// look.mjs PAGE DIVERGENCES [PICTURES]: opens a report.html with so many divergences in Chromium, light and dark, wide and
// narrow, with and without JavaScript, and fails on what a reader would trip over: an error on the console, what the
// network would have to give, what axe finds, a page wider than the window, a button that copies nothing. PICTURES: a
// folder for screenshots. The packages that it needs are found by $NODE_PATH.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.env.NODE_PATH, "look.mjs"));
const { chromium } = require("playwright-core");
const [page_path, divergences, pictures] = process.argv.slice(2);
const url = pathToFileURL(page_path).href;
const wrong = [];

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(name, options, width = 1280) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => wrong.push(`${name}: the console says ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  page.on("request", (request) => request.url() === url || wrong.push(`${name}: it asks for ${request.url()}`));
  await page.goto(url);
  const found = await page.locator("article").count();
  if (found !== Number(divergences)) wrong.push(`${name}: it shows ${found} divergences`);
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`) });
  return page;
}

// Of many all are made alike, and axe would take minutes.
const few = Number(divergences) <= 10;
for (const colorScheme of few ? ["light", "dark"] : []) {
  const page = await open(colorScheme, { colorScheme });
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const { violations } = await page.evaluate(() => axe.run());
  for (const each of violations) wrong.push(`${colorScheme}: ${each.help}: ${each.nodes[0].html.slice(0, 200)}`);
}

const narrow = await open("narrow", {}, 400);
const overhang = await narrow.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
if (overhang > 0) wrong.push(`narrow: it is ${overhang} pixels wider than the window`);

const plain = few && (await open("plain", { javaScriptEnabled: false }));
if (few && (await plain.locator("button:visible").count())) wrong.push("plain: a button is shown that does nothing");

if (Number(divergences) > 0) {
  const page = await open("copying", { permissions: ["clipboard-read", "clipboard-write"] });
  const file = page.locator("article").first().locator("details").first();
  await file.locator("summary").click();
  await file.locator("button").click();
  await file.getByRole("button", { name: "Copied" }).waitFor({ timeout: 5000 }).catch(() => wrong.push("Copy does not say that it copied"));
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  if (copied !== (await file.locator("pre").textContent())) wrong.push("the copy is not the file");
}

await browser.close();
for (const each of wrong) console.error(each);
process.exit(wrong.length === 0 ? 0 : 1);
