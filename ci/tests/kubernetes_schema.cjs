// SPDX-License-Identifier: GPL-2.0-or-later
//
// kubernetes_schema.cjs MODULES SCHEMA: whether the object on standard input, as JSON, is what Kubernetes' own schema of
// that name says. Exits 1 and says what is not. The schema leaves out what it does not name, as a misspelt field, but the
// server does not; so a field that nothing has looked at is an error.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, schema] = process.argv.slice(2);
const { validate } = require(path.resolve(modules, `kubernetes-models/_schemas/${schema}.js`));

const isTree = (tree) => typeof tree === 'object' && tree !== null;
const entries = (tree, where) =>
  Object.keys(tree).map((key) => [key, Array.isArray(tree) ? `${where}[${key}]` : `${where}.${key}`]);

// The same, in a guise that notes each field that is read.
function watched(tree, where, read) {
  if (!isTree(tree)) return tree;
  const copy = Array.isArray(tree) ? [] : {};
  for (const [key, place] of entries(tree, where)) copy[key] = watched(tree[key], place, read);
  if (Array.isArray(copy)) return copy;
  return new Proxy(copy, {
    get(target, key) {
      read.add(`${where}.${String(key)}`);
      return target[key];
    },
  });
}

function unread(tree, where, read) {
  if (!isTree(tree)) return [];
  return entries(tree, where).flatMap(([key, place]) =>
    !Array.isArray(tree) && !read.has(place) ? [place] : unread(tree[key], place, read));
}

const tree = JSON.parse(fs.readFileSync(0, 'utf8'));
const read = new Set();
const errors = validate(watched(tree, '', read)) ? [] : validate.errors.map((each) => `${each.instancePath} ${each.keyword}`);
for (const place of unread(tree, '', read)) errors.push(`${place} is unknown`);
for (const error of errors) console.log(error);
process.exit(errors.length === 0 ? 0 : 1);
