// SPDX-License-Identifier: MIT
//
// The native peer's offers and answers, shown to a real browser; and the browser's, read.
/* global connection, offering, restarting, answered, answering, done -- of the page */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { browserName, emptyPage, launch, openPage, root, serve } from './support/browser.mjs';

const tool = join(process.env.WDC_NATIVE_BUILD ?? join(root, 'build/native'), 'src/native/sdp/sdp_tool');

function run(words, input = '') {
  const { status, stdout, stderr, error } = spawnSync(tool, words, { input, encoding: 'utf8' });
  if (error) throw error;
  assert.equal(status, 0, `sdp_tool ${words.join(' ')}: ${stderr}`);
  return stdout;
}

describe(`descriptions of the native peer in ${browserName}`, { timeout: 60_000 }, () => {
  let browser;
  let server;
  let page;
  let folder;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wdc-sdp-'));
    server = await serve({ '/': emptyPage });
    browser = await launch();
    ({ page } = await openPage(browser, `${server.origin}/`));
    await page.evaluate(() => {
      window.offering = async ({ media, config }) => {
        window.connection = new RTCPeerConnection(config);
        for (const kind of media) connection.addTransceiver(kind);
        connection.createDataChannel('x');
        await connection.setLocalDescription();
        return connection.localDescription.sdp;
      };
      window.restarting = async () => {
        connection.restartIce();
        await connection.setLocalDescription();
        return connection.localDescription.sdp;
      };
      window.answered = async (sdp) => {
        await connection.setRemoteDescription({ type: 'answer', sdp });
        return { state: connection.signalingState, size: connection.sctp.maxMessageSize };
      };
      window.answering = async (sdp) => {
        if (!window.connection || connection.signalingState === 'closed') window.connection = new RTCPeerConnection();
        await connection.setRemoteDescription({ type: 'offer', sdp });
        await connection.setLocalDescription();
        return connection.localDescription.sdp;
      };
      window.done = () => {
        connection.close();
        window.connection = undefined;
      };
    });
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await browser?.close();
    await server?.close();
  });

  const answers = [
    ['a plain offer', { media: [] }, []],
    ['a plain offer, with candidates', { media: [] }, ['candidates']],
    ['a plain offer, with several fingerprints', { media: [] }, ['fingerprints']],
    ['an offer with audio and video', { media: ['audio', 'video'] }, []],
    // Chromium takes no answer that rejects the audio its max-bundle offers begin with: "Failed to setup RTCP mux".
    ...(browserName === 'firefox'
      ? [['an offer in one bundle', { media: ['audio'], config: { bundlePolicy: 'max-bundle' } }, []]]
      : []),
  ];
  for (const [name, offer, words] of answers) {
    test(`takes the answer to ${name}, and to a restart`, async () => {
      const first = await page.evaluate((wanted) => offering(wanted), offer);
      const taken = await page.evaluate((sdp) => answered(sdp), run(['answer', ...words], first));
      assert.deepEqual(taken, { state: 'stable', size: 262144 });
      const second = await page.evaluate(() => restarting());
      await page.evaluate((sdp) => answered(sdp), run(['answer', 'restart', ...words], second));
      await page.evaluate(() => done());
    });
  }

  const offers = [[], ['candidates'], ['fingerprints']];
  for (const words of offers) {
    test(`answers our offer${words.map((word) => ` with ${word}`)} and its restart`, async () => {
      for (const more of [[], ['restart']]) {
        const offer = run(['offer', ...words, ...more]);
        const file = join(folder, 'offer.sdp');
        writeFileSync(file, offer);
        const answer = await page.evaluate((sdp) => answering(sdp), offer);
        run(['read', file], answer);
      }
      await page.evaluate(() => done());
    });
  }
});
