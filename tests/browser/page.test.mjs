// SPDX-License-Identifier: MIT
//
// The page people open (apps/web), over the real server, in two windows of a real browser.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startServer } from '../../tools/server.mjs';
import { browserName, launch, openPage } from './support/browser.mjs';

// How long anything may take on a busy machine; nothing waits this long when it works.
const patience = 60_000;
// A page that is closed is noticed by the other within this time: the browser's own 7 s, and 5 s for it to come back.
const noticed = 20_000;

// Other builds than those that ./test makes.
const serverOptions = {
  ...(process.env.WDC_WEB_ROOT && { directory: process.env.WDC_WEB_ROOT }),
  ...(process.env.WDC_SERVER_PRESET && { preset: process.env.WDC_SERVER_PRESET }),
};

let server;
let browser;
let folder;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const look = ({ page }) => page.evaluate(() => ({ ...document.documentElement.dataset }));

/** Opens the page and collects what should never be: errors, console errors, breaches of the CSP. */
async function visit(room, { query = `?room=${room}` } = {}) {
  const visitor = await openPage(browser, undefined, { downloadDirectory: folder });
  await visitor.page.evaluateOnNewDocument(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await visitor.page.goto(`${server.url}/${query}`);
  return visitor;
}

async function assertClean(...visitors) {
  for (const { page, errors, text } of visitors) {
    assert.deepEqual(errors, []);
    assert.deepEqual(text.filter((line) => line.startsWith('error')), []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  }
}

async function reaches(visitor, ...states) {
  try {
    await visitor.page.waitForFunction(
      (wanted) => wanted.includes(document.documentElement.dataset.state),
      { polling: 20, timeout: patience },
      states,
    );
  } catch (error) {
    throw new Error(`never ${states.join(' or ')}: ${JSON.stringify(await look(visitor))}`, { cause: error });
  }
  return look(visitor);
}

/** Two pages that are connected. `run` gets them; they are closed afterwards and must have stayed clean. */
async function withPair(run, room = randomUUID()) {
  const a = await visit(room);
  const b = await visit(room);
  try {
    await Promise.all([reaches(a, 'connected'), reaches(b, 'connected')]);
    await run(a, b, room);
    await assertClean(a, b);
  } finally {
    await Promise.all([a.close(), b.close()].map((closing) => closing.catch(() => undefined)));
  }
}

/** As if the user had chosen files made in the page: [{ name, megabytes }] or [{ name, text }]. */
const choose = ({ page }, ...files) => page.evaluate((wanted) => {
  const transfer = new window.DataTransfer();
  for (const { name, megabytes, text } of wanted) {
    const parts = megabytes ? Array.from({ length: megabytes }, (_, i) => new Uint8Array(1 << 20).fill(i)) : [text];
    transfer.items.add(new window.File(parts, name, { type: 'text/plain' }));
  }
  const input = document.getElementById('file-input');
  input.files = transfer.files;
  input.dispatchEvent(new Event('change'));
}, files);

async function upload(visitor, name, bytes) {
  const source = await mkdtemp(join(tmpdir(), 'wdc-file-'));
  const path = join(source, name);
  await writeFile(path, bytes);
  const input = await visitor.page.$('#file-input');
  await input.uploadFile(path);
  return () => rm(source, { recursive: true });
}

async function click(visitor, selector) {
  const element = await visitor.page.waitForSelector(selector, { visible: true, timeout: patience });
  await element.click();
}

/** Clicks the link and gives what the browser saved, and under which name. */
async function download(visitor) {
  const before = new Set(await readdir(folder));
  const name = await visitor.page.$eval('#download', (link) => link.download);
  await click(visitor, '#download');
  const size = Number((await look(visitor)).total);
  for (const deadline = Date.now() + patience; Date.now() < deadline; await delay(50)) {
    const added = (await readdir(folder)).filter((entry) => !before.has(entry) && entry.startsWith(parse(name).name));
    if (added.length === 1 && !/\.(crdownload|part)$/.test(added[0])) {
      const bytes = await readFile(join(folder, added[0]));
      if (bytes.length === size) return { name, saved: added[0], bytes };
    }
  }
  throw new Error(`nothing whole was saved: ${(await readdir(folder)).join(', ')}`);
}

async function send(from, to, name, bytes) {
  const cleanup = await upload(from, name, bytes);
  await reaches(to, 'offered');
  await click(to, '#accept');
  const [sent, received] = await Promise.all([reaches(from, 'done'), reaches(to, 'done')]);
  await cleanup();
  for (const end of [sent, received]) {
    assert.equal(end.sha256, sha256(bytes));
    assert.equal(Number(end.bytes), bytes.length);
    assert.equal(Number(end.total), bytes.length);
  }
}

// Each has a room and windows of its own, and much of its time goes by while windows open.
describe(`the page in ${browserName}`, { concurrency: 2, timeout: 600_000 }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wdc-page-'));
    server = await startServer(serverOptions);
    browser = await launch({ downloadDirectory: folder });
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('a file of 5 MB arrives whole, and both pages show its hash', () => withPair(async (a, b) => {
    const bytes = randomBytes(5_000_000);
    await send(a, b, 'picture.jpg', bytes);
    const file = await download(b);
    assert.equal(file.name, 'picture.jpg');
    assert.ok(file.bytes.equals(bytes), 'the saved file is another');
    for (const { page } of [a, b]) {
      const shown = await page.$eval('.hash-digits', (element) => element.textContent);
      assert.equal(shown, sha256(bytes));
    }
  }));

  test('an empty file arrives', () => withPair(async (a, b) => {
    await send(a, b, 'empty.txt', Buffer.alloc(0));
    assert.equal((await download(b)).bytes.length, 0);
  }));

  test('files follow one another in both directions', () => withPair(async (a, b) => {
    await send(a, b, 'first.bin', randomBytes(1_500_000));
    await send(a, b, 'second.bin', randomBytes(65_520));
    await send(b, a, 'back.bin', randomBytes(700_001));
    await send(a, b, 'third.bin', randomBytes(1));
  }));

  test('several files chosen at once are offered one after the other', () => withPair(async (a, b) => {
    await choose(a, { name: 'one.txt', text: 'one' }, { name: 'two.txt', text: 'two' });
    for (const text of ['one', 'two']) {
      await reaches(b, 'offered');
      await click(b, '#accept');
      await b.page.waitForFunction(
        (wanted) => document.documentElement.dataset.sha256 === wanted || document.querySelector('.hash-digits')?.textContent === wanted,
        { polling: 20, timeout: patience },
        sha256(text),
      );
    }
    assert.equal((await reaches(a, 'done')).sha256, sha256('two'));
  }));

  test('both pages may send at the same time', () => withPair(async (a, b) => {
    await choose(a, { name: 'a.bin', megabytes: 6 });
    await choose(b, { name: 'b.bin', megabytes: 6 });
    await Promise.all([click(a, '#accept'), click(b, '#accept')]);
    const bothWhole = (end) => end.page.waitForFunction(
      () => document.querySelectorAll('.hash-digits').length === 2, { polling: 50, timeout: patience });
    await Promise.all([bothWhole(a), bothWhole(b)]);
    const { sha256: shown } = await reaches(a, 'done');
    assert.equal(shown, sha256(Buffer.concat(Array.from({ length: 6 }, (_, i) => Buffer.alloc(1 << 20, i)))));
  }));

  test('a declined file is not sent, and the next one is', () => withPair(async (a, b) => {
    await choose(a, { name: 'unwanted.txt', text: 'unwanted' });
    await reaches(b, 'offered');
    await click(b, '#decline');
    assert.match((await reaches(a, 'failed')).error, /^declined: /);
    await reaches(b, 'connected');
    assert.equal(await b.page.$('#download'), null);
    await send(a, b, 'wanted.txt', Buffer.from('wanted'));
  }));

  for (const who of ['sender', 'receiver']) {
    test(`the ${who} may cancel half-way, and the next file arrives`, () => withPair(async (a, b) => {
      await choose(a, { name: 'large.bin', megabytes: 200 });
      await click(b, '#accept');
      await b.page.waitForFunction(() => Number(document.documentElement.dataset.bytes) > 1e6, { polling: 20, timeout: patience });
      await click(who === 'sender' ? a : b, '[data-transfer=active] .cancel');
      const ends = await Promise.all([reaches(a, 'failed'), reaches(b, 'failed')]);
      for (const end of ends) {
        assert.match(end.error, /^cancelled: /);
        assert.ok(Number(end.bytes) < 200 * 2 ** 20);
      }
      assert.equal(await b.page.$('#download'), null);
      await send(a, b, 'next.txt', Buffer.from('next'));
    }));
  }

  test('a cancelled offer disappears, and may be sent again', () => withPair(async (a, b) => {
    await choose(a, { name: 'offer.txt', text: 'offer' });
    await reaches(b, 'offered');
    await click(a, '[data-transfer=offering] .cancel');
    await reaches(b, 'failed');
    assert.equal(await b.page.$('#accept'), null);
    await a.page.evaluate(() => [...document.querySelectorAll('button')].find((e) => e.textContent === 'Send again').click());
    await click(b, '#accept');
    assert.equal((await reaches(b, 'done')).sha256, sha256('offer'));
  }));

  for (const gone of ['sender', 'receiver']) {
    test(`a ${gone} that is closed half-way is noticed, and the other reconnects`, () => withPair(async (a, b, room) => {
      await choose(a, { name: 'large.bin', megabytes: 200 });
      await click(b, '#accept');
      await b.page.waitForFunction(() => Number(document.documentElement.dataset.bytes) > 1e6, { polling: 20, timeout: patience });
      const [leaver, stayer] = gone === 'sender' ? [a, b] : [b, a];
      await assertClean(leaver);
      const closed = Date.now();
      await leaver.page.close();
      const { error } = await reaches(stayer, 'failed');
      assert.ok(Date.now() - closed < noticed, `noticed after ${Date.now() - closed} ms`);
      assert.match(error, /^[a-z_]+: ./);
      assert.ok(await stayer.page.$eval('#notice', (notice) => !notice.hidden && notice.textContent.length > 0));
      await click(stayer, '#reconnect');
      const again = await visit(room);
      Object.assign(leaver, again);
      await Promise.all([reaches(stayer, 'connected'), reaches(leaver, 'connected')]);
      await send(a, b, 'again.txt', Buffer.from('again'));
    }));
  }

  test('a page that loses an idle peer waits for the next one by itself', () => withPair(async (a, b, room) => {
    await assertClean(b);
    await b.page.close();
    await reaches(a, 'waiting');
    Object.assign(b, await visit(room));
    await Promise.all([reaches(a, 'connected'), reaches(b, 'connected')]);
    await send(b, a, 'hello.txt', Buffer.from('hello'));
  }));

  test('a reloaded page meets the other again', () => withPair(async (a, b) => {
    await b.page.reload();
    await Promise.all([
      reaches(b, 'connected').then(() => undefined),
      a.page.waitForFunction(() => document.documentElement.dataset.state === 'connected', { polling: 20, timeout: patience }),
    ]);
    // The state of before may still have been there: a transfer proves the new connection.
    await send(b, a, 'reloaded.txt', Buffer.from('reloaded'));
  }));

  test('a third visitor is told that the room is full, and the two go on', () => withPair(async (a, b, room) => {
    const third = await visit(room);
    try {
      const { error } = await reaches(third, 'failed');
      assert.match(error, /^room_full: /);
      assert.match(await third.page.$eval('#notice-title', (title) => title.textContent), /full/);
      await send(a, b, 'two.txt', Buffer.from('two'));
      await assertClean(third);
    } finally {
      await third.close();
    }
  }));

  test('odd names arrive harmless', () => withPair(async (a, b) => {
    const names = [
      ['../../etc/passwd', 'passwd'],
      ['a<img src=x onerror=alert(1)>.html', 'a_img src=x onerror=alert(1)_.html'],
      ['line\nbreak\u202Egpj.exe', 'linebreakgpj.exe'],
      ['Überraschung für 写真 👩‍🚀.txt', 'Überraschung für 写真 👩‍🚀.txt'],
      ['CON.txt', '_CON.txt'],
      [`${'x'.repeat(300)}.png`, `${'x'.repeat(251)}.png`],
    ];
    for (const [offered, shown] of names) {
      await choose(a, { name: offered, text: offered });
      await reaches(b, 'offered');
      await click(b, '#accept');
      await Promise.all([reaches(a, 'done'), reaches(b, 'done')]);
      const name = await b.page.$eval('#download', (link) => link.download);
      if (offered.length > 255) assert.ok(name.length <= 255 && name.startsWith('xxx'), name);
      else assert.equal(name, shown);
      assert.equal(await b.page.$eval('#transfers article .file-name', (title) => title.textContent), name);
    }
    assert.equal(await b.page.$('#transfers img'), null);
  }));

  test('without a room in its address the page makes one up, and gives the link to it', async () => {
    const a = await visit('', { query: '' });
    try {
      await reaches(a, 'waiting');
      const link = await a.page.$eval('#link', (input) => input.value);
      assert.match(link, /\?room=[a-z0-9_]{16}$/);
      assert.equal(await a.page.evaluate(() => location.href), link);
      const b = await visit('', { query: new URL(link).search });
      await Promise.all([reaches(a, 'connected'), reaches(b, 'connected')]);
      await assertClean(a, b);
      await b.close();
    } finally {
      await a.close();
    }
  });

  test('an impossible room is refused in words', async () => {
    const a = await visit('', { query: '?room=no%20spaces%3Cb%3E' });
    try {
      assert.match((await reaches(a, 'failed')).error, /^bad_room: /);
      await assertClean(a);
    } finally {
      await a.close();
    }
  });

  test('nothing runs over the edge of a window 360 pixels wide', () => withPair(async (a, b) => {
    for (const { page } of [a, b]) await page.setViewport({ width: 360, height: 760 });
    const fits = async (when) => {
      for (const { page } of [a, b]) {
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${when}: ${over} pixels too wide`);
      }
    };
    await fits('connected');
    await choose(a, { name: `${'long'.repeat(40)}.txt`, megabytes: 30 });
    await reaches(b, 'offered');
    await fits('offered');
    await click(b, '#accept');
    await reaches(b, 'receiving', 'done');
    await fits('receiving');
    await Promise.all([reaches(a, 'done'), reaches(b, 'done')]);
    await fits('done');
  }));
});
