// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertBetweenMarks } from '../benchmarks/support/documents.mjs';
import { markdownTable, summaries, textTable } from '../benchmarks/support/report.mjs';
import { bootstrapLowerBound, hasCollapsed, median, quantile, tripleRatios } from '../benchmarks/support/statistics.mjs';

test('quantiles are interpolated, and do not disturb the values', () => {
  const values = [4, 1, 3, 2];
  assert.equal(median(values), 2.5);
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile(values, 1), 4);
  assert.deepEqual(values, [4, 1, 3, 2]);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

test('a triple compares its middle with the mean of its neighbours, and the neighbours with each other', () => {
  assert.deepEqual(tripleRatios([90, 98, 106]), { ratio: 1, rawToRaw: 106 / 90 });
});

test('the lower bound is the value itself where all are equal', () => {
  assert.equal(bootstrapLowerBound([0.98, 0.98, 0.98]), 0.98);
});

test('the lower bound lies below the median, above the lowest value, and is the same each time', () => {
  const values = [0.95, 0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03, 1.05];
  const bound = bootstrapLowerBound(values);
  assert.ok(bound < median(values) && bound > 0.95, String(bound));
  assert.equal(bootstrapLowerBound(values), bound);
});

// Of nine values the median of a sample is the second lowest or below with probability P(at least 5 of 9 draws are among
// the lowest two) = 0.024, and the third lowest or below with 0.145: the 5 % quantile is the third lowest.
test('the lower bound of nine distinct values is the third lowest, as the binomial distribution says', () => {
  assert.equal(bootstrapLowerBound([1, 2, 3, 4, 5, 6, 7, 8, 9]), 3);
});

test('a triple has collapsed if one of its raw runs is under 60 % of the median of all of them', () => {
  const raw = [10, 10, 10, 10, 5.9, 6.1];
  assert.equal(hasCollapsed([10, 1, 5.9], raw), true);
  assert.equal(hasCollapsed([5.9, 10, 10], raw), true);
  assert.equal(hasCollapsed([10, 1, 6.1], raw), false);
});

test('a table is put between its marks and nowhere else', () => {
  const text = 'a\n<!-- bench: x -->\nold\n<!-- /bench -->\nb\n<!-- bench: y -->\n<!-- /bench -->\n';
  const filled = insertBetweenMarks(text, 'x', ['one', 'two']);
  assert.equal(filled, 'a\n<!-- bench: x -->\none\ntwo\n<!-- /bench -->\nb\n<!-- bench: y -->\n<!-- /bench -->\n');
  assert.equal(insertBetweenMarks(filled, 'x', ['one', 'two']), filled);
  assert.throws(() => insertBetweenMarks(text, 'z', []), /bench: z/);
});

test('tables align texts to the left and figures to the right', () => {
  const columns = [['name', (row) => row.name], ['figure', (row) => row.figure]];
  const rows = [{ name: 'raw', figure: '9.5' }, { name: 'package', figure: '10.5' }];
  assert.deepEqual(textTable(columns, rows), ['name     figure', 'raw         9.5', 'package    10.5']);
  assert.deepEqual(markdownTable(columns, rows), [
    '| name | figure |', '| --- | ---: |', '| raw | 9.5 |', '| package | 10.5 |',
  ]);
});

test('rows of single runs are not summaries', () => {
  assert.deepEqual(summaries([{ run: 0, MBps: 1 }, { MBps: 2 }]), [{ MBps: 2 }]);
});
