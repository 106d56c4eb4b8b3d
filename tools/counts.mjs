// SPDX-License-Identifier: MIT
//
// Reads how many tests passed and failed from what a step printed. Each reader returns {passed, failed}, or null where
// the output holds no count.

// The last line, alone: "N passed, N failed".
function line(output) {
  const lines = output.trimEnd().split('\n');
  const match = /^(\d+) passed, (\d+) failed$/.exec(lines[lines.length - 1]);
  return match && { passed: Number(match[1]), failed: Number(match[2]) };
}

// The closing lines of `node --test --test-reporter=tap`. A cancelled test has failed; a skipped one is neither.
function node(output) {
  const number = (name) => {
    const matches = [...output.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))];
    return matches.length > 0 ? Number(matches[matches.length - 1][1]) : null;
  };
  const passed = number('pass');
  const failed = number('fail');
  return passed === null || failed === null ? null : { passed, failed: failed + (number('cancelled') ?? 0) };
}

export const readers = { line, node };

// What a step counts for. A step that crashed, was killed or counted nothing is one failed test, and one whose exit
// status says failure though its counts do not is one more.
export function judge({ count, output, exitCode }) {
  const counts = readers[count](output);
  if (counts === null || counts.passed + counts.failed === 0) {
    return { passed: 0, failed: 1, why: exitCode === 0 ? 'it counted no test' : `it ended with ${exitCode}` };
  }
  if (exitCode !== 0 && counts.failed === 0) return { ...counts, failed: 1, why: `it ended with ${exitCode}` };
  return { ...counts, why: counts.failed > 0 ? `${counts.failed} failed` : null };
}
